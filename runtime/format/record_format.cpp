#include "runtime/format/record_format.h"

#include "runtime/format/json_reader.h"

namespace flowrun {

MakeRecordReader RecordFormat::reader_of(const SchemaPtr& schema) const {
  return [schema, options = json](
             const std::vector<bool>& wanted) -> Result<std::unique_ptr<RecordReader>> {
    FLOWRUN_TRY(std::unique_ptr<RecordReader> reader, JsonReader::make(schema, options, wanted));
    return reader;
  };
}

}  // namespace flowrun
