#pragma once
// JsonTemplate: a row as the JSON that somebody else expects.
//
//   FLOWRUN_TRY(JsonTemplate body, JsonTemplate::compile(
//       R"({"text": "heart of {{User}}: {{bpm}}", "value": {{bpm}}})", schema, {}));
//   body.append(batch, row, out);    // {"text": "heart of b: 171", "value": 171}
//
// {{column}} stands for that column's value: between quotes as text, escaped as JSON needs it (null
// is empty text), elsewhere as a JSON value. So what a value holds never changes the form.

#include <string>
#include <string_view>
#include <vector>

#include "runtime/columnar/record_batch.h"
#include "runtime/format/json_writer.h"

namespace flowrun {

// Immutable and thread-safe once compiled.
class JsonTemplate {
 public:
  // Refuses a column that is not there and what could not become JSON; Error::offset points into
  // the text.
  static Result<JsonTemplate> compile(std::string_view text, const SchemaPtr& schema,
                                      JsonWriteOptions options);
  // REQUIRES: the batch has the schema, all columns present.
  void append(const RecordBatch& batch, int64_t row, std::string& out) const;

 private:
  struct Piece {
    std::string before;  // text, then the column's value
    int column = -1;     // -1: none, at the end
    bool quoted = false;
  };
  std::vector<Piece> pieces_;
  JsonWriteOptions options_;
};

}  // namespace flowrun
