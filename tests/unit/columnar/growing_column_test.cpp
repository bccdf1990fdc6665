// Rows appended many at a time, and readable in between: for every type, whatever the values.
#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include "runtime/columnar/growing_column.h"
#include "runtime/columnar/random_columns.h"

using namespace flowrun;

namespace {

std::vector<int32_t> random_rows(int64_t size, std::mt19937_64& random) {
  std::vector<int32_t> rows(random() % 40);
  for (int32_t& row : rows)
    row = size == 0 || random() % 8 == 0
              ? -1
              : static_cast<int32_t>(random() % static_cast<uint64_t>(size));
  return rows;
}

}  // namespace

TEST_CASE("a growing column holds the rows that were appended to it") {
  for (const Type& type : types_of_every_kind()) {
    INFO(type.simple_string());
    CHECK(rc::check([&](uint64_t seed) {
      std::mt19937_64 random(seed);
      GrowingColumn column(type);
      std::vector<ColumnPtr> expected{null_column(type, 0)};
      ColumnPtr early;  // picked before the last rows came
      for (int step = 0; step < 5; ++step) {
        const ColumnPtr whole = random_column(type, static_cast<int64_t>(random() % 30), random);
        const ColumnPtr from = whole->slice(whole->size() / 3, whole->size() - whole->size() / 3);
        const std::vector<int32_t> rows = random_rows(from->size(), random);
        column.append(*from, rows);
        expected.push_back(take(*from, rows));
        if (step == 2 && column.size() > 0) early = take(*column.view(), std::array{0});
      }
      const ColumnPtr all = concatenate(expected);
      const ColumnPtr view = column.view();
      RC_ASSERT(view->size() == all->size());
      RC_ASSERT(view->null_count() == all->null_count());
      for (int64_t i = 0; i < all->size(); ++i) RC_ASSERT(rows_equal(*all, i, *view, i));
      if (early) RC_ASSERT(rows_equal(*all, 0, *early, 0));
    }));
  }
}
