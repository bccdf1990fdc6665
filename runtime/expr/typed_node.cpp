#include "runtime/expr/typed_node.h"

#include <algorithm>
#include <functional>

#include "runtime/base/check.h"
#include "runtime/expr/cast.h"

namespace flowrun {

namespace {

void collect_columns(const TypedNode& node, std::vector<size_t>& columns) {
  if (const auto* column = dynamic_cast<const ColumnNode*>(&node))
    columns.push_back(column->index());
  for (const TypedPtr& child : node.children) collect_columns(*child, columns);
}

}  // namespace

void TypedNode::inherit() {
  for (const TypedPtr& child : children) {
    deterministic = deterministic && child->deterministic;
    foldable = foldable && child->foldable;
    fallible = fallible || child->fallible;
  }
}

bool same_computation(const TypedNode& a, const TypedNode& b) {
  if (!(a.type == b.type) || a.children.size() != b.children.size() || a.identity() != b.identity())
    return false;
  for (size_t i = 0; i < a.children.size(); ++i) {
    if (!same_computation(*a.children[i], *b.children[i])) return false;
  }
  return a.deterministic && b.deterministic;
}

ConstantNode::ConstantNode(ColumnPtr value, std::string node_name) : value_(std::move(value)) {
  type = value_->type();
  name = std::move(node_name);
  nullable = value_->is_null(0);
}

MutableTypedPtr ConstantNode::with_children(std::vector<TypedPtr>) const {
  auto node = std::make_shared<ConstantNode>(value_, name);
  node->is_literal = is_literal;
  return node;
}

std::string ConstantNode::identity() const { return "constant " + name; }

ColumnNode::ColumnNode(size_t index, Type column_type, std::string node_name, bool is_nullable)
    : index_(index) {
  type = std::move(column_type);
  name = std::move(node_name);
  nullable = is_nullable;
  foldable = false;
}

MutableTypedPtr ColumnNode::with_children(std::vector<TypedPtr>) const {
  return std::make_shared<ColumnNode>(index_, type, name, nullable);
}

VariableNode::VariableNode(size_t slot, Type variable_type, bool is_nullable) : slot_(slot) {
  type = std::move(variable_type);
  name = "namedlambdavariable()";
  nullable = is_nullable;
  foldable = false;
}

MutableTypedPtr VariableNode::with_children(std::vector<TypedPtr>) const {
  return std::make_shared<VariableNode>(slot_, type, nullable);
}

CallNode::CallNode(const ScalarFunction& function, BoundFunction bound,
                   std::vector<TypedPtr> arguments, std::string node_name)
    : function_(function), bound_(std::move(bound)) {
  type = bound_.result;
  name = std::move(node_name);
  children = std::move(arguments);
  deterministic = function.deterministic;
  foldable = function.foldable;
  fallible = function.fallible;
  nullable = bound_.adds_nulls ||
             std::ranges::any_of(children, [](const TypedPtr& child) { return child->nullable; });
  inherit();
}

Result<Datum> CallNode::evaluate(const Frame& frame) const {
  std::vector<Datum> arguments;
  arguments.reserve(children.size());
  for (const TypedPtr& child : children) {
    FLOWRUN_TRY(arguments.emplace_back(), child->evaluate(frame));
  }
  return bound_.kernel(CallContext{frame.evaluation, frame.zone, frame.num_rows}, arguments);
}

MutableTypedPtr CallNode::with_children(std::vector<TypedPtr> arguments) const {
  return std::make_shared<CallNode>(function_, bound_, std::move(arguments), name);
}

CastNode::CastNode(TypedPtr inner, Type target, std::string node_name, Kind kind) : kind_(kind) {
  type = std::move(target);
  name = std::move(node_name);
  nullable = inner->nullable || kind == Kind::tried || cast_adds_nulls(inner->type, type);
  children.push_back(std::move(inner));
  inherit();
}

Result<Datum> CastNode::evaluate(const Frame& frame) const {
  FLOWRUN_TRY(Datum inner, children[0]->evaluate(frame));
  FLOWRUN_TRY(ColumnPtr column, kind_ == Kind::tried ? try_cast(inner.column, type, frame.zone)
                                                     : cast(inner.column, type, frame.zone));
  return Datum{std::move(column), inner.constant};
}

MutableTypedPtr CastNode::with_children(std::vector<TypedPtr> inner) const {
  return std::make_shared<CastNode>(std::move(inner[0]), type, name, kind_);
}

FrameSelection::FrameSelection(const Frame& frame, std::span<const int32_t> rows,
                               const TypedNode& reader)
    : base_(frame), num_rows_(static_cast<int64_t>(rows.size())), columns_(frame.columns.size()) {
  for (const size_t index : columns_read(reader))
    columns_[index] = take(*frame.columns[index], rows);
  for (const Datum& variable : frame.variables) {
    variables_.push_back(variable.constant ? variable : Datum{take(*variable.column, rows), false});
  }
}

void FrameSelection::add_variable(ColumnPtr column) {
  variables_.push_back({std::move(column), false});
}

Frame FrameSelection::frame() const {
  return {num_rows_, columns_, variables_, base_.evaluation, base_.zone};
}

std::vector<size_t> columns_read(const TypedNode& node) {
  std::vector<size_t> columns;
  collect_columns(node, columns);
  std::ranges::sort(columns);
  columns.erase(std::ranges::unique(columns).begin(), columns.end());
  return columns;
}

TypedPtr fold(TypedPtr node, const TimeZone& zone) {
  if (!node->foldable || dynamic_cast<const ConstantNode*>(node.get()) != nullptr) return node;
  const EvaluationContext evaluation;
  const auto value = node->evaluate(Frame{1, {}, {}, evaluation, zone});
  if (!value.has_value()) return node;  // it fails where it is evaluated, if it ever is
  ColumnPtr column = value->column;
  if (column->size() != 1) column = column->slice(0, 1);
  auto constant = std::make_shared<ConstantNode>(std::move(column), node->name);
  constant->nullable = node->nullable && constant->nullable;
  return constant;
}

}  // namespace flowrun
