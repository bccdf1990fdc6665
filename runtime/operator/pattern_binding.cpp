#include "runtime/operator/pattern_binding.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "runtime/base/suggest.h"
#include "runtime/columnar/builder.h"

namespace flowrun {

namespace {

class PatternOptions {
 public:
  PatternOptions(const Options& options, const SchemaPtr& input,
                 const ExpressionEnvironment& environment)
      : options_(options), input_(input), environment_(environment) {}

  Result<BoundPattern> bind() {
    FLOWRUN_RETURN_IF_ERROR(bind_automaton());
    FLOWRUN_RETURN_IF_ERROR(bind_keys());
    FLOWRUN_RETURN_IF_ERROR(bind_order());
    const PatternBinder binder(input_, shape().variables, environment_);
    bound_.scope = binder.scope();
    shape().time_column = binder.time_column();
    FLOWRUN_RETURN_IF_ERROR(bind_conditions(binder));
    FLOWRUN_RETURN_IF_ERROR(bind_measures(binder));
    FLOWRUN_RETURN_IF_ERROR(bind_after_match());
    look_at_rows();
    lay_out();
    return std::move(bound_);
  }

 private:
  PatternShape& shape() { return bound_.shape; }

  Status bind_automaton() {
    const OptionValue& option = options_.at("pattern");
    auto pattern = parse_row_pattern(option.text);
    if (!pattern) return option.place(std::move(pattern.error()));
    auto automaton = PatternAutomaton::compile(*pattern);
    if (!automaton) return option.place(std::move(automaton.error()));
    if (const OptionValue* within = options_.find("within")) shape().within = within->integer;
    if (!shape().within && automaton->may_wait_for_ever()) {
      return option.place(Error::invalid(
          "a match is never certain to have ended, for its last variable may go on without a bound "
          "— bound it (`B{0,10}`), take as few as possible (`B*?`), end the pattern with another "
          "variable, or add `within:`"));
    }
    pattern_ = std::move(*pattern);
    shape().variables = pattern_.variables;
    shape().program.automaton = std::move(*automaton);
    return {};
  }

  Status bind_keys() {
    const Binder binder(Scope{input_}, environment_);
    const OptionValue* keys = options_.find("partition_by");
    for (size_t i = 0; keys && i < keys->items.size(); ++i) {
      auto key = binder.bind(keys->items[i].text);
      if (!key) return keys->items[i].place(std::move(key.error()));
      shape().key_types.push_back((*key)->type());
      bound_.keys.push_back(std::move(*key));
    }
    return {};
  }

  Status bind_order() {
    const std::vector<OptionValue>& items = options_.at("order_by").items;
    if (items.empty()) {
      return options_.at("order_by")
          .place(Error::invalid("order_by is empty — write the column of the rows' time"));
    }
    OptionValue time = items[0];
    const SortKey words = take_sort_words(time.text);
    if (words.descending || !words.nulls_first) {
      return items[0].place(Error::invalid(
          "rows come in the order of their time — write the time column alone, ascending"));
    }
    FLOWRUN_TRY(bound_.time, EventTime::bind(time, input_, environment_));
    if (!bound_.time->watermark_delay()) {
      return items[0].place(
          Error::invalid(fmt::format("a pattern needs a watermark on the time that its rows are "
                                     "ordered by, for else no row is "
                                     "ever certain to be the next — add `watermark: {}` before it",
                                     time.text)));
    }
    const Binder binder(Scope{input_}, environment_);
    for (size_t i = 1; i < items.size(); ++i) {
      FLOWRUN_TRY(shape().ties.emplace_back(), bind_sort_key(items[i], binder));
    }
    return {};
  }

  Status bind_conditions(const PatternBinder& binder) {
    bound_.row_conditions.resize(shape().variables.size());
    shape().conditions.resize(shape().variables.size());
    const OptionValue* define = options_.find("define");
    for (size_t i = 0; define && i < define->items.size(); ++i) {
      const auto& [name, position] = define->keys[i];
      const std::optional<size_t> variable = pattern_.find(name);
      if (!variable) {
        return Error::invalid(fmt::format("the pattern has no variable `{}`, only {}{}", name,
                                          back_quoted_list(shape().variables),
                                          did_you_mean(name, shape().variables)))
            .at(position);
      }
      if (bound_.row_conditions[*variable] || shape().conditions[*variable])
        return Error::invalid(fmt::format("`{}` is defined twice", name)).at(position);
      auto condition = binder.bind_condition(define->items[i].text, *variable);
      if (!condition) return define->items[i].place(std::move(condition.error()));
      bound_.row_conditions[*variable] = std::move(condition->row);
      if (!condition->path) continue;
      FLOWRUN_TRY(shape().conditions[*variable],
                  PatternFormula::bind(std::move(*condition->path), *environment_.functions));
    }
    return {};
  }

