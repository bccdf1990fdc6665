#include "runtime/state/group_table.h"

#include <rapidcheck.h>
#include <catch2/catch.hpp>
#include <cmath>
#include <map>

#include "runtime/columnar/builder.h"

namespace flowrun {
namespace {

ColumnPtr strings(const std::vector<std::optional<std::string>>& values) {
  StringBuilder builder(Type::string());
  for (const auto& value : values) value ? builder.append(*value) : builder.append_null();
  return builder.finish();
}

ColumnPtr bigints(const std::vector<std::optional<int64_t>>& values) {
  FixedBuilder<int64_t> builder(Type::bigint());
  for (const auto& value : values) value ? builder.append(*value) : builder.append_null();
  return builder.finish();
}

std::vector<uint32_t> add(GroupTable& table, std::vector<ColumnPtr> keys) {
  std::vector<uint32_t> groups(static_cast<size_t>(keys[0]->size()));
  table.find_or_add(keys, groups);
  return groups;
}

using Groups = std::vector<uint32_t>;

TEST_CASE("null is a group of its own for every kind of key") {
  GroupTable one({Type::bigint()});
  CHECK(add(one, {bigints({0, std::nullopt, 0, std::nullopt, 7})}) == Groups{0, 1, 0, 1, 2});
  CHECK(add(one, {bigints({std::nullopt, 7})}) == Groups{1, 2});
  const std::vector<ColumnPtr> keys = one.keys(Groups{0, 1, 2});
  CHECK(keys[0]->is_null(1));
  CHECK(keys[0]->values<int64_t>()[2] == 7);

  GroupTable two({Type::string(), Type::bigint()});
  CHECK(add(two, {strings({"", std::nullopt, "", std::nullopt}),
                  bigints({0, 0, std::nullopt, 0})}) == Groups{0, 1, 2, 1});
}

TEST_CASE("NaN equals NaN and minus zero equals zero") {
  FixedBuilder<double> builder(Type::double_());
  for (const double value : {0.0, -0.0, std::nan(""), -std::nan("1"), 1.0}) builder.append(value);
  GroupTable table({Type::double_()});
  CHECK(add(table, {builder.finish()}) == Groups{0, 0, 1, 1, 2});
}

TEST_CASE("long texts are told apart by their content") {
  const std::string head(40, 'x');
  GroupTable table({Type::string()});
  CHECK(add(table, {strings({head + "a", head + "b", head + "a", "short"})}) == Groups{0, 1, 0, 2});
  CHECK(add(table, {strings({"short", "new", head + "b"})}) == Groups{2, 3, 1});
  CHECK(table.keys(Groups{1})[0]->string(0) == head + "b");
  table.keep(Groups{1, 3});
  CHECK(add(table, {strings({"new", head + "b", "short"})}) == Groups{1, 0, 2});
}

TEST_CASE("structs and maps are keys; the order of a map's entries does not count") {
  const Type type = Type::map(Type::string(), Type::integer());
  MapBuilder builder(type);
  const auto entry = [&](std::string_view key, int32_t value) {
    static_cast<StringBuilder&>(builder.key()).append(key);
    static_cast<FixedBuilder<int32_t>&>(builder.value()).append(value);
  };
  entry("a", 1), entry("b", 2), builder.append();
  entry("b", 2), entry("a", 1), builder.append();
  entry("a", 2), builder.append();
  GroupTable table({type});
  CHECK(add(table, {builder.finish()}) == Groups{0, 0, 1});
}

TEST_CASE("groups agree with an ordered map whatever the batches, and survive merge and keep") {
  using Key = std::pair<std::optional<std::string>, std::optional<int64_t>>;
  const bool holds = rc::check([] {
    const auto text = rc::gen::element<std::string>("", "a", "b", "twelve bytes", "thirteen byte",
                                                    "thirteen bytf");
    const auto key =
        rc::gen::pair(rc::gen::maybe(text), rc::gen::maybe(rc::gen::inRange<int64_t>(-2, 3)));
    const auto rows = *rc::gen::container<
        std::vector<std::pair<std::optional<std::string>, std::optional<int64_t>>>>(
        rc::gen::map(key, [](auto pair) {
          Key result;
          if (pair.first) result.first = *pair.first;
          if (pair.second) result.second = *pair.second;
          return result;
        }));
    GroupTable whole({Type::string(), Type::bigint()});
    GroupTable part({Type::string(), Type::bigint()});
    std::map<Key, uint32_t> expected;
    for (const Key& row : rows) {
      const auto number =
          expected.emplace(row, static_cast<uint32_t>(expected.size())).first->second;
      RC_ASSERT(add(whole, {strings({row.first}), bigints({row.second})}) == Groups{number});
    }
    Groups all(whole.size());
    for (uint32_t i = 0; i < all.size(); ++i) all[i] = static_cast<uint32_t>(all.size()) - 1 - i;
    Groups numbers(all.size());
    part.merge(whole, all, numbers);
    for (uint32_t i = 0; i < all.size(); ++i)
      RC_ASSERT(part.hash(numbers[i]) == whole.hash(all[i]));
    part.keep(numbers);
    Groups found(all.size());
    part.find(whole.keys(all), found);
    RC_ASSERT(found == numbers);
  });
  CHECK(holds);
}

}  // namespace
}  // namespace flowrun
