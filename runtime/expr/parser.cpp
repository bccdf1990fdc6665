// The parser: recursive descent by the rules of Spark's SqlBaseParser.g4, one function per rule.
//
//   boolean:   not, and, or over predicates
//   predicate: a value, perhaps followed by BETWEEN, IN, LIKE, IS ...
//   value:     binary operators by precedence over primaries
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>

#include "runtime/expr/ast.h"
#include "runtime/expr/parser_internal.h"

namespace flowrun {

namespace {

struct BinaryOperator {
  std::string_view written;
  std::string_view name;
  int precedence;
};
// As Spark's grammar lists them: a greater precedence binds tighter.
constexpr std::array<BinaryOperator, 24> kBinaryOperators = {{
    {"*", "*", 7},   {"/", "/", 7},   {"%", "%", 7},   {"div", "div", 7}, {"+", "+", 6},
    {"-", "-", 6},   {"||", "||", 6}, {"<<", "<<", 5}, {">>", ">>", 5},   {">>>", ">>>", 5},
    {"&", "&", 4},   {"^", "^", 3},   {"|", "|", 2},   {"<=>", "<=>", 1}, {"==", "=", 1},
    {"=", "=", 1},   {"<>", "<>", 1}, {"!=", "<>", 1}, {"<=", "<=", 1},   {"!>", "<=", 1},
    {">=", ">=", 1}, {"!<", ">=", 1}, {"<", "<", 1},   {">", ">", 1},
}};

const BinaryOperator* find_operator(const SqlToken& token) {
  if (token.kind != TokenKind::symbol && !token.is_word("div")) return nullptr;
  for (const BinaryOperator& op : kBinaryOperators) {
    if (names_equal(op.written, token.text)) return &op;
  }
  return nullptr;
}

}  // namespace

Result<AstPtr> parse_expression(std::string_view text, bool allow_alias) {
  FLOWRUN_TRY(Parser parser, Parser::start(text));
  FLOWRUN_TRY(AstPtr expression, allow_alias ? parser.named_expression() : parser.expression());
  if (!parser.at_end()) {
    return Error::invalid(fmt::format("`{}` is not expected here", parser.rest(20)))
        .at_offset(parser.token().begin);
  }
  return expression;
}

Result<Parser> Parser::start(std::string_view text) {
  Parser parser(text);
  FLOWRUN_RETURN_IF_ERROR(parser.advance());
  if (parser.at_end()) return Error::invalid("the expression is empty");
  return parser;
}

Status Parser::advance() {
  last_end_ = token_.end;
  FLOWRUN_TRY(token_, next_token(text_, token_.end));
  return {};
}

Status Parser::move_to(size_t position) {
  FLOWRUN_TRY(token_, next_token(text_, position));
  return {};
}

Result<SqlToken> Parser::peek() const { return next_token(text_, token_.end); }

std::string Parser::rest(size_t most) const {
  if (at_end()) return "end of expression";
  std::string rest(text_.substr(token_.begin, most));
  if (rest.size() < text_.size() - token_.begin) rest += "...";
  return rest;
}

Error Parser::unexpected(std::string_view wanted) const {
  return Error::invalid(
             at_end() ? fmt::format("the expression ends too early — expected {}", wanted)
                      : fmt::format("`{}` is not expected here — expected {}", rest(20), wanted))
      .at_offset(token_.begin);
}

Status Parser::expect_symbol(std::string_view symbol) {
  if (!token_.is_symbol(symbol)) return unexpected(fmt::format("`{}`", symbol));
  return advance();
}

Status Parser::expect_word(std::string_view word) {
  if (!token_.is_word(word)) return unexpected(fmt::format("`{}`", word));
  return advance();
}

Result<bool> Parser::accept_symbol(std::string_view symbol) {
  if (!token_.is_symbol(symbol)) return false;
  FLOWRUN_RETURN_IF_ERROR(advance());
  return true;
}

Result<bool> Parser::accept_word(std::string_view word) {
  if (!token_.is_word(word)) return false;
  FLOWRUN_RETURN_IF_ERROR(advance());
  return true;
}

Result<AstPtr> Parser::make(Ast ast) const {
  for (const AstPtr& child : ast.children) ast.height = std::max(ast.height, child->height + 1);
  if (ast.filter) ast.height = std::max(ast.height, ast.filter->height + 1);
  if (ast.height > kMaximumHeight) return too_deep(ast.offset);
  return std::make_shared<const Ast>(std::move(ast));
}

Result<AstPtr> Parser::make_call(std::string name, std::vector<AstPtr> children,
                                 size_t offset) const {
  Ast ast{.kind = Ast::Kind::call, .offset = offset, .text = std::move(name)};
  ast.children = std::move(children);
  return make(std::move(ast));
}

Error Parser::too_deep(size_t offset) {
  return Error::invalid(
             fmt::format("the expression is nested too deeply — at most {} levels", kMaximumHeight))
      .at_offset(offset);
}

Result<AstPtr> Parser::expression() {
  if (++depth_ > kMaximumHeight) return too_deep(token_.begin);
  auto result = or_expression();
  --depth_;
  return result;
}

Result<AstPtr> Parser::named_expression() {
  FLOWRUN_TRY(AstPtr inner, expression());
  const bool lateral = token_.kind == TokenKind::identifier || token_.kind == TokenKind::quoted;
  FLOWRUN_TRY(const bool as, accept_word("as"));
  if (!as && !lateral) return inner;
  Ast alias{.kind = Ast::Kind::alias, .offset = inner->offset};
  FLOWRUN_TRY(const bool list,
              as&& token_.is_symbol("(") ? accept_symbol("(") : Result<bool>(false));
  do {
    if (token_.kind != TokenKind::identifier && token_.kind != TokenKind::quoted)
      return unexpected("a name");
    alias.parts.push_back(token_.text);
    FLOWRUN_RETURN_IF_ERROR(advance());
    if (!list || !token_.is_symbol(",")) break;
    FLOWRUN_RETURN_IF_ERROR(advance());
  } while (true);
  if (list) FLOWRUN_RETURN_IF_ERROR(expect_symbol(")"));
  alias.children.push_back(std::move(inner));
  return make(std::move(alias));
}

Result<AstPtr> Parser::balanced(std::string_view name, std::span<const AstPtr> terms) const {
  if (terms.size() == 1) return terms[0];
  const size_t half = (terms.size() - 1) / 2 + 1;
  FLOWRUN_TRY(AstPtr left, balanced(name, terms.subspan(0, half)));
  FLOWRUN_TRY(AstPtr right, balanced(name, terms.subspan(half)));
  const size_t offset = left->offset;
  return make_call(std::string(name), {std::move(left), std::move(right)}, offset);
}

Result<AstPtr> Parser::or_expression() {
  std::vector<AstPtr> terms;
  do {
    if (!terms.empty()) FLOWRUN_RETURN_IF_ERROR(advance());
    FLOWRUN_TRY(terms.emplace_back(), and_expression());
  } while (token_.is_word("or"));
  return balanced("or", terms);
}

Result<AstPtr> Parser::and_expression() {
  std::vector<AstPtr> terms;
  do {
    if (!terms.empty()) FLOWRUN_RETURN_IF_ERROR(advance());
    FLOWRUN_TRY(terms.emplace_back(), not_expression());
  } while (token_.is_word("and"));
  return balanced("and", terms);
}

Result<AstPtr> Parser::not_expression() {
  std::vector<size_t> nots;
  while (token_.is_word("not") || token_.is_symbol("!")) {
    nots.push_back(token_.begin);
    FLOWRUN_RETURN_IF_ERROR(advance());
  }
  FLOWRUN_TRY(AstPtr result, predicate());
  for (; !nots.empty(); nots.pop_back()) {
    FLOWRUN_TRY(result, make_call("not", {std::move(result)}, nots.back()));
  }
  return result;
}

Result<AstPtr> Parser::predicate() {
  FLOWRUN_TRY(AstPtr value, value_expression(0));
  const size_t offset = token_.begin;
  if (token_.is_word("is")) return is_predicate(std::move(value));
  bool negated = false;
  if (token_.is_word("not") || token_.is_symbol("!")) {
    negated = true;
    FLOWRUN_RETURN_IF_ERROR(advance());
  }
  AstPtr result;
  if (token_.is_word("between")) {
    FLOWRUN_RETURN_IF_ERROR(advance());
    FLOWRUN_TRY(AstPtr low, value_expression(0));
    FLOWRUN_RETURN_IF_ERROR(expect_word("and"));
    FLOWRUN_TRY(AstPtr high, value_expression(0));
    FLOWRUN_TRY(result,
                make_call("between", {std::move(value), std::move(low), std::move(high)}, offset));
  } else if (token_.is_word("in")) {
    FLOWRUN_RETURN_IF_ERROR(advance());
    std::vector<AstPtr> children{std::move(value)};
    FLOWRUN_RETURN_IF_ERROR(parenthesized_list(children));
    if (children.size() == 1)
      return Error::invalid("IN () is empty — name the values").at_offset(offset);
    FLOWRUN_TRY(result, make_call("in", std::move(children), offset));
  } else if (token_.is_word("like") || token_.is_word("ilike")) {
    return like_predicate(std::move(value), negated);
  } else if (token_.is_word("rlike") || token_.is_word("regexp")) {
    FLOWRUN_RETURN_IF_ERROR(advance());
    FLOWRUN_TRY(AstPtr pattern, value_expression(0));
    FLOWRUN_TRY(result, make_call("rlike", {std::move(value), std::move(pattern)}, offset));
  } else {
    if (negated) return unexpected("BETWEEN, IN or LIKE behind NOT");
    return value;
  }
  return negated ? make_call("not", {std::move(result)}, offset) : std::move(result);
}

Result<AstPtr> Parser::is_predicate(AstPtr value) {
  const size_t offset = token_.begin;
  FLOWRUN_RETURN_IF_ERROR(advance());
  FLOWRUN_TRY(const bool negated, accept_word("not"));
  AstPtr result;
  if (token_.is_word("null") || token_.is_word("unknown")) {
    FLOWRUN_RETURN_IF_ERROR(advance());
    return make_call(negated ? "isnotnull" : "isnull", {std::move(value)}, offset);
  }
  if (token_.is_word("true") || token_.is_word("false")) {
    Ast literal{.kind = Ast::Kind::literal, .offset = token_.begin};
    literal.value = boolean_constant(token_.is_word("true"));
    FLOWRUN_RETURN_IF_ERROR(advance());
    FLOWRUN_TRY(AstPtr truth, make(std::move(literal)));
    FLOWRUN_TRY(result, make_call("<=>", {std::move(value), std::move(truth)}, offset));
    return negated ? make_call("not", {std::move(result)}, offset) : std::move(result);
  }
  if (!token_.is_word("distinct")) return unexpected("NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM");
  FLOWRUN_RETURN_IF_ERROR(advance());
  FLOWRUN_RETURN_IF_ERROR(expect_word("from"));
  FLOWRUN_TRY(AstPtr other, value_expression(0));
  FLOWRUN_TRY(result, make_call("<=>", {std::move(value), std::move(other)}, offset));
  return negated ? std::move(result) : make_call("not", {std::move(result)}, offset);
}

Result<AstPtr> Parser::like_predicate(AstPtr value, bool negated) {
  const size_t offset = token_.begin;
  const bool any_case = token_.is_word("ilike");
  FLOWRUN_RETURN_IF_ERROR(advance());
  const bool all = token_.is_word("all");
  if (all || token_.is_word("any") || token_.is_word("some")) {
    FLOWRUN_RETURN_IF_ERROR(advance());
    std::vector<AstPtr> children{std::move(value)};
    FLOWRUN_RETURN_IF_ERROR(parenthesized_list(children));
    if (children.size() == 1)
      return Error::invalid("LIKE has no patterns — name at least one").at_offset(offset);
    return quantified_like(std::move(children), all, any_case, negated, offset);
  }
  std::vector<AstPtr> children{std::move(value)};
  FLOWRUN_TRY(children.emplace_back(), value_expression(0));
  if (token_.is_word("escape")) {
    FLOWRUN_RETURN_IF_ERROR(advance());
    if (token_.kind != TokenKind::string) return unexpected("the escape character as a string");
    FLOWRUN_TRY(children.emplace_back(), primary());
  }
  FLOWRUN_TRY(AstPtr result, make_call(any_case ? "ilike" : "like", std::move(children), offset));
  return negated ? make_call("not", {std::move(result)}, offset) : std::move(result);
}

Result<AstPtr> Parser::quantified_like(std::vector<AstPtr> children, bool all, bool any_case,
                                       bool negated, size_t offset) const {
  if (!any_case) {
    return make_call(fmt::format("{}like{}", negated ? "not" : "", all ? "all" : "any"),
                     std::move(children), offset);
  }
  std::vector<AstPtr> terms;
  for (size_t i = 1; i < children.size(); ++i) {
    FLOWRUN_TRY(AstPtr term, make_call("ilike", {children[0], children[i]}, offset));
    if (negated) {
      FLOWRUN_TRY(term, make_call("not", {std::move(term)}, offset));
    }
    terms.push_back(std::move(term));
  }
  return balanced(all ? "and" : "or", terms);
}

Result<AstPtr> Parser::value_expression(int least) {
  if (++depth_ > kMaximumHeight) return too_deep(token_.begin);
  FLOWRUN_TRY(AstPtr left, unary_expression());
  for (const BinaryOperator* op = find_operator(token_); op != nullptr && op->precedence > least;
       op = find_operator(token_)) {
    const size_t offset = token_.begin;
    FLOWRUN_RETURN_IF_ERROR(advance());
    FLOWRUN_TRY(AstPtr right, value_expression(op->precedence));
    FLOWRUN_TRY(left,
                make_call(std::string(op->name), {std::move(left), std::move(right)}, offset));
  }
  --depth_;
  return left;
}

Result<AstPtr> Parser::unary_expression() {
  struct Prefix {
    std::string name;
    size_t offset;
  };
  std::vector<Prefix> prefixes;
  while (token_.is_symbol("-") || token_.is_symbol("+") || token_.is_symbol("~")) {
    FLOWRUN_TRY(const SqlToken after, peek());
    const bool number = after.kind == TokenKind::integer || after.kind == TokenKind::decimal ||
                        after.kind == TokenKind::exponent || after.kind == TokenKind::suffixed;
    if (token_.is_symbol("-") && number) break;  // the sign is part of the literal
    prefixes.push_back({token_.is_symbol("~") ? "~" : "unary " + token_.text, token_.begin});
    if (prefixes.size() > static_cast<size_t>(kMaximumHeight)) return too_deep(token_.begin);
    FLOWRUN_RETURN_IF_ERROR(advance());
  }
  FLOWRUN_TRY(AstPtr result, primary());
  for (; !prefixes.empty(); prefixes.pop_back()) {
    FLOWRUN_TRY(result,
                make_call(prefixes.back().name, {std::move(result)}, prefixes.back().offset));
  }
  return result;
}

Status Parser::parenthesized_list(std::vector<AstPtr>& items) {
  FLOWRUN_RETURN_IF_ERROR(expect_symbol("("));
  FLOWRUN_TRY(const bool empty, accept_symbol(")"));
  if (empty) return {};
  do {
    FLOWRUN_TRY(items.emplace_back(), expression());
    FLOWRUN_TRY(const bool more, accept_symbol(","));
    if (!more) break;
  } while (true);
  return expect_symbol(")");
}

}  // namespace flowrun