  Status bind_measures(const PatternBinder& binder) {
    const OptionValue& measures = options_.at("measures");
    for (size_t i = 0; i < measures.items.size(); ++i) {
      auto measure = binder.bind_measure(measures.items[i].text);
      if (!measure) return measures.items[i].place(std::move(measure.error()));
      const ExpressionPtr& result = measure->result;
      const bool named = measures.kind == OptionKind::map;
      measure_fields_.push_back(
          {named ? measures.keys[i].first : result->name(), result->type(), result->nullable()});
      if (shape().within && is_time(*measure))
        measure_fields_.back().watermark_delay = bound_.time->watermark_delay();
      FLOWRUN_TRY(shape().measures.emplace_back(),
                  PatternFormula::bind(std::move(*measure), *environment_.functions));
    }
    if (measure_fields_.empty())
      return measures.place(Error::invalid("a pattern without measures gives nothing — name one"));
    return {};
  }

  // Is it the time of a row of the match?
  [[nodiscard]] bool is_time(const PatternExpression& measure) const {
    const std::optional<size_t> only = measure.result->bare_column();
    if (!only || *only >= measure.slots.size()) return false;
    const PatternSlot& slot = measure.slots[*only];
    const std::optional<size_t> column = slot.value ? slot.value->bare_column() : std::nullopt;
    if (!column || slot.row.back > 0) return false;
    return *column == bound_.shape.time_column ||
           std::ranges::equal(bound_.time->columns(), slot.value->columns());
  }

  // skip past last row | skip to next row | skip to [first | last] A
  Status bind_after_match() {
    const OptionValue& option = options_.at("after_match");
    std::vector<std::string> words;
    for (size_t at = 0; at < option.text.size();) {
      const size_t end = std::min(option.text.find(' ', at), option.text.size());
      if (end > at) words.push_back(option.text.substr(at, end - at));
      at = end + 1;
    }
    const auto is = [&](size_t from, std::initializer_list<std::string_view> expected) {
      return words.size() >= from + expected.size() &&
             std::equal(expected.begin(), expected.end(),
                        words.begin() + static_cast<std::ptrdiff_t>(from), names_equal);
    };
    const size_t begin = is(0, {"after", "match"}) ? 2 : 0;
    if (is(begin, {"skip", "past", "last", "row"}) && words.size() == begin + 4) return {};
    if (is(begin, {"skip", "to", "next", "row"}) && words.size() == begin + 4) {
      shape().after.kind = AfterMatch::Kind::next_row;
      return {};
    }
    const bool first = is(begin, {"skip", "to", "first"}) && words.size() == begin + 4;
    const bool last = is(begin, {"skip", "to", "last"}) && words.size() == begin + 4;
    if (!first && !last && !(is(begin, {"skip", "to"}) && words.size() == begin + 3)) {
      return option.place(
          Error::invalid(fmt::format("`{}` is no place to go on behind a match — write `skip past "
                                     "last row`, `skip to next row`, `skip to first A` or `skip to "
                                     "last A`",
                                     option.text)));
    }
    const std::optional<size_t> variable = pattern_.find(words.back());
    if (!variable) {
      return option.place(Error::invalid(fmt::format(
          "the pattern has no variable `{}` to skip to, only {}{}", words.back(),
          back_quoted_list(shape().variables), did_you_mean(words.back(), shape().variables))));
    }
    shape().after = {first ? AfterMatch::Kind::first : AfterMatch::Kind::last, *variable};
    if (first && shape().program.automaton.first_variables() == uint64_t{1} << *variable) {
      return option.place(Error::invalid(
          fmt::format("every match begins with `{}`, so the search would go on where it began, for "
                      "ever — write `skip to next row`",
                      words.back())));
    }
    return {};
  }

  // What conditions on rows before need of the paths, and how far `prev` looks back.
  void look_at_rows() {
    PatternProgram& program = shape().program;
    program.firsts.assign(shape().variables.size(), 0);
    program.lasts.assign(shape().variables.size(), 0);
    for (const std::optional<PatternFormula>& condition : shape().conditions) {
      if (!condition) continue;
      look_back(*condition);
      for (const PatternSlot& slot : condition->expression.slots) {
        if (!slot.row.variable) continue;
        size_t& rows = (slot.row.first ? program.firsts : program.lasts)[*slot.row.variable];
        rows = std::max(rows, static_cast<size_t>(slot.row.offset) + 1);
      }
      for (const PatternAggregate& aggregate : condition->expression.aggregates) {
        if (aggregate.variable) program.all_rows |= uint64_t{1} << *aggregate.variable;
      }
    }
    for (const PatternFormula& measure : shape().measures) look_back(measure);
    program.place_registers();
  }

