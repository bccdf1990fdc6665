// Rows appended, sliced, picked, joined, compared and hashed: for every type, whatever the values.
#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <algorithm>

#include "runtime/columnar/builder.h"
#include "runtime/columnar/hash.h"
#include "runtime/columnar/random_columns.h"

using namespace flowrun;

namespace {

// Runs the property with random generators for each type.
template <class Property>
void for_every_type(Property property) {
  for (const Type& type : types_of_every_kind()) {
    INFO(type.simple_string());
    CHECK(rc::check([&](uint64_t seed) {
      std::mt19937_64 random(seed);
      property(type, random);
    }));
  }
}

int64_t below(int64_t bound, std::mt19937_64& random) {
  return static_cast<int64_t>(random() % static_cast<uint64_t>(bound));
}

// A slice of a slice of more rows.
ColumnPtr random_slice(const Type& type, std::mt19937_64& random) {
  const ColumnPtr whole = random_column(type, below(60, random), random);
  const int64_t start = below(whole->size() + 1, random);
  const ColumnPtr slice = whole->slice(start, whole->size() - start);
  const int64_t length = below(slice->size() + 1, random);
  return slice->slice(below(slice->size() - length + 1, random), length);
}

void assert_null_count(const Column& column) {
  int64_t nulls = 0;
  for (int64_t i = 0; i < column.size(); ++i) nulls += column.is_null(i) ? 1 : 0;
  RC_ASSERT(column.null_count() == nulls);
}

void assert_same(const Column& a, const Column& b) {
  RC_ASSERT(a.size() == b.size());
  assert_null_count(b);
  for (int64_t i = 0; i < a.size(); ++i) RC_ASSERT(rows_equal(a, i, b, i));
}

std::vector<uint64_t> hashes_of(const Column& column) {
  std::vector<uint64_t> hashes(static_cast<size_t>(column.size()), kHashSeed);
  hash_rows(column, hashes);
  return hashes;
}

bool has_order(const Type& type) {
  return type.id() != TypeId::map && type.id() != TypeId::calendar_interval &&
         std::ranges::all_of(type.fields(),
                             [](const Field& field) { return has_order(field.type); });
}

}  // namespace

TEST_CASE(
    "rows appended to a builder are the rows of its column, again after finish and truncate") {
  for_every_type([](const Type& type, std::mt19937_64& random) {
    const auto builder = make_builder(type);
    for (int round = 0; round < 2; ++round) {
      const ColumnPtr source = random_slice(type, random);
      const int64_t kept = below(source->size() + 1, random);
      for (int64_t i = 0; i < source->size(); ++i) builder->append_row(*source, i);
      builder->truncate(kept);
      for (int64_t i = kept; i < source->size(); ++i) builder->append_row(*source, i);
      RC_ASSERT(builder->size() == source->size());
      assert_same(*source, *builder->finish());
      RC_ASSERT(builder->size() == 0);
    }
  });
}

TEST_CASE("take gives the rows at the indices, and null for -1") {
  for_every_type([](const Type& type, std::mt19937_64& random) {
    const ColumnPtr source = random_slice(type, random);
    std::vector<int32_t> indices(static_cast<size_t>(below(40, random)));
    for (int32_t& index : indices)
      index = static_cast<int32_t>(below(source->size() + 1, random)) - 1;
    const ColumnPtr taken = take(*source, indices);
    RC_ASSERT(taken->size() == static_cast<int64_t>(indices.size()));
    assert_null_count(*taken);
    for (size_t i = 0; i < indices.size(); ++i) {
      const auto row = static_cast<int64_t>(i);
      const bool missing = indices[i] < 0;
      RC_ASSERT((missing ? taken->is_null(row) : rows_equal(*taken, row, *source, indices[i])));
    }
  });
}

TEST_CASE("concatenate joins slices that share buffers and those that do not") {
  for_every_type([](const Type& type, std::mt19937_64& random) {
    std::vector<ColumnPtr> parts;
    for (int64_t i = below(4, random); i >= 0; --i) {
      parts.push_back(random_slice(type, random));
      if (below(2, random) == 0) parts.push_back(parts.back()->slice(0, parts.back()->size() / 2));
    }
    const auto builder = make_builder(type);
    for (const ColumnPtr& part : parts) {
      for (int64_t i = 0; i < part->size(); ++i) builder->append_row(*part, i);
    }
    const ColumnPtr joined = concatenate(parts);
    assert_same(*builder->finish(), *joined);
    assert_same(*joined, *concatenate(std::vector<ColumnPtr>{joined->slice(0, 0), joined}));
  });
}

