#include "runtime/columnar/row_bits.h"

#include <rapidcheck.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <optional>
#include <vector>

#include "runtime/columnar/builder.h"

using namespace flowrun;

namespace {

std::vector<int32_t> rows_of(const RowBits& bits) {
  std::vector<int32_t> rows;
  append_rows(bits, rows);
  return rows;
}

}  // namespace

TEST_CASE("NaN counts as missing in float and double columns only") {
  FixedBuilder<double> doubles(Type::double_());
  doubles.append(1);
  doubles.append(std::nan(""));
  doubles.append_null();
  const ColumnPtr column = doubles.finish();
  RowBits bits;
  present_rows(*column, bits);
  CHECK(rows_of(bits) == std::vector<int32_t>{0});
  CHECK(may_miss(*column));
  CHECK(may_miss(*column->slice(1, 1)));
  CHECK_FALSE(may_miss(*column->slice(0, 1)));
}

TEST_CASE("a column of nulls is true nowhere and present nowhere") {
  RowBits bits;
  true_rows(*null_column(Type::boolean(), 70), bits);
  CHECK(rows_of(bits).empty());
  present_rows(*null_column(Type::null(), 70), bits);
  CHECK(rows_of(bits).empty());
}

TEST_CASE("true rows of any slice are the rows that are true") {
  CHECK(rc::check("true rows of any slice",
                  [](const std::vector<std::pair<bool, bool>>& rows, uint8_t from, uint8_t cut) {
                    BooleanBuilder builder;
                    for (const auto& [valid, value] : rows)
                      valid ? builder.append(value) : builder.append_null();
                    const ColumnPtr whole = builder.finish();
                    const int64_t start = std::min<int64_t>(from % 80, whole->size());
                    const int64_t size = std::max<int64_t>(0, whole->size() - start - cut % 80);
                    const ColumnPtr column = whole->slice(start, size);
                    std::vector<int32_t> expected;
                    for (int32_t i = 0; i < size; ++i) {
                      if (column->is_valid(i) && column->boolean(i)) expected.push_back(i);
                    }
                    RowBits bits;
                    true_rows(*column, bits);
                    RC_ASSERT(rows_of(bits) == expected);
                  }));
}
