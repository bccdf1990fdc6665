#pragma once
// RecordReader: texts, one record each, to columns by a schema. JSON and CSV implement it, and the
// formats of plugins.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/columnar/column.h"

namespace flowrun {

// What a reader made of a run of texts.
struct ReadRows {
  struct Bad {
    int64_t line;        // index of the text in the column that was read
    int64_t row;         // the row made of it; an array of records marks its first
    int64_t num_rows;    // rows made of it
    std::string reason;  // "field `v` cannot be read ..."
  };

  int64_t num_rows = 0;
  std::vector<ColumnPtr>
      columns;                  // one per field of the schema; null where the field was not wanted
  std::vector<int32_t> lines;   // the text each row came from; empty: row i came from text i
  std::vector<Bad> bad;         // corrupt records, in order
  std::vector<int64_t> absent;  // rows made of a null or of nothing but blanks, in order
};

// Used by one thread at a time; made for many runs of texts, so that its memory is reused.
class RecordReader {
 public:
  virtual ~RecordReader() = default;
  // `lines` is a string or binary column; a null text gives a row of nulls (or none, on a source).
  // Values of the result may share the buffers of `lines`. A record that is wrong is no error: it
  // stands in `bad`. Errors are those of a format's own code, and end the run.
  virtual Result<ReadRows> read(const Column& lines) = 0;
};

}  // namespace flowrun
