// static_join. Rows of the stream with the rows of a static table that match them.

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/base/suggest.h"
#include "runtime/operator/join_binding.h"
#include "runtime/operator/option_specs.h"
#include "runtime/operator/registry.h"
#include "runtime/operator/row_selection.h"

namespace flowrun {

namespace {

constexpr int64_t kManyPairs = 64 << 10;  // candidates that are looked at together

// The table as it was read once, ready to be probed.
struct LoadedTable {
  RecordBatch rows;
  std::optional<JoinTable> index;  // none without an equality: every row is a candidate
};
using LoadedTablePtr = std::shared_ptr<const LoadedTable>;

class StaticJoin final : public Transform {
 public:
  StaticJoin(JoinKind kind, JoinOptions options, StaticTable& table,
             const ExpressionEnvironment& environment)
      : kind_(kind), options_(std::move(options)), table_(table), environment_(environment) {}

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
  Status load(EpochId since) const;
  Result<LoadedTablePtr> table_for(const Epoch& epoch) const;
  RowPairs select(const RowPairs& matches, int64_t first, int64_t last) const;
  Status emit(const RecordBatch& batch, const LoadedTable& table, const RowPairs& rows,
              const EvaluationContext& context, Emitter& out) const;

  JoinKind kind_;
  JoinOptions options_;
  StaticTable& table_;
  const ExpressionEnvironment& environment_;
  JoinBinding join_;  // the stream is the left side
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
  const JoinInput table{{table_schema, table_.name()},
                        fmt::format("the table `{}`", table_.name())};
  FLOWRUN_TRY(join_,
              JoinBinding::bind(kind_, options_, {inputs[0], "the stream"}, table, environment_));
  return PortSchemas{{"", join_.output()}};
}

ColumnSet StaticJoin::read_columns(const ColumnSet& wanted, size_t) const {
  ColumnSet read = join_.reads(0, wanted);
  for (const JoinCondition::Equality& equality : join_.condition().equalities)
    add_columns(equality.left->columns(), read);
  return read;
}

// REQUIRES: mutex_ is held.
Status StaticJoin::load(EpochId since) const {
  auto table = std::make_shared<LoadedTable>();
  FLOWRUN_TRY(table->rows, table_.load());
  if (!join_.condition().equalities.empty()) {
    std::vector<ColumnPtr> keys;
    std::vector<bool> null_safe;
    for (const JoinCondition::Equality& equality : join_.condition().equalities) {
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
  for (const JoinCondition::Equality& equality : join_.condition().equalities) {
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
    FLOWRUN_RETURN_IF_ERROR(join_.keep_true(batch, table->rows, epoch.context, pairs));
    FLOWRUN_RETURN_IF_ERROR(emit(batch, *table, select(pairs, first, last), epoch.context, out));
  }
  return {};
}

// What the rows [first, last) give, from their matches.
RowPairs StaticJoin::select(const RowPairs& matches, int64_t first, int64_t last) const {
  if (kind_ == JoinKind::inner) return matches;
  RowPairs rows;
  size_t at = 0;
  for (auto row = static_cast<int32_t>(first); row < last; ++row) {
    const size_t begin = at;
    while (at < matches.left.size() && matches.left[at] == row) ++at;
    const bool matched = at > begin;
    switch (kind_) {
      case JoinKind::left:
        for (size_t i = begin; i < at; ++i) rows.add(row, matches.right[i]);
        if (!matched) rows.add(row, -1);
        break;
      case JoinKind::left_semi:
        if (matched) rows.add(row, -1);
        break;
      default:
        if (!matched) rows.add(row, -1);
    }
  }
  return rows;
}

Status StaticJoin::emit(const RecordBatch& batch, const LoadedTable& table, const RowPairs& rows,
                        const EvaluationContext& context, Emitter& out) const {
  if (rows.size() == 0) return {};
  bool untouched = rows.size() == batch.num_rows();  // each row of the stream once, as it is
  for (size_t i = 0; untouched && i < rows.left.size(); ++i)
    untouched = rows.left[i] == static_cast<int32_t>(i);
  FLOWRUN_TRY(const RecordBatch joined,
              join_.rows(batch, table.rows, rows, wanted_, context, untouched));
  return out.emit(0, RecordBatch(joined.schema(), joined.num_rows(), joined.columns(),
                                 untouched ? batch.origin() : nullptr));
}

std::string StaticJoin::describe() const {
  return "static_join " + table_.name() + options_.describe() +
         (join_.condition().equalities.empty() ? ", every row of the table is tried" : "");
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
  };
  for (OptionSpec& option : JoinOptions::specs()) spec.options.push_back(std::move(option));
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

Result<JoinKind> read_how(const Options& options) {
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
  return join_kind(how);
}

Result<std::unique_ptr<Transform>> make(const Options& options, const MakeContext& context) {
  const OptionValue& name = options.at("static_join");
  FLOWRUN_TRY(const JoinKind kind, read_how(options));
  auto join = JoinOptions::read(options);
  if (!join) return name.place(std::move(join.error()));
  StaticTable* table = context.table(name.text);
  if (!table) {
    return name.place(Error::invalid(fmt::format("no table `{}` under `tables:`{}", name.text,
                                                 did_you_mean(name.text, context.table_names))));
  }
  return std::make_unique<StaticJoin>(kind, std::move(*join), *table, *context.expressions);
}

}  // namespace

void register_static_join(Registry& registry) { registry.add_transform(spec(), make); }

}  // namespace flowrun
