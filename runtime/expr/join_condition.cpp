#include "runtime/expr/join_condition.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string_view>

#include "runtime/base/check.h"
#include "runtime/expr/bound_expression.h"
#include "runtime/expr/lazy_nodes.h"
#include "runtime/expr/typed_node.h"

namespace flowrun {

namespace {

enum class Side : uint8_t { none, left, right, both };

Side side_of(const TypedNode& node, size_t num_left) {
  const std::vector<size_t> columns = columns_read(node);
  if (columns.empty()) return Side::none;
  if (columns.back() < num_left) return Side::left;
  return columns.front() >= num_left ? Side::right : Side::both;
}

// The same tree over columns whose numbers are `by` less.
TypedPtr shift_columns(const TypedPtr& node, size_t by) {
  if (by == 0) return node;
  if (const auto* column = dynamic_cast<const ColumnNode*>(node.get())) {
    return std::make_shared<ColumnNode>(column->index() - by, column->type, column->name,
                                        column->nullable);
  }
  if (node->children.empty()) return node;
  std::vector<TypedPtr> children;
  for (const TypedPtr& child : node->children) children.push_back(shift_columns(child, by));
  return node->with_children(std::move(children));
}

ExpressionPtr expression_of(const TypedPtr& node, size_t shift) {
  return std::make_shared<BoundExpression>(shift_columns(node, shift), node->name);
}

const TypedPtr& root_of(const Expression& expression) {
  const auto* bound = dynamic_cast<const BoundExpression*>(&expression);
  FLOWRUN_CHECK(bound, "every expression of a binder is a BoundExpression");
  return bound->root();
}

std::optional<JoinCondition::Equality> as_equality(const Expression& conjunct, size_t num_left) {
  const auto* call = dynamic_cast<const CallNode*>(root_of(conjunct).get());
  if (!call || !call->deterministic || call->children.size() != 2) return std::nullopt;
  const bool null_safe = call->function() == "<=>" || call->function() == "equal_null";
  if (!null_safe && call->function() != "compare =") return std::nullopt;
  TypedPtr left = call->children[0];
  TypedPtr right = call->children[1];
  if (side_of(*left, num_left) == Side::right) std::swap(left, right);
  if (side_of(*left, num_left) != Side::left || side_of(*right, num_left) != Side::right)
    return std::nullopt;
  if (!(left->type == right->type) || left->type.id() == TypeId::map) return std::nullopt;
  return JoinCondition::Equality{expression_of(left, 0), expression_of(right, num_left), null_safe};
}

// What AND joins below the top, as BETWEEN does.
void split(const ExpressionPtr& conjunct, std::vector<ExpressionPtr>& parts) {
  const TypedPtr& root = root_of(*conjunct);
  const auto* logic = dynamic_cast<const LogicNode*>(root.get());
  if (!logic || !logic->is_and()) return parts.push_back(conjunct);
  for (const TypedPtr& child : root->children) split(expression_of(child, 0), parts);
}

JoinCondition take_apart(const std::vector<ExpressionPtr>& conjuncts, size_t num_left) {
  JoinCondition condition;
  std::vector<ExpressionPtr> parts;
  for (const ExpressionPtr& conjunct : conjuncts) split(conjunct, parts);
  for (ExpressionPtr& conjunct : parts) {
    if (auto equality = as_equality(*conjunct, num_left)) {
      condition.equalities.push_back(std::move(*equality));
    } else {
      condition.rest.push_back(std::move(conjunct));
    }
  }
  return condition;
}

// Gives null wherever something that it reads is null.
bool passes_nulls_on(const TypedNode& node) {
  static constexpr std::array<std::string_view, 12> kCalls{
      "compare =", "compare <",          "compare <=", "compare >", "compare >=",
      "not",       "instant + interval", "numeric +",  "numeric -", "numeric *",
      "unary -",   "instant - interval"};
  if (const auto* call = dynamic_cast<const CallNode*>(&node);
      call && std::ranges::find(kCalls, call->function()) == kCalls.end())
    return false;
  const bool known = dynamic_cast<const CallNode*>(&node) || dynamic_cast<const CastNode*>(&node) ||
                     dynamic_cast<const ColumnNode*>(&node) ||
                     dynamic_cast<const ConstantNode*>(&node);
  return known && std::ranges::all_of(
                      node.children, [](const TypedPtr& child) { return passes_nulls_on(*child); });
}

}  // namespace

SideConditions take_side_conditions(JoinCondition& condition, size_t num_left) {
  SideConditions sides;
  std::erase_if(condition.rest, [&](const ExpressionPtr& conjunct) {
    if (!conjunct->deterministic()) return false;
    switch (side_of(*root_of(*conjunct), num_left)) {
      case Side::left:
        sides.left.push_back(conjunct);
        return true;
      case Side::right:
        sides.right.push_back(expression_of(root_of(*conjunct), num_left));
        return true;
      default:
        return false;
    }
  });
  return sides;
}

std::vector<size_t> columns_that_must_be(const JoinCondition& condition, size_t num_left) {
  std::set<size_t> columns;
  const auto add = [&](const ExpressionPtr& expression, size_t shift) {
    if (!passes_nulls_on(*root_of(*expression))) return;
    for (const size_t column : expression->columns()) columns.insert(column + shift);
  };
  for (const JoinCondition::Equality& equality : condition.equalities) {
    if (equality.null_safe) continue;
    add(equality.left, 0);
    add(equality.right, num_left);
  }
  for (const ExpressionPtr& conjunct : condition.rest) add(conjunct, 0);
  return {columns.begin(), columns.end()};
}

ExpressionPtr not_null_condition(const Schema& schema, size_t index,
                                 const ExpressionEnvironment& environment) {
  std::vector<Field> fields;  // names of our own: those of the schema may repeat
  for (const Field& field : schema.fields())
    fields.push_back({fmt::format("c{}", fields.size()), field.type});
  const Binder binder({Schema::make(std::move(fields))}, environment);
  auto bound = binder.bind(fmt::format("c{} is not null", index));
  FLOWRUN_CHECK(bound, "every column may be tested for null");
  return std::move(*bound);
}

SchemaPtr joined_schema(const Schema& left, const Schema& right) {
  std::vector<Field> fields(left.fields().begin(), left.fields().end());
  fields.insert(fields.end(), right.fields().begin(), right.fields().end());
  return Schema::make(std::move(fields));
}

Result<JoinCondition> bind_join_condition(std::string_view text, const Schema& left,
                                          const Schema& right,
                                          const ExpressionEnvironment& environment) {
  const Binder binder({joined_schema(left, right)}, environment);
  FLOWRUN_TRY(std::vector<ExpressionPtr> conjuncts, binder.bind_conjuncts(text));
  return take_apart(conjuncts, left.num_fields());
}

Result<JoinCondition> bind_join_columns(const std::vector<std::pair<size_t, size_t>>& columns,
                                        const Schema& left, const Schema& right,
                                        const ExpressionEnvironment& environment) {
  // Names of our own, since those of the sides are equal.
  std::vector<Field> fields;
  for (const Field& field : left.fields())
    fields.push_back({fmt::format("l{}", fields.size()), field.type});
  for (const Field& field : right.fields())
    fields.push_back({fmt::format("r{}", fields.size()), field.type});
  const size_t num_left = left.num_fields();
  const Binder binder({Schema::make(std::move(fields))}, environment);
  std::vector<ExpressionPtr> conjuncts;
  for (const auto& [first, second] : columns) {
    auto equal = binder.bind(fmt::format("l{} = r{}", first, num_left + second));
    if (!equal) {
      return Error::invalid(
          fmt::format("`{}` is {} on one side and {} on the other, which cannot be compared — cast "
                      "one of them before the join",
                      left.field(first).name, left.field(first).type.simple_string(),
                      right.field(second).type.simple_string()));
    }
    conjuncts.push_back(std::move(*equal));
  }
  return take_apart(conjuncts, num_left);
}

}  // namespace flowrun
