// Primary expressions: literals, names, calls, CASE, CAST, parentheses, lambdas, and the calls with
// keywords between their arguments.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "runtime/columnar/builder.h"
#include "runtime/expr/ast.h"
#include "runtime/expr/literal.h"
#include "runtime/expr/parser_internal.h"

namespace flowrun {

namespace {

constexpr std::array<std::string_view, 12> kCastFunctions = {
    "boolean", "tinyint", "smallint", "int",       "bigint", "float",
    "double",  "decimal", "date",     "timestamp", "binary", "string"};
constexpr std::array<std::string_view, 6> kUnitFunctions = {
    "timestampadd", "dateadd", "date_add", "timestampdiff", "datediff", "date_diff"};
constexpr std::array<std::string_view, 12> kDateUnits = {
    "year", "quarter", "month",  "week",        "day",         "dayofyear",
    "hour", "minute",  "second", "millisecond", "microsecond", ""};

template <size_t N>
bool contains(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

bool is_identifier(const SqlToken& token) {
  return token.kind == TokenKind::identifier || token.kind == TokenKind::quoted;
}

ColumnPtr text_constant(std::string_view text) {
  StringBuilder builder(Type::string());
  builder.append(text);
  return builder.finish();
}

}  // namespace

ColumnPtr Parser::boolean_constant(bool value) {
  BooleanBuilder builder;
  builder.append(value);
  return builder.finish();
}

Result<AstPtr> Parser::literal(ColumnPtr value, size_t offset) const {
  Ast ast{.kind = Ast::Kind::literal, .offset = offset};
  ast.value = std::move(value);
  return make(std::move(ast));
}

Result<AstPtr> Parser::primary() {
  FLOWRUN_TRY(AstPtr inner, primary_start());
  return primary_suffixes(std::move(inner));
}

Result<AstPtr> Parser::primary_start() {
  switch (token_.kind) {
    case TokenKind::integer:
    case TokenKind::decimal:
    case TokenKind::exponent:
    case TokenKind::suffixed:
      return number();
    case TokenKind::string:
      return string_literal();
    case TokenKind::quoted:
      return name();
    case TokenKind::identifier:
      return word();
    default:
      break;
  }
  if (token_.is_symbol("-")) return number();
  if (token_.is_symbol("(")) return parenthesis();
  if (token_.is_symbol("*")) {
    Ast star{.kind = Ast::Kind::star, .offset = token_.begin};
    FLOWRUN_RETURN_IF_ERROR(advance());
    return make(std::move(star));
  }
  return unexpected("a value");
}

Result<AstPtr> Parser::primary_suffixes(AstPtr inner) {
  while (true) {
    const size_t offset = token_.begin;
    if (token_.is_symbol(".")) {
      FLOWRUN_RETURN_IF_ERROR(advance());
      Ast ast{.kind = inner->kind == Ast::Kind::name ? Ast::Kind::name : Ast::Kind::field,
              .offset = inner->offset};
      if (token_.is_symbol("*") && inner->kind == Ast::Kind::name) {
        ast.kind = Ast::Kind::star;
        ast.parts = inner->parts;
      } else if (is_identifier(token_) || token_.kind == TokenKind::integer) {
        ast.parts = inner->parts;
        ast.parts.push_back(token_.text);
        ast.text = token_.text;
        if (ast.kind == Ast::Kind::field) ast.children = {std::move(inner)};
      } else {
        return unexpected("a field's name");
      }
      FLOWRUN_RETURN_IF_ERROR(advance());
      FLOWRUN_TRY(inner, make(std::move(ast)));
    } else if (token_.is_symbol("[")) {
      FLOWRUN_RETURN_IF_ERROR(advance());
      FLOWRUN_TRY(AstPtr key, value_expression(0));
      FLOWRUN_RETURN_IF_ERROR(expect_symbol("]"));
      Ast ast{.kind = Ast::Kind::element, .offset = offset};
      ast.children = {std::move(inner), std::move(key)};
      FLOWRUN_TRY(inner, make(std::move(ast)));
    } else if (token_.is_symbol("::")) {
      FLOWRUN_RETURN_IF_ERROR(advance());
      Ast ast{.kind = Ast::Kind::cast, .offset = offset, .text = "cast"};
      FLOWRUN_TRY(ast.type, type());
      ast.children = {std::move(inner)};
      FLOWRUN_TRY(inner, make(std::move(ast)));
    } else {
      return inner;
    }
  }
}

Result<AstPtr> Parser::number() {
  const size_t offset = token_.begin;
  std::string text;
  if (token_.is_symbol("-")) {
    text = "-";
    FLOWRUN_RETURN_IF_ERROR(advance());
  }
  text += token_.text;
  auto value = number_literal(text);
  if (!value) return std::move(value.error()).at_offset(offset);
  FLOWRUN_RETURN_IF_ERROR(advance());
  return literal(std::move(*value), offset);
}

Result<AstPtr> Parser::string_literal() {
  const size_t offset = token_.begin;
  std::string text;
  while (token_.kind == TokenKind::string) {
    text += token_.text;
    FLOWRUN_RETURN_IF_ERROR(advance());
  }
  return literal(text_constant(text), offset);
}

Result<bool> Parser::lambda_ahead() const {
  FLOWRUN_TRY(SqlToken next, peek());
  if (is_identifier(token_)) return next.is_symbol("->");
  while (is_identifier(next)) {
    FLOWRUN_TRY(next, next_token(text_, next.end));
    if (next.is_symbol(")")) {
      FLOWRUN_TRY(next, next_token(text_, next.end));
      return next.is_symbol("->");
    }
    if (!next.is_symbol(",")) return false;
    FLOWRUN_TRY(next, next_token(text_, next.end));
  }
  return false;
}

Result<AstPtr> Parser::lambda() {
  Ast ast{.kind = Ast::Kind::lambda, .offset = token_.begin};
  FLOWRUN_TRY(const bool several, accept_symbol("("));
  do {
    ast.parts.push_back(token_.text);
    FLOWRUN_RETURN_IF_ERROR(advance());
    if (!several || !token_.is_symbol(",")) break;
    FLOWRUN_RETURN_IF_ERROR(advance());
  } while (true);
  if (several) FLOWRUN_RETURN_IF_ERROR(expect_symbol(")"));
  FLOWRUN_RETURN_IF_ERROR(expect_symbol("->"));
  FLOWRUN_TRY(AstPtr body, expression());
  ast.children = {std::move(body)};
  return make(std::move(ast));
}

Result<AstPtr> Parser::parenthesis() {
  FLOWRUN_TRY(const bool is_lambda, lambda_ahead());
  if (is_lambda) return lambda();
  const size_t offset = token_.begin;
  FLOWRUN_RETURN_IF_ERROR(advance());
  FLOWRUN_TRY(AstPtr first, named_expression());
  if (!token_.is_symbol(",")) {
    FLOWRUN_RETURN_IF_ERROR(expect_symbol(")"));
    return first;
  }
  Ast row{.kind = Ast::Kind::row, .offset = offset};
  row.children = {std::move(first)};
  while (token_.is_symbol(",")) {
    FLOWRUN_RETURN_IF_ERROR(advance());
    FLOWRUN_TRY(row.children.emplace_back(), named_expression());
  }
  FLOWRUN_RETURN_IF_ERROR(expect_symbol(")"));
  return make(std::move(row));
}

Result<AstPtr> Parser::word() {
  FLOWRUN_TRY(const SqlToken next, peek());
  const std::string lower = lower_name(token_.text);
  const size_t offset = token_.begin;
  if (next.is_symbol("->")) return lambda();
  if (lower == "case") return case_expression();
  if ((lower == "cast" || lower == "try_cast") && next.is_symbol("("))
    return cast_expression(lower == "try_cast");
  if (next.kind == TokenKind::string && is_literal_type(lower)) {
    auto value = typed_literal(lower, next.text);
    if (!value) return std::move(value.error()).at_offset(offset);
    FLOWRUN_RETURN_IF_ERROR(advance());
    FLOWRUN_RETURN_IF_ERROR(advance());
    return literal(std::move(*value), offset);
  }
  const bool signed_next = next.is_symbol("-") || next.is_symbol("+");
  if (lower == "interval" && (next.kind == TokenKind::string || next.kind == TokenKind::integer ||
                              next.kind == TokenKind::decimal || signed_next)) {
    return interval();
  }
  if (next.is_symbol("(")) {
    FLOWRUN_RETURN_IF_ERROR(advance());
    return call(lower);
  }
  if (lower == "null" || lower == "true" || lower == "false") {
    FLOWRUN_RETURN_IF_ERROR(advance());
    return literal(
        lower == "null" ? null_column(Type::null(), 1) : boolean_constant(lower == "true"), offset);
  }
  return name();
}

Result<AstPtr> Parser::name() {
  Ast ast{.kind = Ast::Kind::name, .offset = token_.begin};
  ast.parts = {token_.text};
  FLOWRUN_RETURN_IF_ERROR(advance());
  return make(std::move(ast));
}

Result<AstPtr> Parser::case_expression() {
  Ast ast{.kind = Ast::Kind::case_, .offset = token_.begin};
  FLOWRUN_RETURN_IF_ERROR(advance());
  AstPtr operand;
  if (!token_.is_word("when")) {
    FLOWRUN_TRY(operand, expression());
  }
  if (!token_.is_word("when")) return unexpected("`WHEN`");
  while (token_.is_word("when")) {
    FLOWRUN_RETURN_IF_ERROR(advance());
    FLOWRUN_TRY(AstPtr condition, expression());
    if (operand) {
      const size_t offset = condition->offset;
      FLOWRUN_TRY(condition, make_call("=", {operand, std::move(condition)}, offset));
    }
    FLOWRUN_RETURN_IF_ERROR(expect_word("then"));
    ast.children.push_back(std::move(condition));
    FLOWRUN_TRY(ast.children.emplace_back(), expression());
  }
  if (token_.is_word("else")) {
    FLOWRUN_RETURN_IF_ERROR(advance());
    FLOWRUN_TRY(ast.children.emplace_back(), expression());
  }
  FLOWRUN_RETURN_IF_ERROR(expect_word("end"));
  return make(std::move(ast));
}

Result<AstPtr> Parser::cast_expression(bool with_try) {
  Ast ast{.kind = Ast::Kind::cast, .offset = token_.begin, .text = with_try ? "try_cast" : "cast"};
  FLOWRUN_RETURN_IF_ERROR(advance());
  FLOWRUN_RETURN_IF_ERROR(expect_symbol("("));
  FLOWRUN_TRY(AstPtr inner, expression());
  FLOWRUN_RETURN_IF_ERROR(expect_word("as"));
  FLOWRUN_TRY(ast.type, type());
  FLOWRUN_RETURN_IF_ERROR(expect_symbol(")"));
  ast.children = {std::move(inner)};
  return make(std::move(ast));
}

// Finds where the type's text ends, and leaves its meaning to parse_type.
Result<Type> Parser::type() {
  const size_t begin = token_.begin;
  if (!is_identifier(token_)) return unexpected("a type");
  size_t end = token_.end;
  const auto skip_blanks = [&](size_t at) {
    while (at < text_.size() && (text_[at] == ' ' || text_[at] == '\n' || text_[at] == '\t')) ++at;
    return at;
  };
  if (token_.is_word("interval")) {
    FLOWRUN_RETURN_IF_ERROR(advance());
    end = last_end_;
    while (is_interval_unit(lower_name(token_.text)) || token_.is_word("to")) {
      FLOWRUN_RETURN_IF_ERROR(advance());
      end = last_end_;
    }
  } else if (const size_t open = skip_blanks(end);
             open < text_.size() && (text_[open] == '(' || text_[open] == '<')) {
    int depth = 0;
    for (end = open; end < text_.size(); ++end) {
      if (text_[end] == '(' || text_[end] == '<') ++depth;
      if (text_[end] == ')' || text_[end] == '>') --depth;
      if (depth == 0) break;
    }
    if (depth != 0) return Error::invalid("a type is not closed").at_offset(begin);
    ++end;
  }
  auto parsed = parse_type(text_.substr(begin, end - begin));
  if (!parsed) return std::move(parsed.error()).at_offset(begin);
  FLOWRUN_RETURN_IF_ERROR(move_to(end));
  return std::move(*parsed);
}

Result<AstPtr> Parser::interval() {
  const size_t offset = token_.begin;
  FLOWRUN_RETURN_IF_ERROR(advance());
  if (token_.kind == TokenKind::string) {
    FLOWRUN_TRY(const SqlToken unit, peek());
    if (unit.kind != TokenKind::identifier || !is_interval_unit(lower_name(unit.text))) {
      auto value = interval_literal(token_.text);
      if (!value) return std::move(value.error()).at_offset(offset);
      FLOWRUN_RETURN_IF_ERROR(advance());
      return literal(std::move(*value), offset);
    }
    FLOWRUN_TRY(const SqlToken to, next_token(text_, unit.end));
    if (to.is_word("to")) return interval_text(offset);
  }
  return interval_parts(offset);
}

// '1-2' YEAR TO MONTH
Result<AstPtr> Parser::interval_text(size_t offset) {
  const std::string text = token_.text;
  FLOWRUN_RETURN_IF_ERROR(advance());
  const std::string from = lower_name(token_.text);
  FLOWRUN_RETURN_IF_ERROR(advance());
  FLOWRUN_RETURN_IF_ERROR(advance());
  auto value = interval_literal(text, from, lower_name(token_.text));
  if (!value) return std::move(value.error()).at_offset(offset);
  FLOWRUN_RETURN_IF_ERROR(advance());
  return literal(std::move(*value), offset);
}

// 1 DAY 2 HOURS
Result<AstPtr> Parser::interval_parts(size_t offset) {
  std::vector<IntervalPart> parts;
  while (true) {
    SqlToken value = token_;
    std::string sign;
    if (value.is_symbol("-") || value.is_symbol("+")) {
      sign = value.is_symbol("-") ? "-" : "";
      FLOWRUN_TRY(value, peek());
    }
    if (value.kind != TokenKind::integer && value.kind != TokenKind::decimal &&
        value.kind != TokenKind::string)
      break;
    FLOWRUN_TRY(const SqlToken unit, next_token(text_, value.end));
    if (unit.kind != TokenKind::identifier || !is_interval_unit(lower_name(unit.text))) break;
    parts.push_back({sign + value.text, lower_name(unit.text)});
    FLOWRUN_RETURN_IF_ERROR(move_to(unit.end));
  }
  if (parts.empty()) return unexpected("a number and a unit behind INTERVAL, such as 10 seconds");
  auto value = interval_literal(parts);
  if (!value) return std::move(value.error()).at_offset(offset);
  return literal(std::move(*value), offset);
}

// token_ is the opening parenthesis.
Result<AstPtr> Parser::call(std::string function) {
  Ast ast{.kind = Ast::Kind::call, .offset = last_end_ - function.size(), .text = function};
  FLOWRUN_RETURN_IF_ERROR(advance());
  if (function == "trim") return trim();
  if (function == "extract") return extract();
  if (contains(kUnitFunctions, function) && token_.kind == TokenKind::identifier &&
      contains(kDateUnits, lower_name(token_.text))) {
    FLOWRUN_TRY(const SqlToken next, peek());
    if (next.is_symbol(",")) return unit_call(function);
  }
  ast.text = std::move(function);
  FLOWRUN_RETURN_IF_ERROR(call_arguments(ast));
  FLOWRUN_RETURN_IF_ERROR(call_clauses(ast));
  if (contains(kCastFunctions, ast.text)) {
    if (ast.children.size() != 1) {
      return Error::invalid(
                 fmt::format("`{}` takes 1 argument; got {}", ast.text, ast.children.size()))
          .at_offset(ast.offset);
    }
    ast.kind = Ast::Kind::cast;
    FLOWRUN_TRY(ast.type, parse_type(ast.text));
    ast.text.clear();  // int(x) shows no cast in names
  }
  return make(std::move(ast));
}

// The arguments up to the closing parenthesis; keywords between them stand for commas:
// substring(s from 2 for 3), position(a in b), overlay(a placing b from c for d).
Status Parser::call_arguments(Ast& ast) {
  FLOWRUN_TRY(ast.distinct, accept_word("distinct"));
  if (!ast.distinct && token_.is_word("all")) FLOWRUN_RETURN_IF_ERROR(advance());
  FLOWRUN_TRY(const bool empty, accept_symbol(")"));
  if (empty) return {};
  const auto separates = [&] {
    if (ast.text == "substring" || ast.text == "substr")
      return token_.is_word("from") || token_.is_word("for");
    if (ast.text == "overlay") {
      return token_.is_word("placing") || token_.is_word("from") || token_.is_word("for");
    }
    return ast.text == "position" && token_.is_word("in");
  };
  while (true) {
    if (ast.text == "struct") {
      FLOWRUN_TRY(ast.children.emplace_back(), named_expression());
    } else if (ast.text == "position" && ast.children.empty()) {
      FLOWRUN_TRY(ast.children.emplace_back(), value_expression(0));
    } else {
      FLOWRUN_TRY(ast.children.emplace_back(), expression());
    }
    if (token_.is_word("in") && ast.text == "position") ast.text = "locate";
    if (!token_.is_symbol(",") && !separates() && !(ast.text == "locate" && token_.is_word("in")))
      break;
    FLOWRUN_RETURN_IF_ERROR(advance());
  }
  if (token_.is_word("ignore") || token_.is_word("respect")) {
    ast.ignore_nulls = token_.is_word("ignore");
    FLOWRUN_RETURN_IF_ERROR(advance());
    FLOWRUN_RETURN_IF_ERROR(expect_word("nulls"));
  }
  return expect_symbol(")");
}

// value [ASC | DESC] [NULLS FIRST | NULLS LAST]; nulls are the least unless it is said.
Result<Ast::OrderItem> Parser::order_item() {
  Ast::OrderItem item;
  FLOWRUN_TRY(item.value, expression());
  FLOWRUN_TRY(item.direction.descending, accept_word("desc"));
  if (!item.direction.descending) FLOWRUN_RETURN_IF_ERROR(accept_word("asc"));
  item.direction.nulls_first = !item.direction.descending;
  FLOWRUN_TRY(const bool says_nulls, accept_word("nulls"));
  if (says_nulls) {
    FLOWRUN_TRY(item.direction.nulls_first, accept_word("first"));
    if (!item.direction.nulls_first) FLOWRUN_RETURN_IF_ERROR(expect_word("last"));
  }
  return item;
}

// What may follow a call: WITHIN GROUP, FILTER, IGNORE NULLS.
Status Parser::call_clauses(Ast& ast) {
  if (token_.is_word("within")) {
    FLOWRUN_RETURN_IF_ERROR(advance());
    FLOWRUN_RETURN_IF_ERROR(expect_word("group"));
    FLOWRUN_RETURN_IF_ERROR(expect_symbol("("));
    FLOWRUN_RETURN_IF_ERROR(expect_word("order"));
    FLOWRUN_RETURN_IF_ERROR(expect_word("by"));
    bool more = false;
    do {
      FLOWRUN_TRY(ast.order_by.emplace_back(), order_item());
      FLOWRUN_TRY(more, accept_symbol(","));
    } while (more);
    FLOWRUN_RETURN_IF_ERROR(expect_symbol(")"));
  }
  FLOWRUN_TRY(const SqlToken next, peek());
  if (token_.is_word("filter") && next.is_symbol("(")) {
    FLOWRUN_RETURN_IF_ERROR(advance());
    FLOWRUN_RETURN_IF_ERROR(advance());
    FLOWRUN_RETURN_IF_ERROR(expect_word("where"));
    FLOWRUN_TRY(ast.filter, expression());
    FLOWRUN_RETURN_IF_ERROR(expect_symbol(")"));
  }
  if ((token_.is_word("ignore") || token_.is_word("respect")) && next.is_word("nulls")) {
    ast.ignore_nulls = token_.is_word("ignore");
    FLOWRUN_RETURN_IF_ERROR(advance());
    FLOWRUN_RETURN_IF_ERROR(advance());
  }
  if (token_.is_word("over") && next.is_symbol("(")) {
    return Error::invalid(
               "window functions (OVER) are not for streams — aggregate with group_by or window")
        .at_offset(token_.begin);
  }
  return {};
}

// trim([BOTH | LEADING | TRAILING] [characters] FROM text), or the plain function.
Result<AstPtr> Parser::trim() {
  const size_t offset = token_.begin;
  std::string function = "trim";
  bool keyword = true;
  if (token_.is_word("leading")) {
    function = "ltrim";
  } else if (token_.is_word("trailing")) {
    function = "rtrim";
  } else {
    keyword = token_.is_word("both");
  }
  if (keyword) FLOWRUN_RETURN_IF_ERROR(advance());
  AstPtr characters;
  if (!keyword || !token_.is_word("from")) {
    FLOWRUN_TRY(characters, expression());
  }
  if (!keyword && !token_.is_word("from")) {
    std::vector<AstPtr> children{std::move(characters)};
    while (token_.is_symbol(",")) {
      FLOWRUN_RETURN_IF_ERROR(advance());
      FLOWRUN_TRY(children.emplace_back(), expression());
    }
    FLOWRUN_RETURN_IF_ERROR(expect_symbol(")"));
    return make_call(function, std::move(children), offset);
  }
  FLOWRUN_RETURN_IF_ERROR(expect_word("from"));
  FLOWRUN_TRY(AstPtr text, expression());
  FLOWRUN_RETURN_IF_ERROR(expect_symbol(")"));
  if (!characters) return make_call(function, {std::move(text)}, offset);
  return make_call(function, {std::move(characters), std::move(text)}, offset);
}

// extract(field FROM source); the field's name becomes a text argument.
Result<AstPtr> Parser::extract() {
  const size_t offset = token_.begin;
  if (!is_identifier(token_) && token_.kind != TokenKind::string)
    return unexpected("a field such as YEAR");
  FLOWRUN_TRY(AstPtr field, literal(text_constant(token_.text), offset));
  FLOWRUN_RETURN_IF_ERROR(advance());
  FLOWRUN_RETURN_IF_ERROR(expect_word("from"));
  FLOWRUN_TRY(AstPtr source, expression());
  FLOWRUN_RETURN_IF_ERROR(expect_symbol(")"));
  return make_call("extract", {std::move(field), std::move(source)}, offset);
}

// timestampadd(DAY, 2, ts): the unit becomes a text argument.
Result<AstPtr> Parser::unit_call(const std::string& function) {
  const size_t offset = token_.begin;
  const bool adds = function == "timestampadd" || function == "dateadd" || function == "date_add";
  std::vector<AstPtr> children;
  FLOWRUN_TRY(children.emplace_back(), literal(text_constant(token_.text), offset));
  FLOWRUN_RETURN_IF_ERROR(advance());
  while (token_.is_symbol(",")) {
    FLOWRUN_RETURN_IF_ERROR(advance());
    FLOWRUN_TRY(children.emplace_back(), expression());
  }
  FLOWRUN_RETURN_IF_ERROR(expect_symbol(")"));
  return make_call(adds ? "timestampadd" : "timestampdiff", std::move(children), offset);
}

}  // namespace flowrun
