// Aggregate expressions: the calls are cut out of the typed tree, columns of keys and results put
// in.
#include <fmt/format.h>

#include <algorithm>

#include "runtime/columnar/builder.h"
#include "runtime/expr/analyzer.h"
#include "runtime/expr/bound_expression.h"
#include "runtime/expr/coercion.h"
#include "runtime/expr/scalar.h"
#include "runtime/format/time_zone.h"

namespace flowrun {

AggregateNode::AggregateNode(AggregateCall aggregate_call, std::vector<TypedPtr> arguments,
                             std::string node_name)
    : call_(std::move(aggregate_call)) {
  type = call_.type;
  name = std::move(node_name);
  nullable = call_.nullable;
  foldable = false;
  children = std::move(arguments);
}

Result<Datum> AggregateNode::evaluate(const Frame&) const {
  return Error::invalid(
      fmt::format("`{}` is an aggregate and has no value for a single row", call_.function));
}

MutableTypedPtr AggregateNode::with_children(std::vector<TypedPtr> arguments) const {
  return std::make_shared<AggregateNode>(call_, std::move(arguments), name);
}

std::string AggregateNode::identity() const {
  std::string order;
  for (const SortDirection& item : call_.order)
    order += fmt::format(" {}{}", item.descending ? "desc" : "asc", item.nulls_first ? 1 : 0);
  return fmt::format("aggregate {} {} {} {}{}", call_.function, call_.distinct, call_.star,
                     call_.filter != nullptr, order);
}

GroupingNode::GroupingNode(std::vector<TypedPtr> keys, bool of_one_key, std::string node_name)
    : of_one_key_(of_one_key) {
  type = of_one_key ? Type::tinyint() : Type::bigint();
  name = std::move(node_name);
  nullable = false;
  foldable = false;
  children = std::move(keys);
}

Result<Datum> GroupingNode::evaluate(const Frame&) const {
  return Error::invalid("grouping() has a value only in a cube, a rollup or grouping sets");
}

MutableTypedPtr GroupingNode::with_children(std::vector<TypedPtr> keys) const {
  return std::make_shared<GroupingNode>(std::move(keys), of_one_key_, name);
}

Result<TypedPtr> Analyzer::grouping(const Ast& ast) {
  if (!aggregates_allowed_) {
    return Error::invalid(
        fmt::format("`{}` is not allowed here — it belongs into agg of a cube, rollup or "
                    "grouping sets",
                    ast.text));
  }
  FLOWRUN_TRY(std::vector<TypedPtr> keys, arguments(ast));
  const bool of_one_key = ast.text == "grouping";
  if (of_one_key && keys.size() != 1)
    return Error::invalid("`grouping` takes 1 argument, a grouping column");
  std::string text;
  for (const TypedPtr& key : keys) text += (text.empty() ? "" : ", ") + key->name;
  return TypedPtr(std::make_shared<GroupingNode>(std::move(keys), of_one_key,
                                                 fmt::format("{}({})", ast.text, text)));
}

namespace {

// As Spark names it: the value that is aggregated plainly, what orders the rows in full.
std::string order_text(std::span<const TypedPtr> values, std::span<const SortDirection> order,
                       AggregateFunction::OrderUse use) {
  if (values.empty()) return {};
  std::string text;
  for (size_t i = 0; i < values.size(); ++i) {
    const bool down = order[i].descending;
    text += (i > 0 ? ", " : "") + values[i]->name;
    if (use == AggregateFunction::OrderUse::rows) {
      text += down ? " DESC" : " ASC";
      text += order[i].nulls_first ? " NULLS FIRST" : " NULLS LAST";
    } else if (down) {
      text += " DESC";
    }
  }
  return " WITHIN GROUP (ORDER BY " + text + ")";
}

}  // namespace

Result<std::vector<TypedPtr>> Analyzer::order_values(const Ast& ast) {
  aggregates_allowed_ = false;
  std::vector<TypedPtr> values;
  Status status;
  for (const Ast::OrderItem& item : ast.order_by) {
    auto value = analyze(*item.value);
    if (!value) {
      status = std::move(value.error());
      break;
    }
    if (!is_orderable((*value)->type)) {
      status = Error::invalid(fmt::format("{} ({}) has no order", (*value)->name,
                                          (*value)->type.simple_string()))
                   .at_offset(item.value->offset);
      break;
    }
    values.push_back(std::move(*value));
  }
  aggregates_allowed_ = true;
  FLOWRUN_RETURN_IF_ERROR(std::move(status));
  return values;
}

Result<TypedPtr> Analyzer::aggregate(const Ast& ast, const AggregateFunction& function) {
  if (!aggregates_allowed_) {
    return Error::invalid(
        fmt::format("the aggregate `{}` is not allowed here — it belongs into agg", ast.text));
  }
  aggregates_allowed_ = false;  // none inside one another
  auto nodes = arguments(ast);
  aggregates_allowed_ = true;
  if (!nodes) return std::move(nodes.error());
  AggregateCall call{.function = function.name(),
                     .arguments = {},
                     .distinct = ast.distinct,
                     .star = false,
                     .filter = {},
                     .type = {}};
  FLOWRUN_TRY(std::vector<TypedPtr> order, order_values(ast));
  for (const Ast::OrderItem& item : ast.order_by) call.order.push_back(item.direction);
  const std::string order_name = order_text(order, call.order, function.order_use());
  const bool only_star = ast.children.size() == 1 && ast.children[0]->kind == Ast::Kind::star;
  call.star = only_star && !ast.distinct && function.name() == "count";
  if (call.star) *nodes = {CallSite::constant(constant_int(1))};
  std::vector<std::string> names;
  for (const TypedPtr& node : *nodes) names.push_back(node->name);
  if (ast.ignore_nulls) nodes->push_back(CallSite::constant(constant_bool(true)));
  const bool first = function.order_use() == AggregateFunction::OrderUse::value;
  nodes->insert(first ? nodes->begin() : nodes->end(), order.begin(), order.end());
  std::vector<Type> types;
  std::vector<ColumnPtr> constants;
  for (const TypedPtr& node : *nodes) {
    const auto* constant = dynamic_cast<const ConstantNode*>(node.get());
    types.push_back(node->type);
    constants.push_back(constant == nullptr ? nullptr : constant->value());
  }
  FLOWRUN_TRY(const AggregateFunction::Signature signature,
              function.resolve_ordered(types, constants, call.order));
  for (size_t i = 0; i < nodes->size(); ++i) {
    TypedPtr node = (*nodes)[i];
    if (i < signature.arguments.size()) node = cast_to(std::move(node), signature.arguments[i]);
    (*nodes)[i] = node;
    if (!call.star) call.arguments.push_back(std::make_shared<BoundExpression>(node, node->name));
  }
  call.type = signature.result;
  call.nullable = signature.nullable;
  std::string node_name = function.column_name(names, ast.distinct) + order_name;
  if (ast.filter) {
    aggregates_allowed_ = false;
    auto filter = analyze(*ast.filter);
    aggregates_allowed_ = true;
    if (!filter) return std::move(filter.error());
    if (!implicit_cast((*filter)->type, Type::boolean())) {
      return Error::invalid(fmt::format("FILTER (WHERE {}) is {} — it takes boolean",
                                        (*filter)->name, (*filter)->type.simple_string()))
          .at_offset(ast.filter->offset);
    }
    node_name += fmt::format(" FILTER (WHERE {})", (*filter)->name);
    TypedPtr truth = cast_to(std::move(*filter), Type::boolean());
    call.filter = std::make_shared<BoundExpression>(truth, truth->name);
    nodes->push_back(std::move(truth));
  }
  return TypedPtr(
      std::make_shared<AggregateNode>(std::move(call), std::move(*nodes), std::move(node_name)));
}

namespace {

// Turns a tree over the input's columns into one over keys and results.
class GroupRewriter {
 public:
  GroupRewriter(const Schema& input, std::span<const ExpressionPtr> keys, bool has_grouping_id,
                Analyzer& analyzer)
      : input_(input), keys_(keys), has_grouping_id_(has_grouping_id), analyzer_(analyzer) {}

