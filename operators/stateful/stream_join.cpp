// stream_join: rows of two streams that belong together.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "runtime/operator/event_time.h"
#include "runtime/operator/late_rows.h"
#include "runtime/operator/option_specs.h"
#include "runtime/operator/partition_list.h"
#include "runtime/operator/registry.h"
#include "runtime/operator/repeated_names.h"
#include "runtime/operator/row_selection.h"
#include "runtime/operator/stream_join_partition.h"

namespace flowrun {

namespace {

constexpr size_t kLatePort = 1;  // of the left side; the right side's follows
constexpr std::array kSideNames{"left", "right"};

OperatorSpec spec() {
  using namespace option;
  OperatorSpec spec;
  spec.name = "stream_join";
  spec.inputs = InputShape::sides;
  spec.summary = "Joins the rows of two streams.";
  spec.doc =
      "A row meets the rows of the other side that came before it and those of its own epoch. With "
      "`on` the key "
      "columns appear once, first, as with Spark's `usingColumns`; with `condition` the columns of "
      "both sides stay, and "
      "equal names are told apart by the name of the node: `orders.customer`. At least one "
      "equality "
      "between the sides is "
      "needed. A null key matches nothing, except with `<=>`, and in a full join, where null meets "
      "null.\n\n"
      "Rows are kept until a watermark ends them: put one on both sides, and a time range into the "
      "condition (`paid >= "
      "ordered and paid <= ordered + interval 30 seconds`), or make a column that carries a "
      "watermark, such as a window, "
      "one of the keys. Without that an inner join keeps every row for ever, which `flowrun check` "
      "warns of, and the "
      "other joins are refused: a row that matched nothing comes out, with nulls for the other "
      "side, when its bound has "
      "passed. Late rows are dropped, counted, and offered on `.late_left` and `.late_right`.\n\n"
      "An inner join serves append and update sinks, the others append only.";
  spec.primary = required(word(
      "stream_join", {kJoinKinds.begin(), kJoinKinds.end()},
      "inner: pairs that match; left, right, full: the rows of that side, or of both, that "
      "matched nothing too; "
      "left_semi: left rows that match, once, without the right columns. left_anti is refused, "
      "as in Spark."));
  spec.options = JoinOptions::specs();
  spec.ports = {"late_left", "late_right"};
  spec.examples = {{"Clicks within 30 seconds after the impression",
                    "lines: { source: socket, port: 9999 }\n"
                    "impressions:\n"
                    "  from: lines\n"
                    "  chain:\n"
                    "    - { parse: json, schema: { ad: bigint, shown: timestamp } }\n"
                    "    - { watermark: shown, delay: 10 seconds }\n"
                    "more_lines: { source: socket, port: 10000 }\n"
                    "clicks:\n"
                    "  from: more_lines\n"
                    "  chain:\n"
                    "    - { parse: json, schema: { ad: bigint, clicked: timestamp } }\n"
                    "    - { watermark: clicked, delay: 20 seconds }\n"
                    "joined:\n"
                    "  from: { left: impressions, right: clicks }\n"
                    "  stream_join: left\n"
                    "  on: [ad]\n"
                    "  condition: clicked between shown and shown + interval 30 seconds\n"
                    "screen: { from: joined, sink: console }\n"}};
  return spec;
}

class StreamJoin final : public Stateful {
 public:
  StreamJoin(JoinKind kind, OptionValue primary, JoinOptions options,
             const ExpressionEnvironment& environment)
      : kind_(kind),
        primary_(std::move(primary)),
        options_(std::move(options)),
        environment_(environment) {}

  Result<PortSchemas> bind(std::span<const InputSchema> inputs) override;
  Status plan(const StatefulPlan& plan, size_t partitions) override;
  [[nodiscard]] size_t num_partitions() const override { return partition_count_; }
  void narrow(const ColumnSet& wanted) override;
  [[nodiscard]] ColumnSet read_columns(size_t input, size_t num_columns) const override;

