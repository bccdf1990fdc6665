#pragma once
// Rows as a stream of Arrow's IPC format, for readers in any language:
//
//   FLOWRUN_TRY(response.body, arrow_stream(rows));
//   pyarrow.ipc.open_stream(body).read_all()

#include <string>

#include "runtime/columnar/record_batch.h"

namespace flowrun {

constexpr const char* kArrowStreamType = "application/vnd.apache.arrow.stream";
constexpr int64_t kRowsPerArrowBatch = 65'536;

// The schema, batches of kRowsPerArrowBatch rows (the last one fewer; none of no rows) and the
// mark of the end. Types are those of runtime/columnar/arrow.h, text with offsets, which every
// reader knows. Errors: `data`, what Arrow cannot hold.
Result<std::string> arrow_stream(const RecordBatch& rows);

}  // namespace flowrun