  Result<TypedPtr> rewrite(const TypedPtr& node) {
    if (const auto* aggregate = dynamic_cast<const AggregateNode*>(node.get()))
      return result_of(node, *aggregate);
    if (const auto* grouping = dynamic_cast<const GroupingNode*>(node.get()))
      return grouping_of(*grouping);
    if (const auto key = key_of(*node)) {
      return TypedPtr(std::make_shared<ColumnNode>(*key, keys_[*key]->type(), node->name, true));
    }
    if (dynamic_cast<const ColumnNode*>(node.get()) != nullptr) {
      std::string names;
      for (const ExpressionPtr& key : keys_) names += (names.empty() ? "" : ", ") + key->name();
      return Error::invalid(
          fmt::format("column `{}` is neither a grouping key [{}] nor inside an aggregate — write "
                      "first(`{}`) or group by it",
                      node->name, names, node->name));
    }
    if (node->children.empty()) return node;
    std::vector<TypedPtr> children;
    for (const TypedPtr& child : node->children) {
      FLOWRUN_TRY(children.emplace_back(), rewrite(child));
    }
    MutableTypedPtr copy = node->with_children(std::move(children));
    copy->name = node->name;
    return TypedPtr(std::move(copy));
  }

  std::vector<AggregateCall> take_calls() { return std::move(calls_); }

