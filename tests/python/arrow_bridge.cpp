// What arrow_test.py loads: our columns, made, sliced and handed on through Arrow's C Data
// Interface.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <string>

#include "runtime/columnar/arrow.h"
#include "tests/support/json_rows.h"

using namespace flowrun;

namespace {

std::atomic<int64_t> releases_of_producers{0};

// Counts the release of what Python handed over.
struct Counted {
  ArrowArray original;
};

void release_counted(ArrowArray* array) {
  auto* counted = static_cast<Counted*>(array->private_data);
  counted->original.release(&counted->original);
  delete counted;
  array->release = nullptr;
  releases_of_producers.fetch_add(1);
}

void count_release(ArrowArray* array) {
  auto* counted = new Counted{*array};
  array->private_data = counted;
  array->release = release_counted;
}

int fail(const Error& error, char* message, size_t size) {
  const size_t length = std::min(error.message.size(), size - 1);
  std::memcpy(message, error.message.data(), length);
  message[length] = '\0';
  return 1;
}

Result<Field> hand_on(const ArrowSchema& schema, ArrowArray* array, int64_t start, int64_t length,
                      ArrowArray* out) {
  FLOWRUN_TRY(const ColumnPtr column, import_column(schema, array));
  FLOWRUN_TRY(Field field, import_field(schema));
  const bool whole = length < 0;
  FLOWRUN_RETURN_IF_ERROR(export_column(whole ? column : column->slice(start, length), out));
  return field;
}

}  // namespace

extern "C" {

// Python's column to ours, its rows [start, start + length) and back; the whole if length is
// negative.
int bridge_round_trip(ArrowSchema* schema, ArrowArray* array, int64_t start, int64_t length,
                      ArrowSchema* out_schema, ArrowArray* out_array, char* message, size_t size) {
  count_release(array);
  const auto field = hand_on(*schema, array, start, length, out_array);
  schema->release(schema);
  if (!field) return fail(field.error(), message, size);
  export_field(*field, out_schema);
  return 0;
}

// A batch of ours from JSON lines, a slice of it.
int bridge_batch(const char* ddl, const char* lines, int64_t start, int64_t length,
                 ArrowSchema* out_schema, ArrowArray* out_array, char* message, size_t size) {
  const RecordBatch batch = rows_from_json(ddl, lines);
  const RecordBatch part = length < 0 ? batch : batch.slice(start, length);
  if (const Status status = export_batch(part, out_array); !status) {
    return fail(status.error(), message, size);
  }
  export_schema(*part.schema(), out_schema);
  return 0;
}

// The DDL of a batch of Python's, as our schema sees it.
int bridge_ddl(ArrowSchema* schema, char* message, size_t size) {
  const auto imported = import_schema(*schema);
  schema->release(schema);
  if (!imported) return fail(imported.error(), message, size);
  fail(Error::invalid((*imported)->ddl()), message, size);
  return 0;
}

// Bytes in buffers of ours; how many arrays of Python's were released.
int64_t bridge_bytes_in_use() { return BufferPool::current()->bytes_in_use(); }
int64_t bridge_releases() { return releases_of_producers.load(); }
}
