#include "runtime/columnar/hash.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <set>

#include "runtime/columnar/builder.h"

using namespace flowrun;

namespace {

std::vector<uint64_t> hashes_of(const Column& column) {
  std::vector<uint64_t> hashes(static_cast<size_t>(column.size()), kHashSeed);
  hash_rows(column, hashes);
  return hashes;
}

ColumnPtr doubles(std::initializer_list<std::optional<double>> values) {
  FixedBuilder<double> builder(Type::double_());
  for (const auto& value : values) value ? builder.append(*value) : builder.append_null();
  return builder.finish();
}

ColumnPtr texts(std::initializer_list<std::string_view> values) {
  StringBuilder builder(Type::string());
  for (const auto value : values) builder.append(value);
  return builder.finish();
}

}  // namespace

TEST_CASE("rows that group as equal have equal hashes") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto hashes = hashes_of(*doubles({0.0, -0.0, nan, -nan, 1.0, std::nullopt, std::nullopt}));
  CHECK(hashes[0] == hashes[1]);
  CHECK(hashes[2] == hashes[3]);
  CHECK(hashes[5] == hashes[6]);
  CHECK(std::set<uint64_t>(hashes.begin(), hashes.end()).size() == 4);
}

TEST_CASE("texts of every length have hashes of their own, the same in a slice and alone") {
  std::string text;
  std::set<uint64_t> seen;
  StringBuilder builder(Type::string());
  for (int i = 0; i < 200; ++i, text += static_cast<char>('a' + i % 7)) builder.append(text);
  const ColumnPtr column = builder.finish();
  const auto hashes = hashes_of(*column);
  seen.insert(hashes.begin(), hashes.end());
  CHECK(seen.size() == 200);
  CHECK(hashes_of(*column->slice(50, 100)) ==
        std::vector<uint64_t>(hashes.begin() + 50, hashes.begin() + 150));
  CHECK(hash_text(kHashSeed, column->string(150)) == hashes[150]);
  CHECK(hash_text(kHashSeed, column->string(7)) == hashes[7]);
}

TEST_CASE("nested rows hash by their parts, whatever lies under a null and before a slice") {
  ArrayBuilder arrays(Type::array(Type::string()));
  auto& elements = static_cast<StringBuilder&>(arrays.element());
  const auto add = [&](std::initializer_list<std::string_view> values) {
    for (const auto value : values) elements.append(value);
    arrays.append();
  };
  add({"a", "b"});
  add({"ab"});
  arrays.append_null();
  add({});
  add({"a", "b"});
  const ColumnPtr column = arrays.finish();
  const auto hashes = hashes_of(*column);
  CHECK(hashes[0] == hashes[4]);
  CHECK(std::set<uint64_t>(hashes.begin(), hashes.end()).size() == 4);
  CHECK(hashes_of(*column->slice(3, 2)) == std::vector<uint64_t>(hashes.begin() + 3, hashes.end()));
}

TEST_CASE("columns are combined in order") {
  const ColumnPtr a = texts({"x", "y"});
  const ColumnPtr b = texts({"y", "x"});
  std::vector<uint64_t> hashes(2, kHashSeed);
  hash_rows(*a, hashes);
  hash_rows(*b, hashes);
  CHECK(hashes[0] != hashes[1]);
}
