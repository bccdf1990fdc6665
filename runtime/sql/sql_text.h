#pragma once
// SqlText: a statement in the words of Spark SQL, written for SQLite, and the way back from a place
// in the one to the place in the other.

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/columnar/type.h"

namespace flowrun {

struct StatementToken {
  enum class Kind : uint8_t { word, quoted_name, text, number, sign } kind = Kind::sign;
  size_t begin = 0;
  size_t end = 0;
  [[nodiscard]] std::string_view in(std::string_view statement) const {
    return statement.substr(begin, end - begin);
  }
};

// White space and comments are left out. Errors: a quote or comment that is not closed.
Result<std::vector<StatementToken>> sql_tokens(std::string_view statement);

// The tokens of a statement by their number, for what reads them; beyond the last there is nothing.
class TokenReader {
 protected:
  TokenReader(std::string_view statement, std::vector<StatementToken> tokens)
      : statement_(statement), tokens_(std::move(tokens)) {}

  [[nodiscard]] std::string_view word(size_t i) const {
    return i < tokens_.size() ? tokens_[i].in(statement_) : std::string_view();
  }
  // A word that is not quoted, in any case.
  [[nodiscard]] bool is_word(size_t i, std::string_view lower) const {
    return i < tokens_.size() && tokens_[i].kind == StatementToken::Kind::word &&
           names_equal(word(i), lower);
  }

  std::string_view statement_;
  std::vector<StatementToken> tokens_;
};

class SqlText {
 public:
  // What the rewriting asks of its surroundings.
  struct Names {
    // The text that a literal of Spark stands for ('a\tb', "x", timestamp'2026-03-01').
    std::function<Result<std::string>(std::string_view)> literal;
    // Is it a path into a struct of some table: {"window", "start"}? Then its column's name.
    std::function<std::string(const std::vector<std::string>&)> path;
    std::function<bool(std::string_view)> function;
  };
  // What stands in the place of a token, by the token's number.
  using Edits = std::vector<std::pair<size_t, std::string>>;

  // Drops a semicolon at the end. `edits` are of the tokens that sql_tokens gives. Errors carry
  // their offset.
  static Result<SqlText> make(std::string_view statement, const Names& names, const Edits& edits);

  [[nodiscard]] const std::string& text() const { return text_; }
  // SQLite takes `a.b` for a column of table `a`: when there is none, the names that it complained
  // of are read as paths into structs. False if they are none.
  bool read_as_path(std::string_view names_with_dots, const Names& names);
  // The place in the statement of a place in text().
  [[nodiscard]] size_t original_offset(size_t offset) const;
  // The name of a result's column: what the user wrote where SQLite gives what we made of it.
  [[nodiscard]] std::string original_name(std::string_view name) const;
  // The functions called, in lower case.
  [[nodiscard]] const std::vector<std::string>& functions() const { return functions_; }

 private:
  struct Piece {
    size_t from;  // of the statement
    size_t length;
    std::string text;
  };
  // `a.b.c`: the tokens of the names.
  struct Chain {
    std::vector<std::string> names;
    size_t from = 0;
    size_t end = 0;
    size_t piece = 0;  // of its first name
    size_t last_piece = 0;
  };
  void join();

  std::string statement_;
  std::string text_;
  std::vector<Piece> pieces_;
  std::vector<Chain> chains_;
  std::vector<std::string> functions_;
  std::vector<size_t> starts_;  // of the pieces in text_
};

}  // namespace flowrun
