#pragma once
// Columns of random values, for trials of what must hold whatever the rows.
//
//   std::mt19937_64 random(seed);
//   ColumnPtr column = random_column(Type::array(Type::string()), 100, random);
//
// Values come from small sets that hold the awkward ones (NaN, -0.0, extremes, empty and long
// text), so that equal rows occur; about one in five is null.

#include <cstdint>
#include <random>
#include <vector>

#include "runtime/columnar/record_batch.h"

namespace flowrun {

ColumnPtr random_column(const Type& type, int64_t rows, std::mt19937_64& random);
RecordBatch random_batch(const SchemaPtr& schema, int64_t rows, std::mt19937_64& random);

// A type of every kind, nested ones among them.
std::vector<Type> types_of_every_kind();

// The batch cut into pieces at random places, some of them empty; each piece a slice.
std::vector<RecordBatch> random_pieces(const RecordBatch& batch, size_t pieces,
                                       std::mt19937_64& random);

}  // namespace flowrun