  void look_back(const PatternFormula& formula) {
    for (const PatternSlot& slot : formula.expression.slots)
      shape().most_back = std::max(shape().most_back, slot.row.back);
  }

  // The columns of what is read, kept, carried and put out.
  void lay_out() {
    std::vector<bool> kept(bound_.scope->num_fields());
    for (const auto& condition : shape().conditions) {
      if (condition) condition->add_columns_read(kept);
    }
    for (const PatternFormula& measure : shape().measures) measure.add_columns_read(kept);
    kept[shape().time_column] = true;
    bound_.read.assign(kept.begin(), kept.end() - 1);
    std::vector<Field> stored(bound_.scope->fields().begin(), bound_.scope->fields().end());
    const auto read = [&](std::span<const size_t> columns) {
      for (const size_t column : columns) {
        if (column < bound_.read.size()) bound_.read[column] = true;
      }
    };
    for (const SortKey& tie : shape().ties) {
      stored.push_back({tie.expression->name(), tie.expression->type()});
      kept.push_back(true);
      read(tie.expression->columns());
    }
    for (size_t i = 0; i < kept.size(); ++i) {
      if (kept[i]) shape().kept.push_back(i);
    }
    for (const auto& condition : bound_.row_conditions) {
      for (size_t i = 0; condition && i < condition->slots.size(); ++i)
        read(condition->slots[i].value->columns());
    }
    read(bound_.time->columns());
    std::vector<Field> carried;
    std::vector<Field> output;
    for (const ExpressionPtr& key : bound_.keys) {
      read(key->columns());
      carried.push_back({key->name(), key->type(), key->nullable()});
      output.push_back(carried.back());
    }
    carried.push_back({"variables", Type::bigint()});
    carried.insert(carried.end(), stored.begin(), stored.end());
    output.insert(output.end(), measure_fields_.begin(), measure_fields_.end());
    shape().stored = Schema::make(std::move(stored));
    shape().carried = Schema::make(std::move(carried));
    shape().output = Schema::make(std::move(output));
  }

  const Options& options_;
  const SchemaPtr& input_;
  const ExpressionEnvironment& environment_;
  BoundPattern bound_;
  RowPattern pattern_;
  std::vector<Field> measure_fields_;
};

}  // namespace

Result<ColumnPtr> BoundPattern::row_variables(const RecordBatch& rows,
                                              const EvaluationContext& context) const {
  std::vector<uint64_t> bits(static_cast<size_t>(rows.num_rows()));
  for (size_t variable = 0; variable < row_conditions.size(); ++variable) {
    const uint64_t bit = uint64_t{1} << variable;
    const std::optional<PatternExpression>& condition = row_conditions[variable];
    if (!condition) {
      for (uint64_t& row : bits) row |= bit;
      continue;
    }
    std::vector<ColumnPtr> columns;
    for (const PatternSlot& slot : condition->slots) {
      FLOWRUN_TRY(columns.emplace_back(), slot.value->evaluate(rows, context));
    }
    FLOWRUN_TRY(const ColumnPtr truth,
                condition->result->evaluate(
                    {condition->columns, rows.num_rows(), std::move(columns)}, context));
    for (size_t i = 0; i < bits.size(); ++i) {
      const auto row = static_cast<int64_t>(i);
      if (truth->is_valid(row) && truth->boolean(row)) bits[i] |= bit;
    }
  }
  FixedWriter<int64_t> column(Type::bigint(), rows.num_rows());
  for (size_t i = 0; i < bits.size(); ++i)
    column.set(static_cast<int64_t>(i), std::bit_cast<int64_t>(bits[i]));
  return column.finish();
}

std::string BoundPattern::per_key(std::string_view between) const {
  std::string text;
  for (const ExpressionPtr& key : keys)
    text += (text.empty() ? std::string(between) : ", ") + key->name();
  return text;
}

Result<BoundPattern> bind_pattern(const Options& options, const SchemaPtr& input,
                                  const ExpressionEnvironment& environment) {
  return PatternOptions(options, input, environment).bind();
}

}  // namespace flowrun