  [[nodiscard]] std::unique_ptr<Local> make_local() const override {
    return std::make_unique<StreamJoinLocal>();
  }
  Status absorb(Local& local, const Input& input, const Epoch& epoch, Emitter& out) const override;
  Status merge(size_t partition, std::span<Local* const> locals, const Epoch& epoch) override {
    return partitions_[partition]->merge(locals, epoch);
  }
  Status evict(size_t partition, const Epoch& epoch) override {
    return partitions_[partition]->evict(epoch);
  }
  Status emit(size_t partition, const Ask& ask, const Epoch&, Emitter& out) override {
    return partitions_[partition]->emit(ask, out);
  }
  void forget(size_t partition, EpochId served) override { partitions_[partition]->forget(served); }
  void clear(Local& local) const override {
    auto& own = static_cast<StreamJoinLocal&>(local);
    own.pieces.clear();
    own.bytes = 0;
  }

  Status snapshot(SnapshotWriter& writer) override { return save_all(partitions_, writer); }
  Status restore(SnapshotReader& reader) override;
  [[nodiscard]] int64_t state_rows() const override { return total_rows(partitions_); }
  [[nodiscard]] int64_t state_bytes() const override { return total_bytes(partitions_); }
  [[nodiscard]] std::string describe() const override {
    return "stream_join " + primary_.text + options_.describe();
  }
  [[nodiscard]] Bound state_bound() const override;
  [[nodiscard]] std::vector<std::string> warnings() const override;
  [[nodiscard]] int64_t output_watermark(int64_t watermark) const override;
  [[nodiscard]] bool evicts() const override {
    return shape_.sides[0].evicts || shape_.sides[1].evicts;
  }
  [[nodiscard]] std::vector<ExpressionPtr> conjuncts(size_t input) const override {
    return sides_[input].conjuncts;
  }

 private:
  struct Side {
    std::string name;
    std::optional<WatermarkColumn> time;  // by which rows are late
    // What a row must fulfil to be looked at; on a side whose unmatched rows come out, to match.
    std::vector<ExpressionPtr> conditions;
    std::vector<size_t> not_null;          // columns without which a row matches nothing
    std::vector<ExpressionPtr> conjuncts;  // both of them, on a side that drops what fails
  };

  [[nodiscard]] bool is_outer(size_t side) const {
    return kind_ == JoinKind::full || kind_ == (side == 0 ? JoinKind::left : JoinKind::right);
  }
  [[nodiscard]] const ExpressionPtr& key(size_t side,
                                         const JoinCondition::Equality& equality) const {
    return side == 0 ? equality.left : equality.right;
  }
  void bind_side(size_t side, const InputSchema& input, std::vector<ExpressionPtr> conditions);
  void find_bounds();
  Status check_bounds() const;
  Status sift(const Side& side, const EvaluationContext& context, const RecordBatch& batch,
              std::vector<int32_t>& kept, std::vector<int32_t>& failed) const;
  void split(size_t side, std::span<const int32_t> rows, const std::vector<size_t>& partitions,
             StreamJoinLocal::Piece& piece) const;
  [[nodiscard]] ColumnPtr eviction_times(size_t side, const RecordBatch& batch,
                                         std::span<const ColumnPtr> keys) const;
  [[nodiscard]] std::string bound_of(size_t side) const;

