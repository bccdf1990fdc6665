#pragma once
// What a plugin hands over, held against Arrow's rules before anything follows its pointers.
//
// Found out: arrays that were released or never filled, wrong numbers of buffers and children, null
// pointers where values must stand, lengths of children, offsets and views that lead outside,
// counts of nulls. Not to be found out: a pointer to memory that is not there or is too short.

#include "runtime/columnar/arrow.h"

namespace flowrun {

// Messages name the column: "column `score`: ...". Errors: `data`.
Status check_schema(const ArrowSchema& schema);
// REQUIRES: check_schema and import_field took the schema.
Status check_array(const ArrowSchema& schema, const ArrowArray& array);

}  // namespace flowrun
