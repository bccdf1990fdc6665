#include "runtime/expr/pattern_expression.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/expr/analyzer.h"
#include "runtime/expr/bound_expression.h"
#include "runtime/expr/pattern_walk.h"
#include "runtime/format/time_zone.h"

namespace flowrun {

namespace {

constexpr std::string_view kTimeName = "match_rowtime()";

AstPtr name_of(std::string name, size_t offset) {
  Ast ast{.kind = Ast::Kind::name, .offset = offset};
  ast.parts = {std::move(name)};
  return std::make_shared<const Ast>(std::move(ast));
}

// Puts a column in the place of all that looks at rows, and keeps what the column is.
class PatternRewriter final : public PatternWalk {
 public:
  PatternRewriter(const PatternNames& names, bool measure)
      : PatternWalk(names), measure_(measure) {}

  // The expression over the columns, bound by `bind` (an Analyzer and the rewritten tree).
  template <class Bind>
  Result<PatternExpression> finish(const Bind& bind) {
    std::vector<Field> fields = slot_fields_;
    fields.insert(fields.end(), aggregate_fields_.begin(), aggregate_fields_.end());
    taken_.columns = Schema::make(std::move(fields));
    Analyzer analyzer(*taken_.columns, names_.environment, names_.zone);
    FLOWRUN_TRY(taken_.result, bind(analyzer));
    return std::move(taken_);
  }
  [[nodiscard]] const PatternExpression& taken() const { return taken_; }

 protected:
  Result<AstPtr> on_name(const AstPtr& ast) override { return value_of(ast, ast, {}); }

  Result<AstPtr> on_star(const AstPtr& ast) override {
    return Error::invalid("`*` is not expected here — it stands in count(*) or count(A.*)")
        .at_offset(ast->offset);
  }

  Result<AstPtr> on_call(const AstPtr& ast) override {
    if (ast->text == "next") {
      return Error::invalid(
                 "`next` would look at rows that have not come yet — begin the match "
                 "earlier and use `prev`")
          .at_offset(ast->offset);
    }
    if (ast->text == "match_number" || ast->text == "match_proctime") {
      return Error::invalid(
                 fmt::format("`{}` is not supported — `match_rowtime()` is the time of a match's "
                             "last row, `match_start()` that of its first",
                             ast->text))
          .at_offset(ast->offset);
    }
    if (ast->text == "prev" || ast->text == "first" || ast->text == "last") return navigation(ast);
    if (is_about_match(ast->text)) return of_match(*ast);
    if (is_aggregate(*ast)) return aggregate(ast);
    return AstPtr();
  }

 private:
  // FIRST(value, n), LAST(value, n), PREV(value, n), PREV(LAST(value, n), m).
  Result<AstPtr> navigation(const AstPtr& ast) {
    RowReference row;
    const Ast* call = ast.get();
    FLOWRUN_RETURN_IF_ERROR(check_arguments(*call));
    if (call->text == "prev") {
      FLOWRUN_TRY(row.back, offset_of(*call, 1));
      const Ast& inner = *call->children[0];
      if (inner.kind == Ast::Kind::call && (inner.text == "first" || inner.text == "last")) {
        call = &inner;
        FLOWRUN_RETURN_IF_ERROR(check_arguments(*call));
      }
    }
    if (call->text != "prev") {
      row.first = call->text == "first";
      FLOWRUN_TRY(row.offset, offset_of(*call, 0));
    }
    return value_of(call->children[0], ast, row);
  }

  static Status check_arguments(const Ast& call) {
    if (call.children.size() == 1 || call.children.size() == 2) {
      if (!call.distinct && !call.filter && !call.ignore_nulls) return {};
      return Error::invalid(
                 fmt::format("`{}` looks at one row in a pattern, so DISTINCT, FILTER and "
                             "IGNORE NULLS mean nothing — leave them out",
                             call.text))
          .at_offset(call.offset);
    }
    return Error::invalid(fmt::format("`{}` takes a value and how many rows away it is; got {} "
                                      "arguments",
                                      call.text, call.children.size()))
        .at_offset(call.offset);
  }

  static Result<int64_t> offset_of(const Ast& call, int64_t fallback) {
    if (call.children.size() < 2) return fallback;
    const Ast& number = *call.children[1];
    if (number.kind == Ast::Kind::literal && number.value->type().id() == TypeId::integer &&
        number.value->is_valid(0)) {
      const int64_t value = number.value->values<int32_t>()[0];
      if (value >= 0 && value <= PatternBinder::kMostOffset) return value;
    }
    return Error::invalid(fmt::format("how many rows away is a plain number from 0 to {} in `{}`",
                                      PatternBinder::kMostOffset, call.text))
        .at_offset(number.offset);
  }