 private:
  std::optional<size_t> key_of(const TypedNode& node) const {
    if (const auto* column = dynamic_cast<const ColumnNode*>(&node);
        column && column->index() >= input_.num_fields()) {
      return column->index() - input_.num_fields();
    }
    for (size_t i = 0; i < keys_.size(); ++i) {
      const auto* key = dynamic_cast<const BoundExpression*>(keys_[i].get());
      if (key != nullptr && same_computation(*key->root(), node)) return i;
    }
    return std::nullopt;
  }

  Result<TypedPtr> result_of(const TypedPtr& node, const AggregateNode& aggregate) {
    size_t index = 0;
    while (index < nodes_.size() && !same_computation(*nodes_[index], *node)) ++index;
    if (index == nodes_.size()) {
      nodes_.push_back(node);
      calls_.push_back(aggregate.call());
    }
    const size_t column = keys_.size() + (has_grouping_id_ ? 1 : 0) + index;
    return TypedPtr(std::make_shared<ColumnNode>(column, node->type, node->name, node->nullable));
  }

  // The bit of key i in the grouping id: the first key has the highest.
  Result<TypedPtr> grouping_of(const GroupingNode& node) const {
    if (!has_grouping_id_) {
      return Error::invalid(
          fmt::format("{} has a meaning only in a cube, a rollup or grouping sets", node.name));
    }
    TypedPtr id = std::make_shared<ColumnNode>(keys_.size(), Type::bigint(), "grouping_id", false);
    if (!node.of_one_key()) return CallSite::named(id, node.name);
    const std::optional<size_t> key = key_of(*node.children[0]);
    if (!key)
      return Error::invalid(fmt::format("{} is no grouping column", node.children[0]->name));
    const auto shift = static_cast<int32_t>(keys_.size() - 1 - *key);
    FLOWRUN_TRY(TypedPtr bit,
                analyzer_.call(">>", {std::move(id), CallSite::constant(constant_int(shift))}));
    FLOWRUN_TRY(bit, analyzer_.call("&", {std::move(bit), CallSite::constant(constant_int(1))}));
    return CallSite::named(analyzer_.cast_to(std::move(bit), Type::tinyint()), node.name);
  }

  const Schema& input_;
  std::span<const ExpressionPtr> keys_;
  bool has_grouping_id_;
  Analyzer& analyzer_;
  std::vector<TypedPtr> nodes_;
  std::vector<AggregateCall> calls_;
};

}  // namespace

Result<AggregateExpression> Binder::bind_aggregate(std::string_view text,
                                                   std::span<const ExpressionPtr> keys,
                                                   bool has_grouping_id) const {
  FLOWRUN_TRY(const TimeZone* zone, find_time_zone(environment_.timezone));
  FLOWRUN_TRY(const AstPtr ast, parse_expression(text, true));
  const bool aliased = ast->kind == Ast::Kind::alias;
  if (aliased && ast->parts.size() > 1)
    return Error::invalid("one column has one name").at_offset(ast->offset);
  const Ast& inner = aliased ? *ast->children[0] : *ast;
  // Keys that are no columns of the input (window, computed ones) may be used by name.
  std::vector<Field> fields(scope_.schema->fields().begin(), scope_.schema->fields().end());
  for (const ExpressionPtr& key : keys) {
    const bool known = !scope_.schema->find_all(key->name()).empty();
    fields.push_back({known ? std::string() : key->name(), key->type(), true});
  }
  const Schema visible(std::move(fields));
  Analyzer analyzer(visible, environment_, *zone);
  analyzer.allow_aggregates();
  FLOWRUN_TRY(TypedPtr node, analyzer.analyze(inner));
  std::string name = aliased ? ast->parts[0] : Analyzer::item_name(inner, *node);
  GroupRewriter rewriter(*scope_.schema, keys, has_grouping_id, analyzer);
  auto rewritten = rewriter.rewrite(node);
  if (!rewritten) return std::move(rewritten.error()).at_offset(inner.offset);
  return AggregateExpression{rewriter.take_calls(), std::make_shared<BoundExpression>(
                                                        std::move(*rewritten), std::move(name))};
}

}  // namespace flowrun
