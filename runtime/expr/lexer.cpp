#include "runtime/expr/lexer.h"

#include <algorithm>
#include <array>
#include <optional>

#include "runtime/columnar/type.h"

namespace flowrun {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool is_word_part(char c) { return is_letter(c) || is_digit(c); }

// Longest first.
constexpr std::array<std::string_view, 35> kSymbols = {
    ">>>", "<=>", "<<", ">>", "<>", "!=", "!>", "!<", "<=", ">=", "==", "||",
    "->",  "=>",  "::", "<",  ">",  "=",  "!",  "+",  "-",  "*",  "/",  "%",
    "&",   "|",   "^",  "~",  "(",  ")",  "[",  "]",  ",",  ".",  ":"};

size_t skip_blanks(std::string_view input, size_t at) {
  while (at < input.size()) {
    const char c = input[at];
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      ++at;
    } else if (input.substr(at, 2) == "--") {
      at = std::min(input.find('\n', at), input.size());
    } else if (input.substr(at, 2) == "/*") {
      const size_t close = input.find("*/", at + 2);
      if (close == std::string_view::npos) break;  // the parser stumbles over it
      at = close + 2;
    } else {
      break;
    }
  }
  return at;
}

void append_utf8(uint32_t c, std::string& out) {
  const auto put = [&](uint32_t byte) { out += static_cast<char>(byte); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xc0 | (c >> 6));
    put(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    put(0xe0 | (c >> 12));
    put(0x80 | ((c >> 6) & 0x3f));
    put(0x80 | (c & 0x3f));
  } else {
    put(0xf0 | (c >> 18));
    put(0x80 | ((c >> 12) & 0x3f));
    put(0x80 | ((c >> 6) & 0x3f));
    put(0x80 | (c & 0x3f));
  }
}

// The number of `count` digits of `base` at the front of `text`.
std::optional<uint32_t> digits(std::string_view text, size_t count, uint32_t base) {
  if (text.size() < count) return std::nullopt;
  uint32_t value = 0;
  for (const char c : text.substr(0, count)) {
    uint32_t digit = base;
    if (is_digit(c)) digit = static_cast<uint32_t>(c - '0');
    if (c >= 'a' && c <= 'f') digit = static_cast<uint32_t>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F') digit = static_cast<uint32_t>(c - 'A' + 10);
    if (digit >= base) return std::nullopt;
    value = value * base + digit;
  }
  return value;
}

// Appends what the escape after a backslash at the front of `text` stands for; gives its length.
size_t append_escape(std::string_view text, std::string& out) {
  if (text[0] == 'u') {
    if (const auto c = digits(text.substr(1), 4, 16)) return append_utf8(*c, out), 5;
  }
  if (text[0] == 'U') {
    if (const auto c = digits(text.substr(1), 8, 16)) return append_utf8(*c, out), 9;
  }
  if (text[0] >= '0' && text[0] <= '1') {
    if (const auto c = digits(text, 3, 8)) return append_utf8(*c, out), 3;
  }
  switch (text[0]) {
    case '0':
      out += '\0';
      break;
    case 'b':
      out += '\b';
      break;
    case 'n':
      out += '\n';
      break;
    case 'r':
      out += '\r';
      break;
    case 't':
      out += '\t';
      break;
    case 'Z':
      out += '\x1a';
      break;
    case '%':
      out += "\\%";
      break;
    case '_':
      out += "\\_";
      break;
    default:
      out += text[0];
      break;
  }
  return 1;
}

Result<SqlToken> read_string(std::string_view input, size_t begin, size_t quote_at, bool raw) {
  const char quote = input[quote_at];
  size_t at = quote_at + 1;
  while (at < input.size()) {
    if (!raw && input[at] == '\\') {
      at += 2;
    } else if (input[at] != quote) {
      ++at;
    } else if (!raw && at + 1 < input.size() && input[at + 1] == quote) {
      at += 2;
    } else {
      const std::string_view body = input.substr(quote_at + 1, at - quote_at - 1);
      return SqlToken{TokenKind::string, begin, at + 1,
                      raw ? std::string(body) : unescape_string(body, quote)};
    }
  }
  return Error::invalid("a string is not closed — end it with " + std::string(1, quote))
      .at_offset(begin);
}