TEST_CASE("repeat gives one row many times") {
  for_every_type([](const Type& type, std::mt19937_64& random) {
    const ColumnPtr source = random_column(type, 5, random);
    const ColumnPtr repeated = repeat(*source, 3, 9);
    RC_ASSERT(repeated->size() == 9);
    for (int64_t i = 0; i < 9; ++i) RC_ASSERT(rows_equal(*repeated, i, *source, 3));
  });
}

TEST_CASE("a column of nulls has as many rows and all are null") {
  for (const Type& type : types_of_every_kind()) {
    INFO(type.simple_string());
    for (const int64_t size : {0, 1, 1000, 600'000}) {
      const ColumnPtr column = null_column(type, size);
      CHECK(column->size() == size);
      CHECK(column->null_count() == size);
      CHECK((size == 0 || column->slice(size - 1, 1)->is_null(0)));
    }
  }
}

TEST_CASE("equal rows have equal hashes, and others nearly always different ones") {
  for_every_type([](const Type& type, std::mt19937_64& random) {
    const ColumnPtr a = random_slice(type, random);
    const ColumnPtr b = random_slice(type, random);
    const std::vector<uint64_t> left = hashes_of(*a);
    const std::vector<uint64_t> right = hashes_of(*b);
    for (int64_t i = 0; i < a->size(); ++i) {
      for (int64_t j = 0; j < b->size(); ++j) {
        const bool same = left[static_cast<size_t>(i)] == right[static_cast<size_t>(j)];
        RC_ASSERT(rows_equal(*a, i, *b, j) == same);
      }
    }
  });
}

TEST_CASE("the order of rows is total, and equal in it means equal") {
  for_every_type([](const Type& type, std::mt19937_64& random) {
    if (!has_order(type)) return;
    const ColumnPtr column = random_column(type, 12, random);
    for (int64_t i = 0; i < column->size(); ++i) {
      for (int64_t j = 0; j < column->size(); ++j) {
        const int order = compare_rows(*column, i, *column, j);
        RC_ASSERT((order < 0) == (compare_rows(*column, j, *column, i) > 0));
        RC_ASSERT((order == 0) == rows_equal(*column, i, *column, j));
        for (int64_t k = 0; k < column->size(); ++k) {
          const bool chain = order <= 0 && compare_rows(*column, j, *column, k) <= 0;
          RC_ASSERT(!chain || compare_rows(*column, i, *column, k) <= 0);
        }
      }
    }
  });
}

TEST_CASE(
    "rows are ordered as Spark sorts: nulls first, NaN last, bytes unsigned, prefixes first") {
  FixedBuilder<double> doubles(Type::double_());
  doubles.append_null();
  for (const double value : {-1e300, -0.0, 1.0, 1e300}) doubles.append(value);
  doubles.append(std::numeric_limits<double>::infinity());
  doubles.append(std::numeric_limits<double>::quiet_NaN());
  StringBuilder texts(Type::string());
  texts.append_null();
  for (const std::string_view text : {"", "A", "a", "ab", "b", "\xc3\xa9"}) texts.append(text);
  for (const ColumnPtr& column : {doubles.finish(), texts.finish()}) {
    for (int64_t i = 0; i + 1 < column->size(); ++i)
      CHECK(compare_rows(*column, i, *column, i + 1) < 0);
  }
}

TEST_CASE("bits are copied whatever the places they stand at") {
  CHECK(rc::check([](const std::vector<bool>& bits) {
    const auto size = static_cast<int64_t>(bits.size());
    const int64_t from_offset = *rc::gen::inRange(0, 20);
    const int64_t to_offset = *rc::gen::inRange(0, 20);
    std::vector<uint8_t> from(bitmap_bytes(size + from_offset));
    std::vector<uint8_t> to(bitmap_bytes(size + to_offset), 0);
    set_bits(to.data(), 0, to_offset);
    for (int64_t i = 0; i < size; ++i)
      put_bit(from.data(), from_offset + i, bits[static_cast<size_t>(i)]);
    copy_bits(from.data(), from_offset, size, to.data(), to_offset);
    for (int64_t i = 0; i < to_offset; ++i) RC_ASSERT(get_bit(to.data(), i));
    int64_t count = 0;
    for (int64_t i = 0; i < size; ++i) {
      RC_ASSERT(get_bit(to.data(), to_offset + i) == bits[static_cast<size_t>(i)]);
      count += bits[static_cast<size_t>(i)] ? 1 : 0;
    }
    RC_ASSERT(count_set_bits(to.data(), to_offset, size) == count);
  }));
}
