// static_join. Rows of the stream with the rows of a static table that match them.

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/base/suggest.h"
#include "runtime/expr/join_condition.h"
#include "runtime/operator/join_table.h"
#include "runtime/operator/option_specs.h"
#include "runtime/operator/registry.h"
#include "runtime/operator/row_selection.h"

namespace flowrun {

namespace {

constexpr int64_t kManyPairs = 64 << 10;  // candidates that are looked at together

enum class How : uint8_t { inner, left, left_semi, left_anti };

struct JoinOptions {
  How how = How::inner;
  std::optional<OptionValue> on;
  std::optional<OptionValue> condition;
};

// The table as it was read once, ready to be probed.
struct LoadedTable {
  RecordBatch rows;
  std::optional<JoinTable> index;  // none without an equality: every row is a candidate
};
using LoadedTablePtr = std::shared_ptr<const LoadedTable>;

class StaticJoin final : public Transform {
 public:
  StaticJoin(JoinOptions options, StaticTable& table, const ExpressionEnvironment& environment)
      : options_(std::move(options)), table_(table), environment_(environment) {}

  Result<PortSchemas> bind(std::span<const InputSchema> inputs) override;
  Status open() override {
    const std::lock_guard lock(mutex_);
    return load(-1);
  }
  [[nodiscard]] ColumnSet read_columns(const ColumnSet& wanted, size_t num_inputs) const override;
  void narrow(const ColumnSet& wanted) override { wanted_ = wanted; }
  Status apply(const RecordBatch& batch, const Epoch& epoch, Scratch* scratch,
               Emitter& out) const override;
  [[nodiscard]] std::string describe() const override;

 private:
  // Where an output column comes from.
  struct Place {
    bool from_table;
    size_t column;
  };

  Status bind_keys(const Schema& stream, const Schema& table);
  Status bind_condition(const Schema& stream, const Schema& table, const std::string& stream_name);
  void lay_out(const Schema& stream, const Schema& table);
  Status load(EpochId since) const;
  Result<LoadedTablePtr> table_for(const Epoch& epoch) const;
  Status keep_true(const RecordBatch& batch, const LoadedTable& table,
                   const EvaluationContext& context, RowPairs& pairs) const;
  RowPairs select(const RowPairs& matches, int64_t first, int64_t last) const;
  Status emit(const RecordBatch& batch, const LoadedTable& table, const RowPairs& rows,
              Emitter& out) const;
  [[nodiscard]] bool keeps_table_columns() const {
    return options_.how == How::inner || options_.how == How::left;
  }

  JoinOptions options_;
  StaticTable& table_;
  const ExpressionEnvironment& environment_;
  std::vector<std::pair<size_t, size_t>> using_;  // columns of stream and table that `on` names
  JoinCondition condition_;
  SchemaPtr joined_;  // of candidates: the stream's columns, then the table's
  SchemaPtr schema_;
  std::vector<Place> outputs_;
  ColumnSet wanted_;

