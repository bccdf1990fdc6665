#include "runtime/operator/join_binding.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/base/check.h"
#include "runtime/columnar/row_bits.h"
#include "runtime/operator/option_specs.h"
#include "runtime/operator/row_selection.h"

namespace flowrun {

namespace {

std::vector<Field> fields_of(const Schema& schema) {
  return {schema.fields().begin(), schema.fields().end()};
}

// Columns that came through an earlier join keep the name under which they entered that.
Schema qualified(const InputSchema& input) {
  std::vector<Field> fields = fields_of(*input.schema);
  for (Field& field : fields) {
    if (field.qualifier.empty()) field.qualifier = input.name;
  }
  return Schema(std::move(fields));
}

Schema requalified(const InputSchema& input) {
  std::vector<Field> fields = fields_of(*input.schema);
  for (Field& field : fields) field.qualifier = input.name;
  return Schema(std::move(fields));
}

}  // namespace

JoinKind join_kind(std::string_view word) {
  const auto found = std::ranges::find(kJoinKinds, word);
  FLOWRUN_CHECK(found != kJoinKinds.end(), "the spec allows the words of joins only");
  return static_cast<JoinKind>(found - kJoinKinds.begin());
}

std::vector<OptionSpec> JoinOptions::specs() {
  return {
      option::list_of(option::column("on", "Columns that both sides have and that must be equal.")),
      option::expression("condition", "A boolean expression over the columns of both sides.")};
}

Result<JoinOptions> JoinOptions::read(const Options& options) {
  JoinOptions join;
  if (const OptionValue* on = options.find("on"); on && !on->items.empty()) join.on = *on;
  if (const OptionValue* condition = options.find("condition")) join.condition = *condition;
  if (!join.condition && !join.on) {
    return Error::invalid(
        "a join needs `on: [columns of both sides]` or `condition: an expression`");
  }
  return join;
}

std::string JoinOptions::describe() const {
  std::string text;
  if (on) {
    text = " on";
    for (const OptionValue& name : on->items) text += " " + name.text;
  }
  if (condition) text += fmt::format(" on {}", condition->text);
  return text;
}

Result<JoinBinding> JoinBinding::bind(JoinKind kind, const JoinOptions& options,
                                      const JoinInput& left, const JoinInput& right,
                                      const ExpressionEnvironment& environment) {
  JoinBinding join;
  const Schema left_schema = qualified(left.input);
  const Schema right_schema = qualified(right.input);
  join.num_left_ = left_schema.num_fields();
  join.joined_ = joined_schema(left_schema, right_schema);
  if (options.on) {
    FLOWRUN_RETURN_IF_ERROR(
        join.bind_keys(*options.on, left_schema, right_schema, right, environment));
  }
  if (options.condition) {
    FLOWRUN_RETURN_IF_ERROR(join.bind_condition(*options.condition, left_schema, right_schema, left,
                                                right, environment));
  }
  join.lay_out(kind, left_schema, right_schema);
  return join;
}

Status JoinBinding::bind_keys(const OptionValue& on, const Schema& left, const Schema& right,
                              const JoinInput& right_input,
                              const ExpressionEnvironment& environment) {
  for (const OptionValue& name : on.items) {
    auto of_left = left.find(name.text);
    if (!of_left) return name.place(std::move(of_left.error()));
    auto of_right = right.find(name.text);
    if (!of_right) return name.place(std::move(of_right.error()).within(right_input.what));
    using_.emplace_back(*of_left, *of_right);
  }
  auto keys = bind_join_columns(using_, left, right, environment);
  if (!keys) return on.place(std::move(keys.error()));
  condition_ = std::move(*keys);
  return {};
}

Status JoinBinding::bind_condition(const OptionValue& option, const Schema& left,
                                   const Schema& right, const JoinInput& left_input,
                                   const JoinInput& right_input,
                                   const ExpressionEnvironment& environment) {
  auto bound = bind_join_condition(option.text, left, right, environment);
  if (!bound) {
    // Columns that came through an earlier join may also be named by the node they come from now.
    auto direct = bind_join_condition(option.text, requalified(left_input.input),
                                      requalified(right_input.input), environment);
    if (!direct) return option.place(std::move(bound.error()));
    bound = std::move(direct);
  }
  for (JoinCondition::Equality& equality : bound->equalities)
    condition_.equalities.push_back(std::move(equality));
  condition_.rest = std::move(bound->rest);
  return {};
}

JoinBinding::Place JoinBinding::key_place(JoinKind kind, size_t key, const Schema& left,
                                          const Schema& right, Field& field) const {
  const auto& [of_left, of_right] = using_[key];
  field = kind == JoinKind::right ? right.field(of_right) : left.field(of_left);
  if (kind == JoinKind::right) return {.left = {}, .right = of_right};
  if (kind != JoinKind::full) return {.left = of_left, .right = {}};
  field.type = condition_.equalities[key].left->type();
  field.nullable = true;
  field.watermark_delay.reset();
  return {.left = of_left, .right = of_right, .key = key};
}

void JoinBinding::lay_out(JoinKind kind, const Schema& left, const Schema& right) {
  std::vector<Field> fields;
  const bool left_may_miss = kind == JoinKind::right || kind == JoinKind::full;
  const bool right_may_miss = kind == JoinKind::left || kind == JoinKind::full;
  for (size_t key = 0; key < using_.size(); ++key)
    places_.push_back(key_place(kind, key, left, right, fields.emplace_back()));
  const auto is_key = [&](auto side, size_t column) {
    return std::ranges::any_of(using_, [&](const auto& key) { return key.*side == column; });
  };
  using Key = std::pair<size_t, size_t>;
  for (size_t i = 0; i < left.num_fields(); ++i) {
    if (is_key(&Key::first, i)) continue;
    places_.push_back({.left = i, .right = {}});
    fields.push_back(left.field(i));
    fields.back().nullable = fields.back().nullable || left_may_miss;
  }
  const bool left_only = kind == JoinKind::left_semi || kind == JoinKind::left_anti;
  for (size_t i = 0; !left_only && i < right.num_fields(); ++i) {
    if (is_key(&Key::second, i)) continue;
    places_.push_back({.left = {}, .right = i});
    fields.push_back(right.field(i));
    fields.back().nullable = fields.back().nullable || right_may_miss;
  }
  output_ = Schema::make(std::move(fields));
}

ColumnSet JoinBinding::reads(size_t side, const ColumnSet& wanted) const {
  const size_t first = side == 0 ? 0 : num_left_;
  const size_t count = side == 0 ? num_left_ : joined_->num_fields() - num_left_;
  ColumnSet read(count, false);
  for (size_t i = 0; i < places_.size(); ++i) {
    const std::optional<size_t>& column = side == 0 ? places_[i].left : places_[i].right;
    if (column && (wanted.empty() || wanted[i])) read[*column] = true;
  }
  for (const ExpressionPtr& conjunct : condition_.rest) {
    for (const size_t column : conjunct->columns()) {
      if (column >= first && column < first + count) read[column - first] = true;
    }
  }
  return read;
}

Status JoinBinding::keep_true(const RecordBatch& left, const RecordBatch& right,
                              const EvaluationContext& context, RowPairs& pairs) const {
  RowBits bits;
  std::vector<int32_t> kept;
  for (const ExpressionPtr& conjunct : condition_.rest) {
    if (pairs.size() == 0) return {};
    std::vector<ColumnPtr> columns(joined_->num_fields());
    for (const size_t i : conjunct->columns()) {
      columns[i] = i < num_left_ ? take(*left.column(i), pairs.left)
                                 : take(*right.column(i - num_left_), pairs.right);
    }
    FLOWRUN_TRY(
        const ColumnPtr verdict,
        conjunct->evaluate(RecordBatch(joined_, pairs.size(), std::move(columns)), context));
    true_rows(*verdict, bits);
    kept.clear();
    append_rows(bits, kept);
    if (std::ssize(kept) == pairs.size()) continue;
    for (size_t i = 0; i < kept.size(); ++i) {
      pairs.left[i] = pairs.left[static_cast<size_t>(kept[i])];
      pairs.right[i] = pairs.right[static_cast<size_t>(kept[i])];
    }
    pairs.left.resize(kept.size());
    pairs.right.resize(kept.size());
  }
  return {};
}

Result<ColumnPtr> JoinBinding::key_of_either(const RecordBatch& left, const RecordBatch& right,
                                             const RowPairs& pairs, size_t key,
                                             const EvaluationContext& context) const {
  const JoinCondition::Equality& equality = condition_.equalities[key];
  const auto of_side = [&](const RecordBatch& side, const ExpressionPtr& expression,
                           std::span<const int32_t> rows) {
    std::vector<ColumnPtr> columns(side.num_columns());
    for (const size_t i : expression->columns()) columns[i] = take(*side.column(i), rows);
    return expression->evaluate(RecordBatch(side.schema(), pairs.size(), std::move(columns)),
                                context);
  };
  FLOWRUN_TRY(const ColumnPtr of_left, of_side(left, equality.left, pairs.left));
  FLOWRUN_TRY(const ColumnPtr of_right, of_side(right, equality.right, pairs.right));
  std::vector<int32_t> rows(pairs.left.size());
  for (size_t i = 0; i < rows.size(); ++i)
    rows[i] = static_cast<int32_t>(pairs.left[i] >= 0 ? i : i + rows.size());
  const std::array both{of_left, of_right};
  return take(*concatenate(both), rows);
}

Result<RecordBatch> JoinBinding::rows(const RecordBatch& left, const RecordBatch& right,
                                      const RowPairs& pairs, const ColumnSet& wanted,
                                      const EvaluationContext& context, bool left_untouched) const {
  std::vector<ColumnPtr> columns(places_.size());
  for (size_t i = 0; i < places_.size(); ++i) {
    if (!wanted.empty() && !wanted[i]) continue;
    const Place& place = places_[i];
    if (place.left && place.right) {
      FLOWRUN_TRY(columns[i], key_of_either(left, right, pairs, place.key, context));
    } else if (place.left) {
      const ColumnPtr& column = left.column(*place.left);
      columns[i] = left_untouched ? column : take(*column, pairs.left);
    } else {
      columns[i] = take(*right.column(*place.right), pairs.right);
    }
  }
  return RecordBatch(output_, pairs.size(), std::move(columns));
}

}  // namespace flowrun
