#pragma once
// The parser's state, shared by parser.cpp (operators) and parser_primary.cpp (what stands between
// them). For these two files only; others call parse_expression of ast.h.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/expr/ast.h"
#include "runtime/expr/lexer.h"

namespace flowrun {

// One pass over one text. After an error the parser is not used again.
class Parser {
 public:
  static Result<Parser> start(std::string_view text);

  Result<AstPtr> expression();
  Result<AstPtr> named_expression();
  [[nodiscard]] bool at_end() const { return token_.kind == TokenKind::end; }
  [[nodiscard]] const SqlToken& token() const { return token_; }
  [[nodiscard]] std::string rest(size_t most) const;

 private:
  explicit Parser(std::string_view text) : text_(text) {}

  // Tokens.
  Status advance();
  Status move_to(size_t position);
  [[nodiscard]] Result<SqlToken> peek() const;
  Status expect_symbol(std::string_view symbol);
  Status expect_word(std::string_view word);
  Result<bool> accept_symbol(std::string_view symbol);
  Result<bool> accept_word(std::string_view word);
  [[nodiscard]] Error unexpected(std::string_view wanted) const;

  // Nodes; both refuse trees higher than kMaximumHeight.
  [[nodiscard]] Result<AstPtr> make(Ast ast) const;
  [[nodiscard]] Result<AstPtr> make_call(std::string name, std::vector<AstPtr> children,
                                         size_t offset) const;
  static Error too_deep(size_t offset);
  static ColumnPtr boolean_constant(bool value);

  // parser.cpp
  // A run of ANDs or ORs as a balanced tree, as Spark builds it: thousands of terms stay flat.
  [[nodiscard]] Result<AstPtr> balanced(std::string_view name, std::span<const AstPtr> terms) const;
  Result<AstPtr> or_expression();
  Result<AstPtr> and_expression();
  Result<AstPtr> not_expression();
  Result<AstPtr> predicate();
  Result<AstPtr> is_predicate(AstPtr value);
  Result<AstPtr> like_predicate(AstPtr value, bool negated);
  [[nodiscard]] Result<AstPtr> quantified_like(std::vector<AstPtr> children, bool all,
                                               bool any_case, bool negated, size_t offset) const;
  Result<AstPtr> value_expression(int least);
  Result<AstPtr> unary_expression();
  Status parenthesized_list(std::vector<AstPtr>& items);

  // parser_primary.cpp
  Result<AstPtr> primary();
  Result<AstPtr> primary_start();
  Result<AstPtr> primary_suffixes(AstPtr inner);
  Result<AstPtr> literal(ColumnPtr value, size_t offset) const;
  Result<AstPtr> number();
  Result<AstPtr> string_literal();
  Result<AstPtr> parenthesis();
  Result<bool> lambda_ahead() const;
  Result<AstPtr> lambda();
  Result<AstPtr> word();
  Result<AstPtr> name();
  Result<AstPtr> case_expression();
  Result<AstPtr> cast_expression(bool with_try);
  Result<Type> type();
  Result<AstPtr> interval();
  Result<AstPtr> interval_parts(size_t offset);
  Result<AstPtr> interval_text(size_t offset);
  Result<AstPtr> call(std::string function);
  Status call_arguments(Ast& call);
  Status call_clauses(Ast& call);
  Result<Ast::OrderItem> order_item();
  Result<AstPtr> trim();
  Result<AstPtr> extract();
  Result<AstPtr> unit_call(const std::string& function);

  std::string_view text_;
  SqlToken token_;
  size_t last_end_ = 0;
  int32_t depth_ = 0;
};

}  // namespace flowrun
