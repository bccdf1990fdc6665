#include "runtime/operator/stream_join_partition.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "runtime/columnar/hash.h"

namespace flowrun {

namespace {

constexpr int64_t kManyPairs = 64 << 10;  // candidates that are looked at together
constexpr size_t kBlock = 1024;           // rows whose least time is known
constexpr int64_t kFewDead = 4096;        // not worth a compaction
constexpr int32_t kPrefetchDistance = 8;

template <class T>
void keep_rows(std::vector<T>& values, std::span<const int32_t> rows) {
  for (size_t i = 0; i < rows.size(); ++i) values[i] = values[static_cast<size_t>(rows[i])];
  values.resize(rows.size());
  if (values.capacity() > 4 * values.size()) values.shrink_to_fit();
}

template <class T>
int64_t bytes_of(const std::vector<T>& values) {
  return static_cast<int64_t>(values.capacity() * sizeof(T));
}

int64_t time_at(const ColumnPtr& times, int32_t row, int64_t otherwise) {
  const bool has_time = times && times->is_valid(row);
  return has_time ? times->values<int64_t>()[static_cast<size_t>(row)] : otherwise;
}

int64_t saturating_add(int64_t a, int64_t b) {
  int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return a < 0 ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max();
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

void StreamJoinPartition::append(const StreamJoinLocal::Piece& piece,
                                 std::span<const int32_t> selected, bool keyed) {
  if (selected.empty()) return;
  const size_t side = piece.side;
  const RecordBatch& rows = piece.rows;
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
    for (const ColumnPtr& key : piece.keys) picked.push_back(take(*key, selected));
    keys_.find_or_add(picked, std::span(own.groups).subspan(first));
  }
  own.next.resize(own.groups.size(), -1);
  own.flags.resize(own.groups.size(), 0);
  own.living += std::ssize(selected);
  for (const int32_t row : selected) {
    const int64_t time = time_at(piece.times, row, kEndOfTime);
    if (own.times.size() % kBlock == 0) own.block_times.push_back(kEndOfTime);
    own.block_times.back() = std::min(own.block_times.back(), time);
    own.times.push_back(time);
    if (shape_.range) own.range_times.push_back(time_at(piece.range_times, row, kNoRangeTime));
  }
}

// Hangs the rows that are new into the chains of their keys.
void StreamJoinPartition::link(size_t side) {
  Rows& own = sides_[side];
  own.heads.resize(keys_.size(), -1);
  own.latest.resize(own.range_times.size());
  for (; own.linked < own.size(); ++own.linked) {
    const uint32_t group = own.groups[index(own.linked)];
    if (group == GroupTable::kNoGroup) continue;
    const int32_t before = std::exchange(own.heads[group], own.linked);
    own.next[index(own.linked)] = before;
    if (!shape_.range) continue;
    const int64_t time = own.range_times[index(own.linked)];
    own.latest[index(own.linked)] = before < 0 ? time : std::max(time, own.latest[index(before)]);
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
  // What a sink has still to be given of the epoch before is kept as rows.
  FLOWRUN_RETURN_IF_ERROR(make_rows([&](RecordBatch rows) {
    pending_.add(matched_in_, std::move(rows));
    return ok_status();
  }));
  release_numbers();
  matched_in_ = epoch.id;
  context_ = epoch.context;
  if (pieces.empty()) return {};
  std::ranges::sort(pieces, {}, &StreamJoinLocal::Piece::place);
  // In the order of their arrival, so that each pair is seen once, by the later of its rows, and
  // the newest rows of a chain are near in time to those that look for them.
  RowPairs pairs;
  for (const auto* piece : pieces) {
    const int32_t first = sides_[piece->side].size();
    append(*piece, piece->keyed[number_], true);
    append(*piece, piece->single[number_], false);
    FLOWRUN_RETURN_IF_ERROR(put_out_alone(piece->side, piece->rows, piece->alone[number_], epoch));
    FLOWRUN_RETURN_IF_ERROR(probe(piece->side, first, pairs, epoch));
    link(piece->side);
  }
  return settle(pairs, epoch);
}

StreamJoinPartition::Span StreamJoinPartition::span_of(size_t side, int32_t row) const {
  const int64_t time = sides_[side].range_times[index(row)];
  if (time == kNoRangeTime) return {1, 0};
  const TimeRange& range = *shape_.range;
  if (side == 0) return {saturating_add(time, range.least), saturating_add(time, range.most)};
  return {saturating_add(time, -range.most), saturating_add(time, -range.least)};
}

Status StreamJoinPartition::probe(size_t side, int32_t first, RowPairs& pairs, const Epoch& epoch) {
  const Rows& own = sides_[side];
  const Rows& other = sides_[1 - side];
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
    const Span span = shape_.range ? span_of(side, row) : Span{};
    for (int32_t at = *head; at >= other.first_living; at = other.next[index(at)]) {
      if (shape_.range) {
        if (other.latest[index(at)] < span.first) break;
        const int64_t time = other.range_times[index(at)];
        if (time < span.first || time > span.last) continue;
      }
      if ((other.flags[index(at)] & kDead) != 0) continue;
      own_rows.push_back(row);
      other_rows.push_back(at);
      if (pairs.size() >= kManyPairs) FLOWRUN_RETURN_IF_ERROR(settle(pairs, epoch));
    }
  }
  return {};
}

// Keeps the pairs that fulfil the whole condition as matches.
Status StreamJoinPartition::settle(RowPairs& pairs, const Epoch& epoch) {
  if (pairs.size() == 0) return {};
  FLOWRUN_RETURN_IF_ERROR(shape_.join.keep_true(view(0), view(1), epoch.context, pairs));
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
  matches_.left.insert(matches_.left.end(), pairs.left.begin(), pairs.left.end());
  matches_.right.insert(matches_.right.end(), pairs.right.begin(), pairs.right.end());
  pairs.clear();
  return {};
}

template <class Take>
Status StreamJoinPartition::make_rows(Take take_rows) const {
  if (matches_.size() == 0) return {};
  const std::array views{view(0), view(1)};
  const auto count = matches_.left.size();
  RowPairs some;
  for (size_t first = 0; first < count; first += kManyPairs) {
    const auto from = static_cast<std::ptrdiff_t>(first);
    const auto to = static_cast<std::ptrdiff_t>(std::min<size_t>(count, first + kManyPairs));
    some.left.assign(matches_.left.begin() + from, matches_.left.begin() + to);
    some.right.assign(matches_.right.begin() + from, matches_.right.begin() + to);
    FLOWRUN_TRY(RecordBatch rows,
                shape_.join.rows(views[0], views[1], some, shape_.wanted, context_));
    FLOWRUN_RETURN_IF_ERROR(take_rows(std::move(rows)));
  }
  return {};
}

Status StreamJoinPartition::emit(const Ask& ask, Emitter& out) const {
  FLOWRUN_RETURN_IF_ERROR(pending_.emit(ask.since, out));
  if (matched_in_ <= ask.since) return {};
  return make_rows([&](RecordBatch rows) { return out.emit(0, std::move(rows)); });
}

void StreamJoinPartition::forget(EpochId served) {
  pending_.forget(served);
  if (matched_in_ <= served) release_numbers();
}

// No match is kept by the numbers of its rows any more: they may be given anew.
void StreamJoinPartition::release_numbers() {
  if (matches_.size() > kManyPairs) {
    matches_ = RowPairs();
  } else {
    matches_.clear();
  }
  for (size_t side = 0; side < 2; ++side) {
    const Rows& own = sides_[side];
    if (const int64_t dead = own.size() - own.living; dead > std::max(own.living, kFewDead))
      compact(side);
  }
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
  const std::array both = side == 0 ? std::array{batch, none} : std::array{none, batch};
  FLOWRUN_TRY(RecordBatch out,
              shape_.join.rows(both[0], both[1], pairs, shape_.wanted, epoch.context));
  pending_.add(epoch.id, std::move(out));
  return {};
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
      const std::vector<int32_t> ended = expired(own, bound);
      for (const int32_t row : ended) kill(own, row);
      for (const int32_t row : ended) {
        if (!shape.outer || (own.flags[index(row)] & kMatched) != 0) continue;
        matches_.add(side == 0 ? row : -1, side == 0 ? -1 : row);
      }
    }
    while (own.first_living < own.size() && (own.flags[index(own.first_living)] & kDead) != 0)
      ++own.first_living;
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
  if (shape_.range) keep_rows(own.range_times, living);
  own.latest = {};
  own.block_times.assign((own.times.size() + kBlock - 1) / kBlock, kEndOfTime);
  for (size_t row = 0; row < own.times.size(); ++row)
    own.block_times[row / kBlock] = std::min(own.block_times[row / kBlock], own.times[row]);
  own.next = std::vector<int32_t>(living.size(), -1);
  own.heads = std::vector<int32_t>(keys_.size(), -1);
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

int64_t StreamJoinPartition::memory_bytes() const {
  int64_t bytes = keys_.memory_bytes() + pending_.memory_bytes() + bytes_of(matches_.left) +
                  bytes_of(matches_.right);
  for (const Rows& rows : sides_) {
    for (const GrowingColumn& column : rows.columns) bytes += column.memory_bytes();
    bytes += bytes_of(rows.groups) + bytes_of(rows.next) + bytes_of(rows.times) +
             bytes_of(rows.block_times) + bytes_of(rows.range_times) + bytes_of(rows.latest) +
             bytes_of(rows.flags) + bytes_of(rows.heads);
  }
  return bytes;
}

}  // namespace flowrun
