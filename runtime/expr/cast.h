#pragma once
// Casts with the results of Spark's CAST where ANSI mode is off, and of TRY_CAST.
//
//   if (!can_cast(column->type(), Type::timestamp())) ...          // when the expression is bound
//   FLOWRUN_TRY(ColumnPtr times, cast(column, Type::timestamp(), zone));
//
// What surprises: integers narrow by wrapping, doubles to int and bigint by saturating (and wrap
// from there to smaller types); numbers are seconds as timestamps, but true is one microsecond;
// text is trimmed, and may have a fraction but no exponent as an integer; what cannot be cast is
// null.

#include "runtime/columnar/column.h"
#include "runtime/format/time_zone.h"

namespace flowrun {

// Does the cast exist at all? When it does not, binding the expression is refused.
bool can_cast(const Type& from, const Type& to);

// Does TRY_CAST have it? It follows the rules of ANSI mode: dates are no numbers, for one.
bool can_try_cast(const Type& from, const Type& to);

// May the cast of a value that is not null be null? (Arrays and structs: of the whole, never of
// parts.)
bool cast_adds_nulls(const Type& from, const Type& to);

// REQUIRES: can_cast(column->type(), to). `zone` is the session's. Errors: `data`, for intervals
// that overflow or are malformed, as in Spark.
Result<ColumnPtr> cast(const ColumnPtr& column, const Type& to, const TimeZone& zone);

// As cast, but null where a number would wrap or saturate, and where text for an integer has a
// fraction.
Result<ColumnPtr> try_cast(const ColumnPtr& column, const Type& to, const TimeZone& zone);

}  // namespace flowrun