  JoinKind kind_;
  OptionValue primary_;
  JoinOptions options_;
  const ExpressionEnvironment& environment_;
  StreamJoinShape shape_;
  std::array<Side, 2> sides_;
  bool evict_ = false;
  size_t partition_count_ = 0;
  std::vector<std::unique_ptr<StreamJoinPartition>> partitions_;
};

Result<PortSchemas> StreamJoin::bind(std::span<const InputSchema> inputs) {
  FLOWRUN_TRY(shape_.join, JoinBinding::bind(kind_, options_, {inputs[0], "the left side"},
                                             {inputs[1], "the right side"}, environment_));
  const JoinCondition& condition = shape_.join.condition();
  if (condition.equalities.empty()) {
    return primary_.place(Error::invalid(
        "a join of two streams needs an equality between them — add `on: [a column of both]`, or "
        "`left.a = right.b and ...` to the condition"));
  }
  for (const JoinCondition::Equality& equality : condition.equalities) {
    shape_.key_types.push_back(equality.left->type());
    shape_.null_safe.push_back(equality.null_safe || kind_ == JoinKind::full);
  }
  SideConditions conditions = shape_.join.take_side_conditions();
  bind_side(0, inputs[0], std::move(conditions.left));
  bind_side(1, inputs[1], std::move(conditions.right));
  find_bounds();
  if (Status bounded = check_bounds(); !bounded) return primary_.place(std::move(bounded.error()));
  return PortSchemas{{"", shape_.join.output()},
                     {"late_left", inputs[0].schema},
                     {"late_right", inputs[1].schema}};
}

// Spark tries what reads one side only, and whether what must not be null is, below the join, on
// every side but the one whose unmatched rows come out.
void StreamJoin::bind_side(size_t side, const InputSchema& input,
                           std::vector<ExpressionPtr> conditions) {
  Side& own = sides_[side];
  own.name = input.name;
  own.time = WatermarkColumn::find(*input.schema);
  own.conditions = std::move(conditions);
  shape_.sides[side].schema = input.schema;
  shape_.sides[side].outer = is_outer(side);
  shape_.sides[side].once = side == 0 && kind_ == JoinKind::left_semi;
  if (is_outer(side)) return;
  const size_t first = side == 0 ? 0 : shape_.join.num_left();
  for (const size_t column :
       columns_that_must_be(shape_.join.condition(), shape_.join.num_left())) {
    if (column >= first && column < first + input.schema->num_fields())
      own.not_null.push_back(column - first);
  }
  own.conjuncts = own.conditions;
  for (const size_t column : own.not_null)
    own.conjuncts.push_back(not_null_condition(*input.schema, column, environment_));
}

// A key that carries a watermark bounds both sides; else a time range does, each side for itself.
void StreamJoin::find_bounds() {
  const auto& equalities = shape_.join.condition().equalities;
  for (size_t side = 0; side < 2 && !shape_.time_key; ++side) {
    for (size_t k = 0; k < equalities.size() && !shape_.time_key; ++k) {
      const ExpressionPtr& expression = key(side, equalities[k]);
      const std::optional<size_t> column = expression->bare_column();
      if (!equalities[k].null_safe && column &&
          shape_.sides[side].schema->field(*column).watermark_delay)
        shape_.time_key = k;
    }
  }
  shape_.range =
      TimeRange::find(shape_.join.condition(), *shape_.join.joined(), shape_.join.num_left());
  for (size_t side = 0; side < 2; ++side) {
    using enum StateBound::Side;
    shape_.sides[side].bound = StateBound::find(shape_.join.condition(), *shape_.join.joined(),
                                                shape_.join.num_left(), side == 0 ? left : right);
  }
}

// Rows that matched nothing can only come out if something ends their waiting.
Status StreamJoin::check_bounds() const {
  if (kind_ == JoinKind::inner || shape_.time_key) return {};
  const bool of_left = kind_ != JoinKind::right;
  const bool of_right = kind_ == JoinKind::right || kind_ == JoinKind::full;
  if ((!of_left || shape_.sides[0].bound) && (!of_right || shape_.sides[1].bound)) return {};
  return Error::invalid(fmt::format(
      "a {} join of two streams needs a watermark on {} and a time range in the condition, or a "
      "watermark on a column of `on`, for else a row without a match waits for ever — put "
      "`watermark:` on both sides and add such as `condition: right_time between left_time and "
      "left_time + interval 1 minute`",
      primary_.text,
      kind_ == JoinKind::full ? "both sides"
                              : fmt::format("the {} side", of_left ? "right" : "left")));
}

Status StreamJoin::plan(const StatefulPlan& plan, size_t partitions) {
  const bool append_only =
      std::ranges::all_of(plan.modes, [](OutputMode mode) { return mode == OutputMode::append; });
  if (!append_only && kind_ != JoinKind::inner) {
    return Error::invalid(fmt::format(
        "a {} join of two streams is not supported in update or complete mode, for a row without "
        "a match is known only once and for all — use `mode: append`, or an inner join",
        primary_.text));
  }
  evict_ = plan.evict;
  for (size_t side = 0; side < 2; ++side) {
    StreamJoinShape::Side& own = shape_.sides[side];
    if (shape_.time_key) own.bound.reset();
    const bool bounded =
        own.bound && own.schema->field(own.bound->column()).watermark_delay.has_value();
    own.evicts = evict_ && (shape_.time_key.has_value() || bounded);
  }
  partition_count_ = partitions;
  narrow({});
  return {};
}

void StreamJoin::narrow(const ColumnSet& wanted) {
  shape_.wanted = wanted;
  for (size_t side = 0; side < 2; ++side) shape_.sides[side].kept = shape_.join.reads(side, wanted);
  partitions_.clear();
  for (size_t i = 0; i < partition_count_; ++i)
    partitions_.push_back(std::make_unique<StreamJoinPartition>(shape_, i, partition_count_));
}

ColumnSet StreamJoin::read_columns(size_t input, size_t) const {
  ColumnSet read = shape_.sides[input].kept;
  for (const JoinCondition::Equality& equality : shape_.join.condition().equalities)
    add_columns(key(input, equality)->columns(), read);
  for (const ExpressionPtr& condition : sides_[input].conditions)
    add_columns(condition->columns(), read);
  add_columns(sides_[input].not_null, read);
  if (evict_ && sides_[input].time) read[sides_[input].time->index] = true;
  if (shape_.sides[input].bound) read[shape_.sides[input].bound->column()] = true;
  if (shape_.range) read[input == 0 ? shape_.range->left : shape_.range->right] = true;
  return read;
}

// Parts the rows that fulfil the side's own conditions from those that do not.
Status StreamJoin::sift(const Side& side, const EvaluationContext& context,
                        const RecordBatch& batch, std::vector<int32_t>& kept,
                        std::vector<int32_t>& failed) const {
  std::vector<uint8_t> fails(static_cast<size_t>(batch.num_rows()), 0);
  const auto fail_where = [&](auto is_failure) {
    for (size_t i = 0; i < fails.size(); ++i) {
      if (is_failure(static_cast<int64_t>(i))) fails[i] = 1;
    }
  };
  for (const size_t column : side.not_null) {
    const Column& values = *batch.column(column);
    if (values.null_count() > 0) fail_where([&](int64_t i) { return values.is_null(i); });
  }
  for (const ExpressionPtr& condition : side.conditions) {
    FLOWRUN_TRY(const ColumnPtr verdict, condition->evaluate(batch, context));
    fail_where([&](int64_t i) { return verdict->is_null(i) || !verdict->boolean(i); });
  }
  for (size_t i = 0; i < fails.size(); ++i)
    (fails[i] != 0 ? failed : kept).push_back(static_cast<int32_t>(i));
  return {};
}

ColumnPtr StreamJoin::eviction_times(size_t side, const RecordBatch& batch,
                                     std::span<const ColumnPtr> keys) const {
  const StreamJoinShape::Side& shape = shape_.sides[side];
  if (!shape.evicts) return nullptr;
  if (!shape_.time_key) return batch.column(shape.bound->column());
  const ColumnPtr& time = keys[*shape_.time_key];
  return is_window_type(time->type()) ? time->child(1) : time;
}

void StreamJoin::split(size_t side, std::span<const int32_t> rows,
                       const std::vector<size_t>& partitions, StreamJoinLocal::Piece& piece) const {
  const auto meets_nothing = [&](int32_t row) {
    for (size_t k = 0; k < piece.keys.size(); ++k) {
      if (!shape_.null_safe[k] && piece.keys[k]->is_null(row)) return true;
    }
    return false;
  };
  const bool may_miss = std::ranges::any_of(
      piece.keys, [](const ColumnPtr& values) { return values->null_count() > 0; });
  for (const int32_t row : rows) {
    const size_t partition = partitions[static_cast<size_t>(row)];
    if (!may_miss || !meets_nothing(row)) {
      piece.keyed[partition].push_back(row);
    } else if (is_outer(side)) {
      piece.single[partition].push_back(row);
    }
  }
}

Status StreamJoin::absorb(Local& local, const Input& input, const Epoch& epoch,
                          Emitter& out) const {
  const size_t side = input.port;
  const Side& own = sides_[side];
  RecordBatch batch = input.batch;
  std::vector<int32_t> kept;
  std::vector<int32_t> failed;
  const auto drop_late = [&]() -> Status {
    if (!evict_ || !own.time) return {};
    return drop_late_rows(*own.time, kLatePort + side, epoch, batch, out);
  };
  // Lateness is judged of what Spark lets come to the join.
  if (is_outer(side)) FLOWRUN_RETURN_IF_ERROR(drop_late());
  FLOWRUN_RETURN_IF_ERROR(sift(own, epoch.context, batch, kept, failed));
  if (!is_outer(side)) {
    if (!failed.empty()) batch = batch.take(kept);
    FLOWRUN_RETURN_IF_ERROR(drop_late());
    failed.clear();
    kept.resize(static_cast<size_t>(batch.num_rows()));
    for (size_t i = 0; i < kept.size(); ++i) kept[i] = static_cast<int32_t>(i);
  }
  if (batch.num_rows() == 0) return {};
  StreamJoinLocal::Piece piece;
  piece.side = side;
  for (const JoinCondition::Equality& equality : shape_.join.condition().equalities) {
    FLOWRUN_TRY(ColumnPtr values, key(side, equality)->evaluate(batch, epoch.context));
    piece.keys.push_back(std::move(values));
  }
  piece.times = eviction_times(side, batch, piece.keys);
  if (const auto& range = shape_.range)
    piece.range_times = batch.column(side == 0 ? range->left : range->right);
  for (auto* lists : {&piece.keyed, &piece.single, &piece.alone}) lists->resize(partition_count_);
  const std::vector<size_t> partitions =
      partitions_of_keys(piece.keys, batch.num_rows(), partition_count_);
  split(side, kept, partitions, piece);
  for (const int32_t row : failed) piece.alone[partitions[static_cast<size_t>(row)]].push_back(row);
  piece.rows = with_wanted_columns(batch, shape_.sides[side].kept);
  auto& target = static_cast<StreamJoinLocal&>(local);
  piece.place = target.sequence.next(input.sequence);
  target.bytes += piece.rows.memory_bytes();
  target.pieces.push_back(std::move(piece));
  return {};
}

Status StreamJoin::restore(SnapshotReader& reader) {
  for (size_t side = 0; side < 2; ++side) {
    FLOWRUN_TRY(const std::vector<RecordBatch> saved, reader.read(kSideNames[side]));
    for (const RecordBatch& rows : saved) {
      for (const auto& partition : partitions_)
        FLOWRUN_RETURN_IF_ERROR(partition->load(side, rows));
    }
  }
  return {};
}

// Whatever comes out later is after the least of what its sides still hold.
int64_t StreamJoin::output_watermark(int64_t watermark) const {
  int64_t least = watermark;
  for (const StreamJoinShape::Side& side : shape_.sides) {
    if (side.evicts && side.bound) least = std::min(least, side.bound->at(watermark));
  }
  return least;
}

std::string StreamJoin::bound_of(size_t side) const {
  const StreamJoinShape::Side& own = shape_.sides[side];
  if (!own.evicts) return "for ever";
  if (shape_.time_key) return "until the watermark passes the time in the key";
  const double ahead = -static_cast<double>(own.bound->at(0)) / 1e6;
  const std::string& column = own.schema->field(own.bound->column()).name;
  const std::string seconds = fmt::format("{:g} s", std::round(std::abs(ahead)));
  if (std::abs(ahead) < 1) return fmt::format("until the watermark passes `{}`", column);
  return fmt::format("until the watermark is {} {} `{}`", seconds, ahead > 0 ? "past" : "before",
                     column);
}

Stateful::Bound StreamJoin::state_bound() const {
  const bool bounded = shape_.sides[0].evicts && shape_.sides[1].evicts;
  std::string text;
  for (size_t side = 0; side < 2; ++side)
    text +=
        fmt::format("{}rows of {} {}", side == 0 ? "" : ", ", sides_[side].name, bound_of(side));
  if (!bounded) {
    text +=
        " — the state grows with every row: put a `watermark:` on both sides and a time range "
        "into the condition";
  }
  return {text, bounded};
}

std::vector<std::string> StreamJoin::warnings() const {
  const std::vector<std::string> repeated = repeated_names(*shape_.join.output());
  if (repeated.empty()) return {};
  return {fmt::format(
      "both sides bring the columns {}, which nothing behind the join can name alone — write "
      "`{}.{}` or `{}.{}`, or rename them before it",
      fmt::join(repeated, ", "), sides_[0].name, repeated[0], sides_[1].name, repeated[0])};
}

}  // namespace

void register_stream_join(Registry& registry) {
  registry.add_stateful(
      spec(),
      [](const Options& options, const MakeContext& context) -> Result<std::unique_ptr<Stateful>> {
        const OptionValue& primary = options.at("stream_join");
        const JoinKind kind = join_kind(primary.text);
        if (kind == JoinKind::left_anti) {
          return primary.place(Error::invalid(
              "a left anti join of two streams is not supported — that nothing matches is never "
              "certain while the right side goes on; write `left` with a time range, and a filter "
              "for rows without a right side behind it"));
        }
        auto join = JoinOptions::read(options);
        if (!join) return primary.place(std::move(join.error()));
        return std::make_unique<StreamJoin>(kind, primary, std::move(*join), *context.expressions);
      });
}

}  // namespace flowrun
