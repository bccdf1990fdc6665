#include "runtime/serve/arrow_stream.h"

#include <nanoarrow/nanoarrow_ipc.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <vector>

#include "runtime/columnar/arrow.h"

namespace flowrun {

namespace {

Status checked(ArrowErrorCode code, const ArrowError& error) {
  if (code == NANOARROW_OK) return ok_status();
  const std::string why = error.message[0] ? error.message : std::strerror(code);
  return Error::data("the rows cannot be written as Arrow: " + why);
}

// A writer into memory, and what nanoarrow wants to be released.
class Writer {
 public:
  Writer() { ArrowBufferInit(&bytes_); }
  ~Writer() {
    ArrowArrayViewReset(&view_);
    if (schema_.release) schema_.release(&schema_);
    if (writer_.private_data) ArrowIpcWriterReset(&writer_);
    ArrowBufferReset(&bytes_);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  Status begin(const Schema& schema) {
    ArrowIpcOutputStream stream{};
    FLOWRUN_RETURN_IF_ERROR(checked(ArrowIpcOutputStreamInitBuffer(&stream, &bytes_), error_));
    FLOWRUN_RETURN_IF_ERROR(checked(ArrowIpcWriterInit(&writer_, &stream), error_));
    export_schema(schema, &schema_, TextLayout::offsets);
    FLOWRUN_RETURN_IF_ERROR(
        checked(ArrowArrayViewInitFromSchema(&view_, &schema_, &error_), error_));
    return checked(ArrowIpcWriterWriteSchema(&writer_, &schema_, &error_), error_);
  }

  Status write(const RecordBatch& rows) {
    ArrowArray array;
    FLOWRUN_RETURN_IF_ERROR(export_batch(rows, &array, TextLayout::offsets));
    Status written = checked(ArrowArrayViewSetArray(&view_, &array, &error_), error_);
    if (written) written = checked(ArrowIpcWriterWriteArrayView(&writer_, &view_, &error_), error_);
    array.release(&array);
    return written;
  }

  Result<std::string> end() {
    FLOWRUN_RETURN_IF_ERROR(
        checked(ArrowIpcWriterWriteArrayView(&writer_, nullptr, &error_), error_));
    return std::string(reinterpret_cast<const char*>(bytes_.data),
                       static_cast<size_t>(bytes_.size_bytes));
  }

 private:
  ArrowBuffer bytes_{};
  ArrowIpcWriter writer_{};
  ArrowSchema schema_{};
  ArrowArrayView view_{};
  ArrowError error_{};
};

}  // namespace

Result<std::string> arrow_stream(const RecordBatch& rows) {
  Writer writer;
  FLOWRUN_RETURN_IF_ERROR(writer.begin(*rows.schema()));
  for (int64_t begin = 0; begin < rows.num_rows(); begin += kRowsPerArrowBatch) {
    // nanoarrow writes no slices: the rows are gathered anew.
    std::vector<int32_t> numbers(
        static_cast<size_t>(std::min(kRowsPerArrowBatch, rows.num_rows() - begin)));
    std::iota(numbers.begin(), numbers.end(), static_cast<int32_t>(begin));
    FLOWRUN_RETURN_IF_ERROR(writer.write(rows.take(numbers)));
  }
  return writer.end();
}

}  // namespace flowrun