Result<SqlToken> read_back_quoted(std::string_view input, size_t begin) {
  std::string text;
  for (size_t at = begin + 1; at < input.size(); ++at) {
    if (input[at] != '`') {
      text += input[at];
    } else if (at + 1 < input.size() && input[at + 1] == '`') {
      text += input[at++];
    } else {
      if (text.empty())
        return Error::invalid("a name is empty — write it between the back-quotes")
            .at_offset(begin);
      return SqlToken{TokenKind::quoted, begin, at + 1, std::move(text)};
    }
  }
  return Error::invalid("a quoted name is not closed — end it with `").at_offset(begin);
}

// A number, unless letters run on behind it: then it is a name such as 1st.
std::optional<SqlToken> read_number(std::string_view input, size_t begin) {
  size_t at = begin;
  const auto digits_from = [&](size_t from) {
    while (from < input.size() && is_digit(input[from])) ++from;
    return from;
  };
  at = digits_from(at);
  TokenKind kind = TokenKind::integer;
  if (at < input.size() && input[at] == '.') {
    kind = TokenKind::decimal;
    at = digits_from(at + 1);
  }
  if (at < input.size() && (input[at] == 'e' || input[at] == 'E')) {
    const size_t sign =
        at + 1 < input.size() && (input[at + 1] == '+' || input[at + 1] == '-') ? 1 : 0;
    const size_t end = digits_from(at + 1 + sign);
    if (end > at + 1 + sign) {
      kind = TokenKind::exponent;
      at = end;
    }
  }
  size_t end = at;
  while (end < input.size() && is_word_part(input[end])) ++end;
  const std::string suffix = lower_name(input.substr(at, end - at));
  const bool of_integer = suffix == "l" || suffix == "s" || suffix == "y";
  if ((of_integer && kind == TokenKind::integer) || suffix == "f" || suffix == "d" ||
      suffix == "bd") {
    kind = TokenKind::suffixed;
  } else if (!suffix.empty()) {
    return std::nullopt;
  }
  return SqlToken{kind, begin, end, std::string(input.substr(begin, end - begin))};
}

}  // namespace

bool SqlToken::is_word(std::string_view word) const {
  return kind == TokenKind::identifier && names_equal(text, word);
}

std::string unescape_string(std::string_view body, char quote) {
  std::string out;
  for (size_t i = 0; i < body.size(); ++i) {
    if (body[i] == quote) ++i;  // doubled
    if (body[i] == '\\' && i + 1 < body.size()) {
      i += append_escape(body.substr(i + 1), out);
    } else {
      out += body[i];
    }
  }
  return out;
}

Result<SqlToken> next_token(std::string_view input, size_t position) {
  const size_t at = skip_blanks(input, position);
  if (at >= input.size()) return SqlToken{TokenKind::end, input.size(), input.size(), ""};
  const char c = input[at];
  const char after = at + 1 < input.size() ? input[at + 1] : '\0';
  if (c == '\'' || c == '"') return read_string(input, at, at, false);
  if ((c == 'r' || c == 'R') && (after == '\'' || after == '"'))
    return read_string(input, at, at + 1, true);
  if (c == '`') return read_back_quoted(input, at);
  if (is_digit(c) || (c == '.' && is_digit(after))) {
    if (auto number = read_number(input, at)) return std::move(*number);
  }
  if (is_word_part(c)) {
    size_t end = at;
    while (end < input.size() && is_word_part(input[end])) ++end;
    return SqlToken{TokenKind::identifier, at, end, std::string(input.substr(at, end - at))};
  }
  for (const std::string_view symbol : kSymbols) {
    if (input.substr(at).starts_with(symbol)) {
      return SqlToken{TokenKind::symbol, at, at + symbol.size(), std::string(symbol)};
    }
  }
  return Error::invalid("unexpected `" + std::string(1, c) + "`").at_offset(at);
}

}  // namespace flowrun
