#pragma once
// ExactJson: Spark's from_json and JSON source, rule by rule, for one record at a time.
//
// Takes everything that the fast path of JsonReader is not certain of. What a record gives does not
// depend on the path taken; a property test holds the two together.

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "runtime/columnar/builder.h"
#include "runtime/format/json_tokens.h"
#include "runtime/format/text_values.h"

namespace flowrun {

// One value of any type, as read.
struct JsonValue {
  bool valid = false;
  int64_t integer = 0;  // boolean, integers, date, timestamp
  double number = 0;    // float, double
  Decimal128 decimal = 0;
  std::string text;               // string, binary
  std::vector<JsonValue> items;   // array, struct, map (the values)
  std::vector<std::string> keys;  // map
};

// Appends the value to a builder of the type it was read for.
void append_json_value(const JsonValue& value, ColumnBuilder& builder);

// Not thread-safe.
class ExactJson {
 public:
  enum class Outcome : uint8_t {
    good,
    blank,    // nothing but white space: parse gives a row of nulls, a source none
    partial,  // corrupt, but rows() holds what could be read
    corrupt,  // rows() is empty: a row of nulls
  };

  // `fields` are the columns to convert, each with its exact name; values of others are checked and
  // dropped. `options` and `times` must outlive this.
  ExactJson(std::span<const Field> fields, const JsonReadOptions& options, const TextTimes& times);
  ~ExactJson();

  Outcome read(std::string_view record);
  // One struct per row: items in the order of the fields. More than one, or none, only on a source.
  [[nodiscard]] std::span<const JsonValue> rows() const { return rows_; }
  // Why the record is corrupt.
  [[nodiscard]] const std::string& reason() const { return reason_; }

 private:
  // As Spark's exceptions: failed unwinds to the next object, partial carries what was read.
  enum class Step : uint8_t { ok, partial, failed };
  struct Plan;

  Step convert(const Plan& plan, JsonValue& out);
  Step convert_scalar(const Plan& plan, JsonValue& out);
  Step convert_object(const Plan& plan, JsonValue& out);
  Step convert_array(const Plan& plan, JsonValue& out, bool root);
  Step convert_map(const Plan& plan, JsonValue& out);
  Step convert_text(JsonValue& out);
  Step convert_string_to(const Plan& plan, JsonValue& out);
  Step convert_number_to(const Plan& plan, JsonValue& out);
  Step convert_root(JsonValue& out);
  bool copy_structure(std::string& out);
  bool copy_token(std::string& out);
  Step next_until(JsonToken end, bool& found);
  Step wrong_type(const Plan& plan);
  Step token_failed();
  void note(std::string reason);

  const JsonReadOptions& options_;
  const TextTimes& times_;
  std::unique_ptr<Plan> plan_;
  JsonTokens tokens_;
  std::string sanitized_;
  std::string_view record_;
  std::vector<JsonValue> rows_;
  std::string reason_;
};

}  // namespace flowrun