  // A slot for `value`, which is written inside of `whole`.
  Result<AstPtr> value_of(const AstPtr& value, const AstPtr& whole, RowReference row) {
    RowPart part(names_, whole->kind == Ast::Kind::call ? whole->text : "a column");
    FLOWRUN_TRY(const AstPtr bare, part.walk(value));
    Analyzer analyzer(names_.scope, names_.environment, names_.zone);
    FLOWRUN_TRY(const TypedPtr node, analyzer.analyze(*bare));
    if (columns_read(*node).empty()) {
      if (whole->kind == Ast::Kind::name) return whole;
      return Error::invalid(fmt::format("`{}` takes a value of a row, such as `A.x`", whole->text))
          .at_offset(whole->offset);
    }
    row.variable = part.variable();
    const auto shown = value->kind == Ast::Kind::name ? value->parts.back() : node->name;
    std::string name = row.variable ? names_.variables[*row.variable] + "." + shown : shown;
    if (whole->kind == Ast::Kind::call) {
      if (row.first || row.offset > 0)
        name = fmt::format("{}({}, {})", row.first ? "FIRST" : "LAST", name, row.offset);
      if (row.back > 0) name = fmt::format("PREV({}, {})", name, row.back);
    }
    return name_of(add_slot(row, node, std::move(name)), whole->offset);
  }

  // The slot's column.
  std::string add_slot(const RowReference& row, const TypedPtr& node, std::string name) {
    for (size_t i = 0; i < taken_.slots.size(); ++i) {
      const auto* value = static_cast<const BoundExpression*>(taken_.slots[i].value.get());
      if (value && taken_.slots[i].row == row && same_computation(*value->root(), *node))
        return slot_fields_[i].name;
    }
    taken_.slots.push_back({row, std::make_shared<BoundExpression>(node, name)});
    slot_fields_.push_back({unique(std::move(name)), node->type, true});
    return slot_fields_.back().name;
  }

  [[nodiscard]] std::string unique(std::string name) const {
    const auto taken = [&](const Field& field) { return names_equal(field.name, name); };
    while (std::ranges::any_of(slot_fields_, taken) ||
           std::ranges::any_of(aggregate_fields_, taken))
      name += " ";
    return name;
  }

  Result<AstPtr> of_match(const Ast& ast) {
    if (!ast.children.empty()) {
      return Error::invalid(fmt::format("`{}` takes no arguments", ast.text)).at_offset(ast.offset);
    }
    if (ast.text == "classifier") {
      if (!measure_) {
        return Error::invalid("`classifier()` is for measures — a condition is about one variable")
            .at_offset(ast.offset);
      }
      const auto same = [](const PatternSlot& slot) { return !slot.value; };
      if (std::ranges::none_of(taken_.slots, same)) {
        taken_.slots.push_back({RowReference{}, nullptr});
        slot_fields_.push_back({unique("classifier()"), Type::string(), false});
      }
      const auto at = std::ranges::find_if(taken_.slots, same) - taken_.slots.begin();
      return name_of(slot_fields_[static_cast<size_t>(at)].name, ast.offset);
    }
    RowReference row;
    row.first = ast.text == "match_start";
    const TypedPtr time = std::make_shared<ColumnNode>(
        names_.scope.num_fields() - 1, Type::timestamp(), std::string(kTimeName), false);
    return name_of(add_slot(row, time, ast.text + "()"), ast.offset);
  }

  Result<AstPtr> aggregate(const AstPtr& ast) {
    RowPart part(names_, ast->text);
    Ast bare = *ast;
    for (AstPtr& child : bare.children) {
      FLOWRUN_TRY(child, part.walk(child));
    }
    FLOWRUN_TRY(bare.filter, part.walk(ast->filter));
    for (Ast::OrderItem& item : bare.order_by) {
      FLOWRUN_TRY(item.value, part.walk(item.value));
    }
    Analyzer analyzer(names_.scope, names_.environment, names_.zone);
    analyzer.allow_aggregates();
    FLOWRUN_TRY(const TypedPtr node, analyzer.analyze(bare));
    const auto* found = dynamic_cast<const AggregateNode*>(node.get());
    if (!found) return Error::invalid("an aggregate is expected here").at_offset(ast->offset);
    const std::optional<size_t> variable = part.variable();
    std::string name =
        variable ? fmt::format("{} of {}", node->name, names_.variables[*variable]) : node->name;
    for (size_t i = 0; i < aggregates_.size(); ++i) {
      if (taken_.aggregates[i].variable == variable && same_computation(*aggregates_[i], *node))
        return name_of(aggregate_fields_[i].name, ast->offset);
    }
    aggregates_.push_back(node);
    taken_.aggregates.push_back({variable, found->call()});
    aggregate_fields_.push_back({unique(std::move(name)), node->type, node->nullable});
    return name_of(aggregate_fields_.back().name, ast->offset);
  }

