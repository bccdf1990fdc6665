#pragma once
// Arrow's C Data Interface, both ways: how columns cross to other libraries and languages without
// copies.
//
//   ArrowSchema schema;
//   ArrowArray array;
//   export_schema(*batch.schema(), &schema);
//   FLOWRUN_RETURN_IF_ERROR(export_batch(batch, &array));   // the consumer calls
//   array.release(&array)
//   ...
//   FLOWRUN_TRY(RecordBatch again, import_batch(schema, &array));
//
// The structures and their rules are those of
// https://arrow.apache.org/docs/format/CDataInterface.html. Where the layouts agree nothing is
// copied: exporting holds a reference to the column, importing wraps the producer's memory in
// foreign buffers and calls its release when the last of them goes, from whichever thread that is.
//
//   ours                     exported as                   imported from
//   null                     n                             n
//   boolean                  b                             b
//   tinyint ... bigint       c s i l                       c s i l
//   smallint int bigint                                    C S I (copied), decimal(20,0) from L
//   (copied) float, double            f g                           f g (half floats are refused)
//   decimal(p,s)             d:p,s                         d:p,s; 32 and 64 bits wide (copied)
//   string, binary           vu vz                         vu vz u z U Z w:n (views made, bytes
//   shared) date                     tdD                           tdD, tdm (copied) timestamp
//   tsu:UTC                       ts? of any unit and zone (other units copied);
//                                                          one without a zone is taken to be in UTC
//   year-month interval      tiM                           tiM, as YEAR TO MONTH
//   day-time interval        tDu                           tD? (other units copied), as DAY TO
//   SECOND interval                 tin (copied)                  tin, tiD (copied) array +l +l, +L
//   (offsets copied), +w:n (offsets made) map, struct              +m +s                         +m
//   +s any                                                    dictionary-encoded (decoded)

#include <cstdint>

#include "runtime/columnar/record_batch.h"

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

extern "C" {

struct ArrowSchema {
  const char* format;
  const char* name;
  const char* metadata;
  int64_t flags;
  int64_t n_children;
  struct ArrowSchema** children;
  struct ArrowSchema* dictionary;
  void (*release)(struct ArrowSchema*);
  void* private_data;
};

struct ArrowArray {
  int64_t length;
  int64_t null_count;
  int64_t offset;
  int64_t n_buffers;
  int64_t n_children;
  const void** buffers;
  struct ArrowArray** children;
  struct ArrowArray* dictionary;
  void (*release)(struct ArrowArray*);
  void* private_data;
};
}

#endif  // ARROW_C_DATA_INTERFACE

namespace flowrun {

// How strings and binaries are exported.
enum class TextLayout : uint8_t {
  views,    // vu, vz: shared
  offsets,  // u, z: copied, for consumers that know no views
};

// Fill *out, whatever it held; the receiver calls out->release. Names, types and nullability cross.
void export_field(const Field& field, ArrowSchema* out, TextLayout text = TextLayout::views);
// As a struct without nulls.
void export_schema(const Schema& schema, ArrowSchema* out, TextLayout text = TextLayout::views);

// Fill *out on success; the column lives until out->release is called. Errors: `data`, for an
// interval of more than 292 years in microseconds, which Arrow's nanoseconds cannot hold, and for
// text of more than 2 GiB where it is copied.
Status export_column(const ColumnPtr& column, ArrowArray* out, TextLayout text = TextLayout::views);
// As a struct array; absent columns cross as nulls.
Status export_batch(const RecordBatch& batch, ArrowArray* out, TextLayout text = TextLayout::views);

// The column that `array` is an export of, if it is one of ours and nobody has changed it: what
// comes back as it went is not made anew. Null for any other array.
ColumnPtr exported_column(const ArrowArray& array);

// The schema stays the caller's. Errors: `invalid`, naming the field and what to cast it to.
Result<Field> import_field(const ArrowSchema& schema);
Result<SchemaPtr> import_schema(const ArrowSchema& schema);  // REQUIRES: a struct

// Take over *array: its release is null afterwards, with an error too. The schema stays the
// caller's and need not outlive the call. The data is trusted to be what the schema says.
Result<ColumnPtr> import_column(const ArrowSchema& schema, ArrowArray* array);
Result<RecordBatch> import_batch(const ArrowSchema& schema, ArrowArray* array);
// The same for many batches of one schema. REQUIRES: `columns` is what import_schema made of it.
Result<RecordBatch> import_batch(SchemaPtr columns, const ArrowSchema& schema, ArrowArray* array);

}  // namespace flowrun
