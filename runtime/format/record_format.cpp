#include "runtime/format/record_format.h"

#include "runtime/format/csv_reader.h"
#include "runtime/format/json_reader.h"

namespace flowrun {

namespace {

template <class Reader, class Options>
MakeRecordReader maker(SchemaPtr schema, Options options) {
  return [schema = std::move(schema), options = std::move(options)](
             const std::vector<bool>& wanted) -> Result<std::unique_ptr<RecordReader>> {
    FLOWRUN_TRY(std::unique_ptr<RecordReader> reader, Reader::make(schema, options, wanted));
    return reader;
  };
}

}  // namespace

MakeRecordReader RecordFormat::reader_of(const SchemaPtr& schema) const {
  return kind == Kind::json ? maker<JsonReader>(schema, json) : maker<CsvReader>(schema, csv);
}

}  // namespace flowrun
