#pragma once
// The options of everything that reads JSON or CSV: the file source, parse, static tables. One
// list, so that they mean the same everywhere.

#include <string>
#include <string_view>
#include <vector>

#include "runtime/format/record_format.h"
#include "runtime/operator/spec.h"

namespace flowrun {

class Registry;

// Of both formats: corrupt_record, date_format, timestamp_format, max_record. `on_error` is not
// among them: the loader gives it to every operator whose spec lists the port `errors`.
std::vector<OptionSpec> common_reader_option_specs();
// `format_option`: the name of the option that says which format is read ("format" of a source or
// table, "parse" of parse); csv options are refused where it says json. Empty: no such check.
std::vector<OptionSpec> csv_option_specs(const std::string& format_option = "format");
std::vector<OptionSpec> json_option_specs(const std::string& format_option = "format");
// The format of that name ("json") with what the options say. `source`: records of a file rather
// than texts of a column, which Spark reads by slightly other rules.
Result<RecordFormat> record_format_option(std::string_view format, const Options& options,
                                          bool source, const std::string& timezone);
// All three.
std::vector<OptionSpec> reader_option_specs(const std::string& format_option = "format");

// Of one entry of `tables:`: those of the formats built in, and of plugins' formats that `parse`
// knows.
std::vector<OptionSpec> table_option_specs(const Registry& registry);

}  // namespace flowrun
