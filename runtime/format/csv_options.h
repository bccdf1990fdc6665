#pragma once
// How CSV is read: the options of `parse: csv` and of sources and tables in CSV. Defaults are
// Spark's.

#include <cstdint>
#include <optional>
#include <string>

namespace flowrun {

struct CsvReadOptions {
  // True: lines of a file, blank ones and comments left out. False: Spark's from_csv, one row per
  // text.
  bool source = false;
  bool header = false;
  bool infer_schema = false;
  bool enforce_schema = true;  // false: the header must have the schema's names
  std::string sep = ",";       // at least one character
  char quote = '"';            // '\0': none
  char escape = '\\';          // inside quotes; '\0': none
  char comment = '\0';         // '\0': none
  std::string null_value;
  std::string empty_value;  // what "" in quotes becomes
  std::string nan_value = "NaN";
  std::string positive_inf = "Inf";
  std::string negative_inf = "-Inf";
  bool ignore_leading_white_space = false;
  bool ignore_trailing_white_space = false;
  bool multi_line = false;
  bool prefer_date = true;
  std::string encoding = "UTF-8";
  std::optional<std::string> date_format;
  std::optional<std::string> timestamp_format;
  std::string timezone = "UTC";
  int64_t max_record = 16 << 20;
};

}  // namespace flowrun
