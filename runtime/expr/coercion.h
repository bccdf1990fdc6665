#pragma once
// Spark's implicit casts with ANSI mode off (org.apache.spark.sql.catalyst.analysis.TypeCoercion):
// which type values of two types meet in, and which casts an argument may undergo unasked.

#include <optional>
#include <span>

#include "runtime/columnar/type.h"

namespace flowrun {

// The type `from` is cast to where `expected` is wanted; nothing if it cannot be without a written
// cast.
std::optional<Type> implicit_cast(const Type& from, const Type& expected);

// The narrowest type that holds both without loss: among numbers, date and timestamp, nested by
// parts.
std::optional<Type> tightest_common_type(const Type& a, const Type& b);

// As above; further decimals with any number, and (if `promote_strings`) text with any other simple
// type.
std::optional<Type> wider_type(const Type& a, const Type& b, bool promote_strings = true);
// One type for all: branches of CASE, elements of array(), candidates of IN.
std::optional<Type> wider_type(std::span<const Type> types, bool promote_strings = true);

// What the two sides of a comparison are cast to: text follows the other side.
std::optional<Type> comparison_type(const Type& a, const Type& b);

// The decimal that holds every value of an integral type; for others the type Spark assumes (38,18
// for text).
Type decimal_for(const Type& type);
// precision and scale cut to 38 digits as Spark does: scale gives way down to 6 digits.
Type adjusted_decimal(int precision, int scale);

bool is_orderable(const Type& type);

}  // namespace flowrun