  bool measure_;
  PatternExpression taken_;
  std::vector<Field> slot_fields_;
  std::vector<Field> aggregate_fields_;
  std::vector<TypedPtr> aggregates_;
};

void split(const AstPtr& ast, std::vector<AstPtr>& conjuncts) {
  if (ast->kind == Ast::Kind::call && ast->text == "and") {
    for (const AstPtr& child : ast->children) split(child, conjuncts);
  } else {
    conjuncts.push_back(ast);
  }
}

// The conjuncts as one boolean.
Result<PatternExpression> bind_conjuncts(const PatternNames& names,
                                         std::span<const AstPtr> conjuncts) {
  PatternRewriter rewriter(names, false);
  std::vector<AstPtr> rewritten;
  for (const AstPtr& conjunct : conjuncts) {
    FLOWRUN_TRY(rewritten.emplace_back(), rewriter.walk(conjunct));
  }
  return rewriter.finish([&](Analyzer& analyzer) -> Result<ExpressionPtr> {
    TypedPtr all;
    for (const AstPtr& conjunct : rewritten) {
      FLOWRUN_TRY(TypedPtr node, analyzer.analyze(*conjunct));
      if (!(node->type == Type::boolean())) {
        if (node->type.id() != TypeId::null)
          return Error::invalid(fmt::format("{} is {} — boolean is needed", node->name,
                                            node->type.simple_string()))
              .at_offset(conjunct->offset);
        node = analyzer.cast_to(std::move(node), Type::boolean());
      }
      if (all) {
        FLOWRUN_TRY(all, analyzer.call("and", {std::move(all), std::move(node)}));
      } else {
        all = std::move(node);
      }
    }
    return std::make_shared<BoundExpression>(all, all->name);
  });
}

bool looks_at_row_alone(const PatternExpression& expression, size_t variable) {
  const auto is_current = [&](const PatternSlot& slot) {
    return slot.row == RowReference{} || slot.row == RowReference{.variable = variable};
  };
  const auto is_safe = [](const ExpressionPtr& part) {
    const auto* bound = static_cast<const BoundExpression*>(part.get());
    return !bound || (!bound->root()->fallible && bound->root()->deterministic);
  };
  return expression.aggregates.empty() && std::ranges::all_of(expression.slots, is_current) &&
         is_safe(expression.result) &&
         std::ranges::all_of(expression.slots,
                             [&](const PatternSlot& slot) { return is_safe(slot.value); });
}

}  // namespace

PatternBinder::PatternBinder(const SchemaPtr& input, std::span<const std::string> variables,
                             const ExpressionEnvironment& environment)
    : variables_(variables.begin(), variables.end()), environment_(environment) {
  std::vector<Field> fields(input->fields().begin(), input->fields().end());
  fields.push_back({std::string(kTimeName), Type::timestamp(), false});
  scope_ = Schema::make(std::move(fields));
}

Result<PatternCondition> PatternBinder::bind_condition(std::string_view text,
                                                       size_t variable) const {
  FLOWRUN_TRY(const TimeZone* zone, find_time_zone(environment_.timezone));
  FLOWRUN_TRY(const AstPtr ast, parse_expression(text, false));
  const PatternNames names{*scope_, variables_, environment_, *zone};
  std::vector<AstPtr> conjuncts;
  split(ast, conjuncts);
  std::vector<AstPtr> of_row;
  std::vector<AstPtr> of_path;
  for (const AstPtr& conjunct : conjuncts) {
    FLOWRUN_TRY(const PatternExpression alone, bind_conjuncts(names, std::span(&conjunct, 1)));
    (looks_at_row_alone(alone, variable) ? of_row : of_path).push_back(conjunct);
  }
  PatternCondition condition;
  if (!of_row.empty()) {
    FLOWRUN_TRY(condition.row, bind_conjuncts(names, of_row));
  }
  if (!of_path.empty()) {
    FLOWRUN_TRY(condition.path, bind_conjuncts(names, of_path));
  }
  return condition;
}

Result<PatternExpression> PatternBinder::bind_measure(std::string_view text) const {
  FLOWRUN_TRY(const TimeZone* zone, find_time_zone(environment_.timezone));
  FLOWRUN_TRY(const AstPtr ast, parse_expression(text, true));
  const bool aliased = ast->kind == Ast::Kind::alias;
  if (aliased && ast->parts.size() > 1)
    return Error::invalid("one column has one name").at_offset(ast->offset);
  const AstPtr& inner = aliased ? ast->children[0] : ast;
  const PatternNames names{*scope_, variables_, environment_, *zone};
  PatternRewriter rewriter(names, true);
  FLOWRUN_TRY(const AstPtr rewritten, rewriter.walk(inner));
  return rewriter.finish([&](Analyzer& analyzer) -> Result<ExpressionPtr> {
    FLOWRUN_TRY(const TypedPtr node, analyzer.analyze(*rewritten));
    return std::make_shared<BoundExpression>(
        node, aliased ? ast->parts[0] : Analyzer::item_name(*inner, *node));
  });
}

}  // namespace flowrun
