#include "runtime/expr/join_condition.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "runtime/expr/bound_expression.h"
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

std::optional<JoinCondition::Equality> as_equality(const Expression& conjunct, size_t num_left) {
  const auto* bound = dynamic_cast<const BoundExpression*>(&conjunct);
  const auto* call = bound ? dynamic_cast<const CallNode*>(bound->root().get()) : nullptr;
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

JoinCondition take_apart(std::vector<ExpressionPtr> conjuncts, size_t num_left) {
  JoinCondition condition;
  for (ExpressionPtr& conjunct : conjuncts) {
    if (auto equality = as_equality(*conjunct, num_left)) {
      condition.equalities.push_back(std::move(*equality));
    } else {
      condition.rest.push_back(std::move(conjunct));
    }
  }
  return condition;
}

}  // namespace

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
  return take_apart(std::move(conjuncts), left.num_fields());
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
  return take_apart(std::move(conjuncts), num_left);
}

}  // namespace flowrun
