#include "runtime/operator/stream_join_partition.h"

#include <algorithm>
#include <utility>

#include "runtime/columnar/builder.h"
#include "runtime/columnar/hash.h"

namespace flowrun {

namespace {

constexpr int64_t kManyPairs = 64 << 10;  // candidates that are looked at together
constexpr size_t kBlock = 1024;           // rows whose least time is known
constexpr int64_t kFewDead = 4096;        // not worth a compaction
constexpr int32_t kPrefetchDistance = 8;
constexpr std::array<const char*, 2> kSections{"left", "right"};

template <class T>
void keep_rows(std::vector<T>& values, std::span<const int32_t> rows) {
  for (size_t i = 0; i < rows.size(); ++i) values[i] = values[static_cast<size_t>(rows[i])];
  values.resize(rows.size());
}

template <class T>
int64_t bytes_of(const std::vector<T>& values) {
  return static_cast<int64_t>(values.capacity() * sizeof(T));
}

size_t index(int32_t row) { return static_cast<size_t>(row); }

}  // namespace

std::vector<size_t> partitions_of_keys(std::span<const ColumnPtr> keys, int64_t rows,
                                       size_t count) {
  std::vector<size_t> partitions(static_cast<size_t>(rows), 0);
  if (count == 1) return partitions;
  std::vector<uint64_t> hashes(static_cast<size_t>(rows), kHashSeed);
  for (const ColumnPtr& key : keys) hash_rows(*key, hashes);
  for (size_t i = 0; i < hashes.size(); ++i) partitions[i] = hashes[i] % count;
  return partitions;
}

StreamJoinPartition::StreamJoinPartition(const StreamJoinShape& shape, size_t number, size_t count)
    : shape_(shape), number_(number), count_(count), keys_(shape.key_types) {
  for (size_t side = 0; side < 2; ++side) {
    for (const Field& field : shape.sides[side].schema->fields())
      sides_[side].columns.emplace_back(field.type);
  }
}

void StreamJoinPartition::append(size_t side, const RecordBatch& rows,
                                 std::span<const ColumnPtr> keys, const Column* times,
                                 std::span<const int32_t> selected, bool keyed) {
  if (selected.empty()) return;
  Rows& own = sides_[side];
  for (size_t c = 0; c < own.columns.size(); ++c) {
    if (!shape_.sides[side].kept[c]) continue;
    if (rows.column(c)) {
      own.columns[c].append(*rows.column(c), selected);
    } else {
      own.columns[c].append_nulls(std::ssize(selected));
    }
  }
  const size_t first = own.groups.size();
  own.groups.resize(first + selected.size(), GroupTable::kNoGroup);
  if (keyed) {
    std::vector<ColumnPtr> picked;
    for (const ColumnPtr& key : keys) picked.push_back(take(*key, selected));
    keys_.find_or_add(picked, std::span(own.groups).subspan(first));
  }
  own.next.resize(own.groups.size(), -1);
  own.flags.resize(own.groups.size(), 0);
  own.living += std::ssize(selected);
  for (const int32_t row : selected) {
    const bool ends = times && times->is_valid(row);
    const int64_t time = ends ? times->values<int64_t>()[index(row)] : kEndOfTime;
    if (own.times.size() % kBlock == 0) own.block_times.push_back(kEndOfTime);
    own.block_times.back() = std::min(own.block_times.back(), time);
    own.times.push_back(time);
  }
}

// Hangs the rows that are new into the chains of their keys.
void StreamJoinPartition::link(size_t side) {
  Rows& own = sides_[side];
  own.heads.resize(keys_.size(), -1);
  for (; own.linked < own.size(); ++own.linked) {
    const uint32_t group = own.groups[index(own.linked)];
    if (group == GroupTable::kNoGroup) continue;
    own.next[index(own.linked)] = std::exchange(own.heads[group], own.linked);
  }
}

RecordBatch StreamJoinPartition::view(size_t side) const {
  const Rows& own = sides_[side];
  std::vector<ColumnPtr> columns(own.columns.size());
  for (size_t c = 0; c < columns.size(); ++c) {
    if (shape_.sides[side].kept[c]) columns[c] = own.columns[c].view();
  }
  return {shape_.sides[side].schema, own.size(), std::move(columns)};
}

Status StreamJoinPartition::merge(std::span<Local* const> locals, const Epoch& epoch) {
  std::vector<const StreamJoinLocal::Piece*> pieces;
  for (const Local* local : locals) {
    for (const auto& piece : static_cast<const StreamJoinLocal&>(*local).pieces)
      pieces.push_back(&piece);
  }
  if (pieces.empty()) return {};
  std::ranges::sort(pieces, {}, &StreamJoinLocal::Piece::place);
  const std::array first{sides_[0].size(), sides_[1].size()};
  for (const auto* piece : pieces) {
    append(piece->side, piece->rows, piece->keys, piece->times.get(), piece->keyed[number_], true);
    append(piece->side, piece->rows, piece->keys, piece->times.get(), piece->single[number_],
           false);
    FLOWRUN_RETURN_IF_ERROR(put_out_alone(piece->side, piece->rows, piece->alone[number_], epoch));
  }
  const std::array views{view(0), view(1)};
  // New left rows meet all right rows, new right rows the old left ones: each pair is seen once.
  link(1);
  FLOWRUN_RETURN_IF_ERROR(probe(0, first[0], views, epoch));
  FLOWRUN_RETURN_IF_ERROR(probe(1, first[1], views, epoch));
  link(0);
  return {};
}

Status StreamJoinPartition::probe(size_t side, int32_t first,
                                  const std::array<RecordBatch, 2>& views, const Epoch& epoch) {
  const Rows& own = sides_[side];
  const Rows& other = sides_[1 - side];
  RowPairs pairs;
  std::vector<int32_t>& own_rows = side == 0 ? pairs.left : pairs.right;
  std::vector<int32_t>& other_rows = side == 0 ? pairs.right : pairs.left;
  const auto head_of = [&](int32_t row) -> const int32_t* {
    const uint32_t group = own.groups[index(row)];
    return group < other.heads.size() ? &other.heads[group] : nullptr;  // kNoGroup is beyond
  };
  for (int32_t row = first; row < own.size(); ++row) {
    if (row + kPrefetchDistance < own.size()) __builtin_prefetch(head_of(row + kPrefetchDistance));
    const int32_t* head = head_of(row);
    if (!head) continue;
    for (int32_t at = *head; at >= other.first_living; at = other.next[index(at)]) {
      if ((other.flags[index(at)] & kDead) != 0) continue;
      own_rows.push_back(row);
      other_rows.push_back(at);
      if (pairs.size() >= kManyPairs) FLOWRUN_RETURN_IF_ERROR(settle(pairs, views, epoch));
    }
  }
  return settle(pairs, views, epoch);
}

// Puts the pairs out that fulfil the whole condition.
Status StreamJoinPartition::settle(RowPairs& pairs, const std::array<RecordBatch, 2>& views,
                                   const Epoch& epoch) {
  FLOWRUN_RETURN_IF_ERROR(shape_.join.keep_true(views[0], views[1], epoch.context, pairs));
  if (shape_.sides[0].once) {
    RowPairs matched;
    for (const int32_t row : pairs.left) {
      if ((sides_[0].flags[index(row)] & kDead) != 0) continue;
      kill(sides_[0], row);
      matched.add(row, -1);
    }
    pairs = std::move(matched);
  }
  for (size_t side = 0; side < 2; ++side) {
    if (!shape_.sides[side].outer) continue;
    for (const int32_t row : side == 0 ? pairs.left : pairs.right)
      sides_[side].flags[index(row)] |= kMatched;
  }
  FLOWRUN_RETURN_IF_ERROR(put_out(pairs, views, epoch));
  pairs.clear();
  return {};
}

Status StreamJoinPartition::put_out(const RowPairs& pairs, const std::array<RecordBatch, 2>& views,
                                    const Epoch& epoch) {
  if (pairs.size() == 0) return {};
  FLOWRUN_TRY(RecordBatch rows,
              shape_.join.rows(views[0], views[1], pairs, shape_.wanted, epoch.context));
  pending_.add(epoch.id, std::move(rows));
  return {};
}

Status StreamJoinPartition::put_out_alone(size_t side, const RecordBatch& batch,
                                          std::span<const int32_t> rows, const Epoch& epoch) {
  if (rows.empty()) return {};
  const SchemaPtr& other = shape_.sides[1 - side].schema;
  std::vector<ColumnPtr> nulls;
  for (const Field& field : other->fields()) nulls.push_back(null_column(field.type, 0));
  const RecordBatch none(other, 0, std::move(nulls));
  RowPairs pairs;
  (side == 0 ? pairs.left : pairs.right).assign(rows.begin(), rows.end());
  (side == 0 ? pairs.right : pairs.left).assign(rows.size(), -1);
  return put_out(pairs, side == 0 ? std::array{batch, none} : std::array{none, batch}, epoch);
}

void StreamJoinPartition::kill(Rows& rows, int32_t row) {
  rows.flags[index(row)] |= kDead;
  --rows.living;
}

// The living rows whose time is not after the bound.
std::vector<int32_t> StreamJoinPartition::expired(Rows& rows, int64_t bound) const {
  std::vector<int32_t> found;
  const size_t first = index(rows.first_living) / kBlock;
  for (size_t block = first; block < rows.block_times.size(); ++block) {
    if (rows.block_times[block] > bound) continue;
    int64_t least = kEndOfTime;
    const size_t end = std::min((block + 1) * kBlock, rows.times.size());
    for (size_t row = block * kBlock; row < end; ++row) {
      const int64_t time = rows.times[row];
      if ((rows.flags[row] & kDead) != 0 || time == kEndOfTime) continue;
      if (time <= bound) {
        found.push_back(static_cast<int32_t>(row));
      } else {
        least = std::min(least, time);
      }
    }
    rows.block_times[block] = least;
  }
  return found;
}

Status StreamJoinPartition::evict(const Epoch& epoch) {
  for (size_t side = 0; side < 2; ++side) {
    const StreamJoinShape::Side& shape = shape_.sides[side];
    Rows& own = sides_[side];
    if (shape.evicts) {
      const int64_t bound = shape.bound ? shape.bound->at(epoch.watermark) : epoch.watermark;
      std::vector<int32_t> ended = expired(own, bound);
      for (const int32_t row : ended) kill(own, row);
      if (shape.outer) {
        std::erase_if(ended, [&](int32_t row) { return own.flags[index(row)] & kMatched; });
        if (!ended.empty()) FLOWRUN_RETURN_IF_ERROR(put_out_alone(side, view(side), ended, epoch));
      }
    }
    while (own.first_living < own.size() && (own.flags[index(own.first_living)] & kDead) != 0)
      ++own.first_living;
    if (const int64_t dead = own.size() - own.living; dead > std::max(own.living, kFewDead))
      compact(side);
  }
  return {};
}

// Numbers the living rows anew; the others are gone.
void StreamJoinPartition::compact(size_t side) {
  Rows& own = sides_[side];
  std::vector<int32_t> living;
  living.reserve(static_cast<size_t>(own.living));
  for (int32_t row = own.first_living; row < own.size(); ++row) {
    if ((own.flags[index(row)] & kDead) == 0) living.push_back(row);
  }
  for (size_t c = 0; c < own.columns.size(); ++c) {
    if (!shape_.sides[side].kept[c]) continue;
    GrowingColumn kept(own.columns[c].type());
    kept.append(*own.columns[c].view(), living);
    own.columns[c] = std::move(kept);
  }
  keep_rows(own.groups, living);
  keep_rows(own.times, living);
  keep_rows(own.flags, living);
  own.block_times.assign((own.times.size() + kBlock - 1) / kBlock, kEndOfTime);
  for (size_t row = 0; row < own.times.size(); ++row)
    own.block_times[row / kBlock] = std::min(own.block_times[row / kBlock], own.times[row]);
  own.next.assign(living.size(), -1);
  own.heads.assign(keys_.size(), -1);
  own.linked = own.first_living = 0;
  drop_unused_keys();
  link(side);
}

// Forgets keys that no row has any more, once they are most of them. REQUIRES: the side that was
// compacted is not linked; the other one's dead rows lose their keys.
void StreamJoinPartition::drop_unused_keys() {
  std::vector<uint8_t> used(keys_.size(), 0);
  for (const Rows& rows : sides_) {
    for (size_t row = 0; row < rows.groups.size(); ++row) {
      if (rows.groups[row] != GroupTable::kNoGroup && (rows.flags[row] & kDead) == 0)
        used[rows.groups[row]] = 1;
    }
  }
  std::vector<uint32_t> kept;
  std::vector<uint32_t> number(used.size(), GroupTable::kNoGroup);
  for (uint32_t group = 0; group < used.size(); ++group) {
    if (used[group] == 0) continue;
    number[group] = static_cast<uint32_t>(kept.size());
    kept.push_back(group);
  }
  if (kept.size() * 2 > used.size()) return;
  keys_.keep(kept);
  for (Rows& rows : sides_) {
    for (uint32_t& group : rows.groups) {
      if (group != GroupTable::kNoGroup) group = number[group];
    }
    std::vector<int32_t> heads(kept.size(), -1);
    for (size_t i = 0; i < kept.size() && kept[i] < rows.heads.size(); ++i)
      heads[i] = rows.heads[kept[i]];
    rows.heads = std::move(heads);
  }
}

Status StreamJoinPartition::save(SnapshotWriter& writer) const {
  for (size_t side = 0; side < 2; ++side) {
    const Rows& own = sides_[side];
    const RecordBatch all = view(side);
    std::vector<int32_t> living;
    std::vector<uint32_t> groups;  // of the living that have a key
    std::vector<int32_t> places;   // of each living row among them
    FixedBuilder<int64_t> times(Type::bigint());
    BooleanBuilder keyed;
    BooleanBuilder matched;
    for (int32_t row = own.first_living; row < own.size(); ++row) {
      if ((own.flags[index(row)] & kDead) != 0) continue;
      const uint32_t group = own.groups[index(row)];
      const bool has_key = group != GroupTable::kNoGroup;
      living.push_back(row);
      places.push_back(has_key ? static_cast<int32_t>(groups.size()) : -1);
      if (has_key) groups.push_back(group);
      times.append(own.times[index(row)]);
      keyed.append(has_key);
      matched.append((own.flags[index(row)] & kMatched) != 0);
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
  const RecordBatch rows(shape_.sides[side].schema, saved.num_rows(), std::move(columns));
  std::vector<ColumnPtr> keys;
  for (size_t k = 0; k < shape_.key_types.size(); ++k)
    keys.push_back(column("key" + std::to_string(k)));
  const ColumnPtr times = column("time");
  const ColumnPtr keyed = column("keyed");
  const ColumnPtr matched = column("matched");
  if (!times || !keyed || !matched || std::ranges::find(keys, nullptr) != keys.end())
    return Error::data("the saved state is not that of this join");
  const std::vector<size_t> partitions = partitions_of_keys(keys, rows.num_rows(), count_);
  std::array<std::vector<int32_t>, 2> selected;  // without a key, with one
  for (int64_t i = 0; i < rows.num_rows(); ++i) {
    if (partitions[static_cast<size_t>(i)] == number_)
      selected[keyed->boolean(i) ? 1 : 0].push_back(static_cast<int32_t>(i));
  }
  for (const bool has_key : {true, false}) {
    const size_t first = own.flags.size();
    const std::vector<int32_t>& picked = selected[has_key ? 1 : 0];
    append(side, rows, keys, times.get(), picked, has_key);
    for (size_t i = 0; i < picked.size(); ++i)
      own.flags[first + i] = matched->boolean(picked[i]) ? kMatched : 0;
  }
  link(side);
  return {};
}

int64_t StreamJoinPartition::memory_bytes() const {
  int64_t bytes = keys_.memory_bytes() + pending_.memory_bytes();
  for (const Rows& rows : sides_) {
    for (const GrowingColumn& column : rows.columns) bytes += column.memory_bytes();
    bytes += bytes_of(rows.groups) + bytes_of(rows.next) + bytes_of(rows.times) +
             bytes_of(rows.block_times) + bytes_of(rows.flags) + bytes_of(rows.heads);
  }
  return bytes;
}

}  // namespace flowrun
