// How a partition's rows are saved and come back: one section, a row for each row that is kept,
// with its keys, its place (below) and the variables it may be.
#include <algorithm>
#include <bit>
#include <numeric>
#include <utility>

#include "runtime/columnar/builder.h"
#include "runtime/operator/pattern_partition.h"

namespace flowrun {

namespace {

enum Place : int64_t {
  kBefore,   // before its key's search, for `prev`
  kInside,   // of its key's search, or behind it
  kWaiting,  // the watermark has not passed it
};

struct EarlierNumber {
  template <class Waiting>
  bool operator()(const Waiting& a, const Waiting& b) const {
    return a.row.number < b.row.number;
  }
};

}  // namespace

// Searches are not saved: from their first rows they come to where they were.
Status PatternPartition::save(SnapshotWriter& writer) const {
  std::vector<int64_t> numbers;
  std::vector<uint32_t> groups;
  FixedBuilder<int64_t> places(Type::bigint());
  FixedBuilder<int64_t> variables(Type::bigint());
  const auto add = [&](const PatternRow& row, uint32_t key, int64_t place) {
    numbers.push_back(row.number);
    groups.push_back(key);
    places.append(place);
    variables.append(std::bit_cast<int64_t>(row.variables));
  };
  for (uint32_t key = 0; key < keys_.size(); ++key) {
    for (size_t i = 0; i < keys_[key].rows.size(); ++i)
      add(keys_[key].rows[i], key, i < keys_[key].start ? kBefore : kInside);
  }
  std::vector<Waiting> waiting = waiting_;
  std::ranges::sort(waiting, EarlierNumber{});
  for (const Waiting& row : waiting) add(row.row, row.key, kWaiting);
  std::vector<ColumnPtr> columns{places.finish()};
  std::vector<Field> fields{{"place", Type::bigint()}};
  if (!shape_.key_types.empty()) {
    for (ColumnPtr& key : table_.keys(groups)) {
      fields.push_back({"key", key->type()});
      columns.push_back(std::move(key));
    }
  }
  fields.push_back({"variables", Type::bigint()});
  columns.push_back(variables.finish());
  const RecordBatch gathered = rows_.gather(numbers, shape_.kept);
  for (const size_t column : shape_.kept) {
    fields.push_back(shape_.stored->field(column));
    columns.push_back(gathered.column(column));
  }
  return writer.write(
      "rows", RecordBatch(Schema::make(std::move(fields)), static_cast<int64_t>(numbers.size()),
                          std::move(columns)));
}

Status PatternPartition::load(const RecordBatch& saved) {
  if (saved.num_columns() != shape_.first_stored_column() + 1 + shape_.kept.size())
    return Error::invalid("the saved rows are of another pattern");
  const size_t num_keys = shape_.key_types.size();
  std::vector<int32_t> own(static_cast<size_t>(saved.num_rows()));
  std::iota(own.begin(), own.end(), 0);
  if (num_keys > 0) {
    std::vector<uint64_t> hashes(own.size());
    table_.hash_rows(std::span(saved.columns()).subspan(1, num_keys), hashes);
    std::erase_if(
        own, [&](int32_t row) { return hashes[static_cast<size_t>(row)] % count_ != number_; });
  }
  const RecordBatch rows = saved.take(own);
  std::vector<ColumnPtr> carried(
      rows.columns().begin() + 1,
      rows.columns().begin() + static_cast<std::ptrdiff_t>(num_keys) + 2);
  carried.resize(shape_.carried->num_fields());
  for (size_t i = 0; i < shape_.kept.size(); ++i)
    carried[shape_.first_stored_column() + shape_.kept[i]] = rows.column(num_keys + 2 + i);
  insert({shape_.carried, rows.num_rows(), std::move(carried)});
  // All of them wait now, in the order in which they were saved.
  std::vector<Waiting> all = std::exchange(waiting_, {});
  std::ranges::sort(all, EarlierNumber{});
  const auto places = rows.column(0)->values<int64_t>();
  for (size_t i = 0; i < all.size(); ++i) {
    if (places[i] == kWaiting) {
      waiting_.push_back(all[i]);
      continue;
    }
    activate(all[i].key);
    keys_[all[i].key].rows.push_back(all[i].row);
    if (places[i] == kBefore) ++keys_[all[i].key].start;
  }
  std::ranges::make_heap(waiting_, later_row);
  for (const uint32_t key : std::exchange(active_, {})) trim(key, kNoDeadline);
  return {};
}

}  // namespace flowrun
