// The state of a stream join's partition, saved and loaded.
#include <algorithm>

#include "runtime/columnar/builder.h"
#include "runtime/operator/stream_join_partition.h"

namespace flowrun {

namespace {

constexpr std::array<const char*, 2> kSections{"left", "right"};

}  // namespace

Status StreamJoinPartition::save(SnapshotWriter& writer) const {
  for (size_t side = 0; side < 2; ++side) {
    const Rows& own = sides_[side];
    const RecordBatch all = view(side);
    std::vector<int32_t> living;
    std::vector<uint32_t> groups;  // of the living that have a key
    std::vector<int32_t> places;   // of each living row among them
    FixedBuilder<int64_t> times(Type::bigint());
    FixedBuilder<int64_t> range_times(Type::bigint());
    BooleanBuilder keyed;
    BooleanBuilder matched;
    for (auto row = static_cast<size_t>(own.first_living); row < own.groups.size(); ++row) {
      if ((own.flags[row] & kDead) != 0) continue;
      const uint32_t group = own.groups[row];
      const bool has_key = group != GroupTable::kNoGroup;
      living.push_back(static_cast<int32_t>(row));
      places.push_back(has_key ? static_cast<int32_t>(groups.size()) : -1);
      if (has_key) groups.push_back(group);
      times.append(own.times[row]);
      if (shape_.range) range_times.append(own.range_times[row]);
      keyed.append(has_key);
      matched.append((own.flags[row] & kMatched) != 0);
    }
    std::vector<Field> fields;
    std::vector<ColumnPtr> columns;
    const auto add = [&](std::string name, ColumnPtr column) {
      fields.push_back({std::move(name), column->type()});
      columns.push_back(std::move(column));
    };
    for (size_t c = 0; c < all.num_columns(); ++c) {
      if (all.column(c)) add("column" + std::to_string(c), take(*all.column(c), living));
    }
    for (size_t k = 0; k < shape_.key_types.size(); ++k)
      add("key" + std::to_string(k), take(*keys_.key(k, groups), places));
    add("time", times.finish());
    if (shape_.range) add("range_time", range_times.finish());
    add("keyed", keyed.finish());
    add("matched", matched.finish());
    FLOWRUN_RETURN_IF_ERROR(writer.write(
        kSections[side],
        RecordBatch(Schema::make(std::move(fields)), std::ssize(living), std::move(columns))));
  }
  return {};
}

Status StreamJoinPartition::load(size_t side, const RecordBatch& saved) {
  Rows& own = sides_[side];
  const auto column = [&](const std::string& name) -> ColumnPtr {
    const std::vector<size_t> found = saved.schema()->find_all(name);
    return found.empty() ? nullptr : saved.column(found[0]);
  };
  std::vector<ColumnPtr> columns(own.columns.size());
  for (size_t c = 0; c < columns.size(); ++c) columns[c] = column("column" + std::to_string(c));
  StreamJoinLocal::Piece piece;
  piece.side = side;
  piece.rows = RecordBatch(shape_.sides[side].schema, saved.num_rows(), std::move(columns));
  for (size_t k = 0; k < shape_.key_types.size(); ++k)
    piece.keys.push_back(column("key" + std::to_string(k)));
  piece.times = column("time");
  piece.range_times = column("range_time");
  const ColumnPtr keyed = column("keyed");
  const ColumnPtr matched = column("matched");
  if (!piece.times || !keyed || !matched || (shape_.range && !piece.range_times) ||
      std::ranges::find(piece.keys, nullptr) != piece.keys.end())
    return Error::data("the saved state is not that of this join");
  const std::vector<size_t> partitions = partitions_of_keys(piece.keys, saved.num_rows(), count_);
  std::array<std::vector<int32_t>, 2> selected;  // without a key, with one
  for (int64_t i = 0; i < saved.num_rows(); ++i) {
    if (partitions[static_cast<size_t>(i)] == number_)
      selected[keyed->boolean(i) ? 1 : 0].push_back(static_cast<int32_t>(i));
  }
  for (const bool has_key : {true, false}) {
    const size_t first = own.flags.size();
    const std::vector<int32_t>& picked = selected[has_key ? 1 : 0];
    append(piece, picked, has_key);
    for (size_t i = 0; i < picked.size(); ++i)
      own.flags[first + i] = matched->boolean(picked[i]) ? kMatched : 0;
  }
  link(side);
  return {};
}

}  // namespace flowrun
