#pragma once
// Lexer: the tokens of Spark SQL's expressions, one at a time.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/status.h"

namespace flowrun {

enum class TokenKind : uint8_t {
  end,
  identifier,  // text as written, perhaps a keyword
  quoted,      // `text` without the back-quotes: never a keyword
  string,      // text with its escapes resolved
  integer,     // digits alone
  decimal,     // 1.5 .5 5.
  exponent,    // 1e3
  suffixed,    // 1L 1.5BD: text with its suffix
  symbol,      // an operator or a parenthesis
};

struct SqlToken {
  TokenKind kind = TokenKind::end;
  size_t begin = 0;  // bytes [begin, end) of the input
  size_t end = 0;
  std::string text;

  // Is it this keyword (given in lower case), not back-quoted?
  [[nodiscard]] bool is_word(std::string_view word) const;
  [[nodiscard]] bool is_symbol(std::string_view symbol) const {
    return kind == TokenKind::symbol && text == symbol;
  }
};

// The token that begins at or after `position`, past blanks and comments.
Result<SqlToken> next_token(std::string_view input, size_t position);

// What a quoted string stands for: \n, \u00e9, \101, doubled quotes; \% and \_ stay for LIKE.
std::string unescape_string(std::string_view body, char quote);

}  // namespace flowrun
