// Rows compared: equality as Spark groups, order as it sorts.
#include <algorithm>
#include <cmath>

#include "runtime/columnar/column.h"

namespace flowrun {

namespace {

template <class T>
int compare_values(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(a) || std::isnan(b))
      return static_cast<int>(std::isnan(a)) - static_cast<int>(std::isnan(b));
  }
  return a < b ? -1 : (b < a ? 1 : 0);
}

int compare_lists(const Column& a, int64_t i, const Column& b, int64_t j) {
  int32_t x = a.list_begin(i);
  int32_t y = b.list_begin(j);
  for (; x < a.list_end(i) && y < b.list_end(j); ++x, ++y) {
    if (const int order = compare_rows(*a.child(0), x, *b.child(0), y); order != 0) return order;
  }
  return compare_values(a.list_end(i) - x, b.list_end(j) - y);
}

// Arrays and maps: as many elements, each equal, in order.
bool lists_equal(const Column& a, int64_t i, const Column& b, int64_t j) {
  const int32_t length = a.list_end(i) - a.list_begin(i);
  if (length != b.list_end(j) - b.list_begin(j)) return false;
  for (size_t c = 0; c < a.children().size(); ++c) {
    for (int32_t e = 0; e < length; ++e) {
      if (!rows_equal(*a.child(c), a.list_begin(i) + e, *b.child(c), b.list_begin(j) + e))
        return false;
    }
  }
  return true;
}

template <class T>
T value_at(const Column& column, int64_t row) {
  return column.values<T>()[static_cast<size_t>(row)];
}

}  // namespace

int compare_rows(const Column& a, int64_t i, const Column& b, int64_t j) {
  if (a.is_null(i) || b.is_null(j))
    return static_cast<int>(a.is_valid(i)) - static_cast<int>(b.is_valid(j));
  switch (a.type().id()) {
    case TypeId::null:
      return 0;
    case TypeId::boolean:
      return static_cast<int>(a.boolean(i)) - static_cast<int>(b.boolean(j));
    case TypeId::string:
    case TypeId::binary:
      return a.string(i).compare(b.string(j));
    case TypeId::array:
      return compare_lists(a, i, b, j);
    case TypeId::map:
      check_failed(__FILE__, __LINE__, "not a map", "maps have no order");
    case TypeId::struct_:
      for (size_t f = 0; f < a.children().size(); ++f) {
        if (const int order = compare_rows(*a.child(f), i, *b.child(f), j); order != 0)
          return order;
      }
      return 0;
    case TypeId::calendar_interval:
      check_failed(__FILE__, __LINE__, "not an interval", "calendar intervals have no order");
    default:
      return visit_fixed(a.type().id(), [&](auto tag) {
        using T = typename decltype(tag)::type;
        if constexpr (std::is_same_v<T, CalendarInterval>) {
          return 0;
        } else {
          return compare_values(value_at<T>(a, i), value_at<T>(b, j));
        }
      });
  }
}

bool rows_equal(const Column& a, int64_t i, const Column& b, int64_t j) {
  if (a.is_null(i) || b.is_null(j)) return a.is_null(i) && b.is_null(j);
  switch (a.type().id()) {
    case TypeId::string:
    case TypeId::binary:
      return a.string(i) == b.string(j);
    case TypeId::array:
    case TypeId::map:
      return lists_equal(a, i, b, j);
    case TypeId::struct_:
      for (size_t f = 0; f < a.children().size(); ++f) {
        if (!rows_equal(*a.child(f), i, *b.child(f), j)) return false;
      }
      return true;
    case TypeId::calendar_interval:
      return value_at<CalendarInterval>(a, i) == value_at<CalendarInterval>(b, j);
    default:
      return compare_rows(a, i, b, j) == 0;
  }
}

}  // namespace flowrun
