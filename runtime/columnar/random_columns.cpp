#include "runtime/columnar/random_columns.h"

#include <algorithm>
#include <limits>

#include "runtime/columnar/builder.h"

namespace flowrun {

namespace {

size_t below(size_t bound, std::mt19937_64& random) {
  return static_cast<size_t>(random() % bound);
}

template <class T>
T random_value(std::mt19937_64& random) {
  if constexpr (std::is_floating_point_v<T>) {
    using Limits = std::numeric_limits<T>;
    static constexpr T kValues[] = {T{0},   -T{0}, Limits::quiet_NaN(), Limits::infinity(),
                                    T{1.5}, -T{2}};
    return kValues[below(std::size(kValues), random)];
  } else if constexpr (std::is_same_v<T, CalendarInterval>) {
    return {static_cast<int32_t>(below(3, random)), static_cast<int32_t>(below(2, random)) - 1,
            static_cast<int64_t>(below(2, random))};
  } else if constexpr (std::is_same_v<T, Decimal128>) {
    const auto value = static_cast<int64_t>(below(5, random)) - 2;
    return static_cast<Decimal128>(value) * 1'000'000'007;
  } else {
    using Limits = std::numeric_limits<T>;
    static constexpr T kValues[] = {T{0}, T{1}, T{2}, T{-1}, Limits::min(), Limits::max()};
    return kValues[below(std::size(kValues), random)];
  }
}

std::string random_text(std::mt19937_64& random) {
  static const std::string kTexts[] = {"",
                                       "a",
                                       "B",
                                       "exactly 12 b",
                                       "thirteen byte",
                                       "a text that is longer than what stands inline",
                                       "é",
                                       "10"};
  return kTexts[below(std::size(kTexts), random)];
}

void append_random(ColumnBuilder& builder, std::mt19937_64& random) {
  constexpr size_t kNullEvery = 5;
  if (below(kNullEvery, random) == 0) return builder.append_null();
  switch (builder.type().id()) {
    case TypeId::null:
      return builder.append_null();
    case TypeId::boolean:
      return static_cast<BooleanBuilder&>(builder).append(below(2, random) == 0);
    case TypeId::string:
    case TypeId::binary:
      return static_cast<StringBuilder&>(builder).append(random_text(random));
    case TypeId::array: {
      auto& array = static_cast<ArrayBuilder&>(builder);
      for (size_t i = below(4, random); i > 0; --i) append_random(array.element(), random);
      return array.append();
    }
    case TypeId::map: {
      auto& map = static_cast<MapBuilder&>(builder);
      for (size_t i = below(3, random); i > 0; --i) {
        const int64_t size = map.key().size();
        append_random(map.key(), random);
        while (map.key().size() == size) append_random(map.key(), random);
        append_random(map.value(), random);
      }
      return map.append();
    }
    case TypeId::struct_: {
      auto& structure = static_cast<StructBuilder&>(builder);
      for (size_t f = 0; f < structure.num_fields(); ++f) append_random(structure.field(f), random);
      return structure.append();
    }
    default:
      visit_fixed(builder.type().id(), [&](auto tag) {
        using T = typename decltype(tag)::type;
        static_cast<FixedBuilder<T>&>(builder).append(random_value<T>(random));
      });
  }
}

}  // namespace

ColumnPtr random_column(const Type& type, int64_t rows, std::mt19937_64& random) {
  const auto builder = make_builder(type);
  for (int64_t i = 0; i < rows; ++i) append_random(*builder, random);
  return builder->finish();
}

RecordBatch random_batch(const SchemaPtr& schema, int64_t rows, std::mt19937_64& random) {
  std::vector<ColumnPtr> columns;
  for (const Field& field : schema->fields())
    columns.push_back(random_column(field.type, rows, random));
  return {schema, rows, std::move(columns)};
}

std::vector<Type> types_of_every_kind() {
  using enum IntervalUnit;
  const Type pair = Type::struct_({{"a", Type::integer()}, {"b", Type::string()}});
  return {Type::null(),
          Type::boolean(),
          Type::tinyint(),
          Type::smallint(),
          Type::integer(),
          Type::bigint(),
          Type::real(),
          Type::double_(),
          Type::decimal(20, 3),
          Type::string(),
          Type::binary(),
          Type::date(),
          Type::timestamp(),
          Type::year_month_interval(year, month),
          Type::day_time_interval(day, second),
          Type(TypeId::calendar_interval),
          Type::array(Type::bigint()),
          Type::array(Type::string()),
          Type::map(Type::string(), Type::double_()),
          pair,
          Type::struct_({{"l", Type::array(pair)},
                         {"m", Type::map(Type::integer(), Type::array(Type::boolean()))}})};
}

std::vector<RecordBatch> random_pieces(const RecordBatch& batch, size_t pieces,
                                       std::mt19937_64& random) {
  std::vector<int64_t> cuts = {0, batch.num_rows()};
  while (cuts.size() < pieces + 1) {
    cuts.push_back(static_cast<int64_t>(below(static_cast<size_t>(batch.num_rows()) + 1, random)));
  }
  std::ranges::sort(cuts);
  std::vector<RecordBatch> parts;
  for (size_t i = 0; i + 1 < cuts.size(); ++i)
    parts.push_back(batch.slice(cuts[i], cuts[i + 1] - cuts[i]));
  return parts;
}

}  // namespace flowrun