  // The table may be read again between epochs; an epoch sees one state of it.
  mutable std::mutex mutex_;
  mutable LoadedTablePtr loaded_;
  mutable LoadedTablePtr before_;  // what epochs older than since_ see
  mutable EpochId since_ = -1;
  mutable int64_t looked_at_ = 0;  // when the file was looked at last
};

Result<PortSchemas> StaticJoin::bind(std::span<const InputSchema> inputs) {
  FLOWRUN_TRY(const SchemaPtr table_schema, table_.schema());
  const auto qualified = [](const Schema& schema, const std::string& name) {
    std::vector<Field> fields(schema.fields().begin(), schema.fields().end());
    for (Field& field : fields) {
      if (field.qualifier.empty()) field.qualifier = name;
    }
    return Schema(std::move(fields));
  };
  const Schema stream = qualified(*inputs[0].schema, inputs[0].name);
  const Schema table = qualified(*table_schema, table_.name());
  joined_ = joined_schema(stream, table);
  FLOWRUN_RETURN_IF_ERROR(bind_keys(stream, table));
  FLOWRUN_RETURN_IF_ERROR(bind_condition(stream, table, inputs[0].name));
  lay_out(stream, table);
  return PortSchemas{{"", schema_}};
}

Status StaticJoin::bind_keys(const Schema& stream, const Schema& table) {
  if (!options_.on) return {};
  for (const OptionValue& name : options_.on->items) {
    auto left = stream.find(name.text);
    if (!left) return name.place(std::move(left.error()));
    auto right = table.find(name.text);
    if (!right)
      return name.place(
          std::move(right.error()).within(fmt::format("the table `{}`", table_.name())));
    using_.emplace_back(*left, *right);
  }
  auto keys = bind_join_columns(using_, stream, table, environment_);
  if (!keys) return options_.on->place(std::move(keys.error()));
  condition_ = std::move(*keys);
  return {};
}

Status StaticJoin::bind_condition(const Schema& stream, const Schema& table,
                                  const std::string& stream_name) {
  if (!options_.condition) return {};
  auto bound = bind_join_condition(options_.condition->text, stream, table, environment_);
  if (!bound) {
    // Columns that came through an earlier join may also be named by the node they come from now.
    std::vector<Field> fields(stream.fields().begin(), stream.fields().end());
    for (Field& field : fields) field.qualifier = stream_name;
    auto direct = bind_join_condition(options_.condition->text, Schema(std::move(fields)), table,
                                      environment_);
    if (!direct) return options_.condition->place(std::move(bound.error()));
    bound = std::move(direct);
  }
  for (JoinCondition::Equality& equality : bound->equalities)
    condition_.equalities.push_back(std::move(equality));
  condition_.rest = std::move(bound->rest);
  return {};
}

// With `on` the keys come first, once each; then the stream's columns, then the table's.
void StaticJoin::lay_out(const Schema& stream, const Schema& table) {
  std::vector<Field> fields;
  const auto add = [&](bool from_table, size_t column) {
    outputs_.push_back({from_table, column});
    fields.push_back(from_table ? table.field(column) : stream.field(column));
    if (from_table && options_.how == How::left) fields.back().nullable = true;
  };
  const auto is_key = [&](bool from_table, size_t column) {
    return std::ranges::any_of(
        using_, [&](const auto& key) { return (from_table ? key.second : key.first) == column; });
  };
  for (const auto& key : using_) add(false, key.first);
  for (size_t i = 0; i < stream.num_fields(); ++i) {
    if (!is_key(false, i)) add(false, i);
  }
  for (size_t i = 0; keeps_table_columns() && i < table.num_fields(); ++i) {
    if (!is_key(true, i)) add(true, i);
  }
  schema_ = Schema::make(std::move(fields));
}

ColumnSet StaticJoin::read_columns(const ColumnSet& wanted, size_t num_inputs) const {
  ColumnSet read(num_inputs, false);
  for (size_t i = 0; i < outputs_.size(); ++i) {
    if (wanted[i] && !outputs_[i].from_table) read[outputs_[i].column] = true;
  }
  for (const JoinCondition::Equality& equality : condition_.equalities)
    add_columns(equality.left->columns(), read);
  for (const ExpressionPtr& conjunct : condition_.rest) {
    for (const size_t column : conjunct->columns()) {
      if (column < num_inputs) read[column] = true;
    }
  }
  return read;
}

// REQUIRES: mutex_ is held.
Status StaticJoin::load(EpochId since) const {
  auto table = std::make_shared<LoadedTable>();
  FLOWRUN_TRY(table->rows, table_.load());
  if (!condition_.equalities.empty()) {
    std::vector<ColumnPtr> keys;
    std::vector<bool> null_safe;
    for (const JoinCondition::Equality& equality : condition_.equalities) {
      FLOWRUN_TRY(ColumnPtr key,
                  equality.right->evaluate(table->rows, {.timezone = environment_.timezone}));
      keys.push_back(std::move(key));
      null_safe.push_back(equality.null_safe);
    }
    table->index.emplace(std::move(keys), std::move(null_safe));
  }
  before_ = std::exchange(loaded_, std::move(table));
  since_ = since;
  return {};
}

Result<LoadedTablePtr> StaticJoin::table_for(const Epoch& epoch) const {
  const std::lock_guard lock(mutex_);
  if (!loaded_) FLOWRUN_RETURN_IF_ERROR(load(-1));
  const std::optional<int64_t> refresh = table_.refresh();
  if (refresh && epoch.id > since_ && epoch.context.now >= looked_at_ + *refresh) {
    looked_at_ = epoch.context.now;
    const Result<bool> changed = table_.changed();
    // A file that is being replaced may be away for a moment: the rows that were read still hold.
    if (changed && *changed) FLOWRUN_RETURN_IF_ERROR(load(epoch.id));
  }
  return epoch.id < since_ ? before_ : loaded_;
}

Status StaticJoin::apply(const RecordBatch& batch, const Epoch& epoch, Scratch*,
                         Emitter& out) const {
  FLOWRUN_TRY(const LoadedTablePtr table, table_for(epoch));
  std::vector<ColumnPtr> keys;
  for (const JoinCondition::Equality& equality : condition_.equalities) {
    FLOWRUN_TRY(ColumnPtr key, equality.left->evaluate(batch, epoch.context));
    keys.push_back(std::move(key));
  }
  RowPairs pairs;
  for (int64_t first = 0, last = 0; first < batch.num_rows(); first = last) {
    pairs.clear();
    if (table->index) {
      last = table->index->probe(keys, first, kManyPairs, pairs);
    } else {
      const auto num_rows = static_cast<int32_t>(table->rows.num_rows());
      last = std::min(batch.num_rows(),
                      first + std::max<int64_t>(1, kManyPairs / std::max(num_rows, 1)));
      for (int64_t row = first; row < last; ++row) {
        for (int32_t other = 0; other < num_rows; ++other)
          pairs.add(static_cast<int32_t>(row), other);
      }
    }
    FLOWRUN_RETURN_IF_ERROR(keep_true(batch, *table, epoch.context, pairs));
    FLOWRUN_RETURN_IF_ERROR(emit(batch, *table, select(pairs, first, last), out));
  }
  return {};
}

// Drops the candidates for which what is left of the condition is not true.
Status StaticJoin::keep_true(const RecordBatch& batch, const LoadedTable& table,
                             const EvaluationContext& context, RowPairs& pairs) const {
  const size_t num_left = batch.num_columns();
  RowBits bits;
  std::vector<int32_t> kept;
  for (const ExpressionPtr& conjunct : condition_.rest) {
    if (pairs.size() == 0) return {};
    std::vector<ColumnPtr> columns(joined_->num_fields());
    for (const size_t i : conjunct->columns()) {
      columns[i] = i < num_left ? take(*batch.column(i), pairs.left)
                                : take(*table.rows.column(i - num_left), pairs.right);
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

// What the rows [first, last) give, from their matches.
RowPairs StaticJoin::select(const RowPairs& matches, int64_t first, int64_t last) const {
  if (options_.how == How::inner) return matches;
  RowPairs rows;
  size_t at = 0;
  for (auto row = static_cast<int32_t>(first); row < last; ++row) {
    const size_t begin = at;
    while (at < matches.left.size() && matches.left[at] == row) ++at;
    const bool matched = at > begin;
    switch (options_.how) {
      case How::left:
        for (size_t i = begin; i < at; ++i) rows.add(row, matches.right[i]);
        if (!matched) rows.add(row, -1);
        break;
      case How::left_semi:
        if (matched) rows.add(row, -1);
        break;
      default:
        if (!matched) rows.add(row, -1);
    }
  }
  return rows;
}

Status StaticJoin::emit(const RecordBatch& batch, const LoadedTable& table, const RowPairs& rows,
                        Emitter& out) const {
  if (rows.size() == 0) return {};
  bool untouched = rows.size() == batch.num_rows();  // each row of the stream once, as it is
  for (size_t i = 0; untouched && i < rows.left.size(); ++i)
    untouched = rows.left[i] == static_cast<int32_t>(i);
  std::vector<ColumnPtr> columns(outputs_.size());
  for (size_t i = 0; i < outputs_.size(); ++i) {
    if (!wanted_.empty() && !wanted_[i]) continue;
    const Place& place = outputs_[i];
    if (place.from_table) {
      columns[i] = take(*table.rows.column(place.column), rows.right);
    } else {
      const ColumnPtr& column = batch.column(place.column);
      columns[i] = untouched ? column : take(*column, rows.left);
    }
  }
  return out.emit(0, RecordBatch(schema_, rows.size(), std::move(columns),
                                 untouched ? batch.origin() : nullptr));
}

std::string StaticJoin::describe() const {
  std::string text = "static_join " + table_.name();
  if (options_.on) {
    text += " on";
    for (const OptionValue& name : options_.on->items) text += " " + name.text;
  }
  if (options_.condition) text += fmt::format(" on {}", options_.condition->text);
  return text + (condition_.equalities.empty() ? ", every row of the table is tried" : "");
}

OperatorSpec spec() {
  using namespace option;
  OperatorSpec spec;
  spec.name = "static_join";
  spec.summary = "Adds the columns of a static table to the rows that match.";
  spec.doc =
      "The stream is the left side. With `on` the key columns appear once, first, as with Spark's "
      "`usingColumns`; "
      "with `condition` the columns of both sides stay, and equal names are told apart by the name "
      "of the node or "
      "table: `orders.customer`. A null key matches nothing, except with `<=>`. Keys of different "
      "types are compared "
      "as Spark's `=` does.\n\n"
      "The table is read before the first epoch and held in memory; with `refresh` on the table it "
      "is read again, "
      "between epochs, when its file changed. A condition without an equality tries every row of "
      "the table.";
  spec.primary = required(text("static_join", "The table's name.").naming(NameRole::static_table));
  spec.options = {
      word("how", {"inner", "left", "left_semi", "left_anti", "right", "full"},
           "inner: rows that match; left: all rows of the stream, with nulls where nothing "
           "matches; left_semi: rows that "
           "match, without the table's columns; left_anti: rows that do not. right and full are "
           "refused, as in Spark.")
          .with_default("inner"),
      list_of(column("on", "Columns that both sides have and that must be equal.")),
      expression("condition", "A boolean expression over the columns of both sides."),
  };
  spec.examples = {
      {"Names for user ids",
       "tables:\n"
       "  users: { file: users.csv, format: csv, header: true, schema: { User: string, FirstName: "
       "string } }\n"
       "nodes:\n"
       "  lines: { source: socket, port: 9999 }\n"
       "  readings: { from: lines, parse: json, schema: { User: string, gt: string } }\n"
       "  named: { from: readings, static_join: users, on: [User], how: left }\n"
       "  screen: { from: named, sink: console }\n"}};
  return spec;
}

Result<How> read_how(const Options& options) {
  const std::string how = options.text_or("how", "inner");
  if (how == "right" || how == "full") {
    return Error::invalid(fmt::format("a {} join of a stream with a static table is not supported "
                                      "— a row of the table "
                                      "that nothing matched is known only when the stream ends; "
                                      "write `how: left`, where "
                                      "the stream is the left side",
                                      how))
        .at(options.at("how").position);
  }
  if (how == "left") return How::left;
  if (how == "left_semi") return How::left_semi;
  return how == "left_anti" ? How::left_anti : How::inner;
}

Result<std::unique_ptr<Transform>> make(const Options& options, const MakeContext& context) {
  const OptionValue& name = options.at("static_join");
  JoinOptions join;
  FLOWRUN_TRY(join.how, read_how(options));
  if (const OptionValue* on = options.find("on")) join.on = *on;
  if (const OptionValue* condition = options.find("condition")) join.condition = *condition;
  if (!join.condition && (!join.on || join.on->items.empty())) {
    return name.place(
        Error::invalid("a join needs `on: [columns of both sides]` or `condition: an expression`"));
  }
  StaticTable* table = context.table(name.text);
  if (!table) {
    return name.place(Error::invalid(fmt::format("no table `{}` under `tables:`{}", name.text,
                                                 did_you_mean(name.text, context.table_names))));
  }
  return std::make_unique<StaticJoin>(std::move(join), *table, *context.expressions);
}

}  // namespace

void register_static_join(Registry& registry) { registry.add_transform(spec(), make); }

}  // namespace flowrun
