#pragma once
// Reading lists row by row, and making new ones out of elements that exist already: what most
// functions of arrays and maps come down to.

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/expr/datum.h"

namespace flowrun {

// The elements of row `row` of an array or map are [begin, end) of its children.
struct ListRange {
  int32_t begin;
  int32_t end;
  [[nodiscard]] int32_t size() const { return end - begin; }
};
inline ListRange list_at(const Datum& list, int64_t row) {
  return {list.column->list_begin(list.at(row)), list.column->list_end(list.at(row))};
}

// The index, a bigint, in row `row`. Only its lower half counts, as in Spark.
inline int32_t index_at(const Datum& index, int64_t row) {
  return static_cast<int32_t>(index.column->values<int64_t>()[static_cast<size_t>(index.at(row))]);
}

// What a function may make of a batch where it makes more elements than it was given.
constexpr int64_t kMostElements = int64_t{1} << 27;

// Lists put together from places of elements in some source columns.
//
//   ListAssembler out(rows);
//   for (...) { out.add(place); ... out.close_row(); }     // or out.null_row()
//   return out.finish(type, {elements});
class ListAssembler {
 public:
  explicit ListAssembler(int64_t rows);
  // `place` counts over the sources put one behind the other; -1 is a null element.
  void add(int32_t place) { places_.push_back(place); }
  void close_row() { offsets_.push_back(static_cast<int32_t>(places_.size())); }
  void null_row();
  // Of all rows so far.
  [[nodiscard]] int64_t num_elements() const { return static_cast<int64_t>(places_.size()); }
  // Elements of the row that is open.
  [[nodiscard]] std::span<const int32_t> open_row() const {
    return std::span(places_).subspan(static_cast<size_t>(offsets_.back()));
  }
  // One column of elements, out of `sources` one behind the other.
  [[nodiscard]] ColumnPtr elements(std::span<const ColumnPtr> sources) const;
  // A list of these children, each as long as elements().
  [[nodiscard]] ColumnPtr finish(const Type& type, std::vector<ColumnPtr> children) const;
  [[nodiscard]] ColumnPtr finish_array(const Type& type, std::span<const ColumnPtr> sources) const {
    return finish(type, {elements(sources)});
  }

 private:
  std::vector<int32_t> places_;
  std::vector<int32_t> offsets_{0};
  std::vector<int64_t> nulls_;
};

// Whether the arguments are constants all: then one row was computed.
inline bool all_constant(std::span<const Datum> arguments) {
  return rows_to_compute(arguments, 2) == 1;
}

}  // namespace flowrun
