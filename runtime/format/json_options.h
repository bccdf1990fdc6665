#pragma once
// How JSON records are read: the options of `parse: json` and of sources and tables in JSON.

#include <cstdint>
#include <optional>
#include <string>

namespace flowrun {

struct JsonReadOptions {
  // True: a file of records (blank lines give no row, an array gives a row per element, text is
  // kept as it stands). False: Spark's from_json, one row per text.
  bool source = false;
  bool allow_single_quotes = true;
  bool allow_non_numeric_numbers = true;
  bool allow_comments = false;
  bool allow_numeric_leading_zeros = false;
  bool allow_unquoted_field_names = false;
  bool allow_unquoted_control_chars = false;
  bool allow_backslash_escaping_any_character = false;
  std::optional<std::string> date_format;  // Spark's patterns; absent: the rules of cast
  std::optional<std::string> timestamp_format;
  std::string timezone = "UTC";
  int64_t max_record = 16 << 20;  // bytes; a longer record is corrupt
};

}  // namespace flowrun
