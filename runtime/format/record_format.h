#pragma once
// RecordFormat: how records are written, JSON or CSV, with all options; readers for a schema are
// made from it.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/columnar/type.h"
#include "runtime/format/csv_options.h"
#include "runtime/format/json_options.h"
#include "runtime/format/record_reader.h"

namespace flowrun {

// A reader that converts the wanted ones of a schema's columns.
using MakeRecordReader =
    std::function<Result<std::unique_ptr<RecordReader>>(const std::vector<bool>& wanted)>;

// A value.
struct RecordFormat {
  enum class Kind : uint8_t { json, csv };

  Kind kind = Kind::json;
  JsonReadOptions json = {};
  CsvReadOptions csv = {};

  // Readers of texts by `schema`. Each call of the result makes one.
  [[nodiscard]] MakeRecordReader reader_of(const SchemaPtr& schema) const;
};

}  // namespace flowrun
