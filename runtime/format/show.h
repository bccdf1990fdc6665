#pragma once
// The frame in which Spark shows rows: df.show(), and the console sink's batches.
//
//   +---+----+
//   | id|   s|
//   +---+----+
//   |  1| one|
//   |  2|NULL|
//   +---+----+
//
// Cell for cell as Spark prints it: lengths count UTF-16 units, and widths count such a unit as one
// column and a character of East Asia's wide blocks as two, whatever a terminal makes of it.

#include <cstdint>
#include <string>

#include "runtime/columnar/record_batch.h"
#include "runtime/format/datetime.h"

namespace flowrun {

struct ShowOptions {
  int64_t rows = 20;      // at most so many; the footer says that there were more
  int64_t truncate = 20;  // cells are cut to so many characters; -1: not, and aligned to the left
  bool vertical = false;  // one line per value
};

// The frame and what println puts behind it. REQUIRES: every column of the batch is there.
std::string show_frame(const RecordBatch& batch, const ShowOptions& options,
                       const TimeZone& zone = TimeZone::utc());

// The head that the console sink puts above a frame: "Batch: 0" between two rules.
std::string batch_header(int64_t epoch);

}  // namespace flowrun
