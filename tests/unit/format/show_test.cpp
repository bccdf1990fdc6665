#include "runtime/format/show.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <map>

#include "runtime/columnar/builder.h"
#include "tests/support/json_rows.h"

using namespace flowrun;

namespace {

const std::string kFolder = FLOWRUN_SOURCE_DIR "/tests/conformance/show/";

// The flat "key: value" lines of a case's options.
std::map<std::string, std::string> options_of(const std::string& name) {
  std::map<std::string, std::string> options;
  for (const std::string& line : split_lines(read_whole_file(kFolder + name + ".yaml"))) {
    const size_t colon = line.find(": ");
    if (colon != std::string::npos) options[line.substr(0, colon)] = line.substr(colon + 2);
  }
  return options;
}

std::vector<std::string> epochs_of(const std::string& name) {
  std::vector<std::string> epochs(1);
  for (const std::string& line : split_lines(read_whole_file(kFolder + name + ".jsonl"))) {
    if (line.empty()) {
      epochs.emplace_back();
    } else {
      epochs.back() += line + "\n";
    }
  }
  return epochs;
}

// What the console's aggregation gives: the counts of the groups, of all epochs so far or of this
// one's.
RecordBatch counted(const std::vector<std::string>& epochs, size_t epoch, bool complete) {
  std::map<std::string, int64_t> counts;
  std::map<std::string, bool> touched;
  for (size_t i = 0; i <= epoch; ++i) {
    const RecordBatch rows = rows_from_json("k string", epochs[i]);
    for (int64_t row = 0; row < rows.num_rows(); ++row) {
      const Column& keys = *rows.column(0);
      const std::string key = keys.is_null(row) ? "" : std::string(keys.string(row));
      ++counts[key];
      if (i == epoch) touched[key] = true;
    }
  }
  StringBuilder keys(Type::string());
  FixedBuilder<int64_t> values(Type::bigint());
  for (const auto& [key, count] : counts) {
    if (!complete && !touched[key]) continue;
    key.empty() ? keys.append_null() : keys.append(key);
    values.append(count);
  }
  const int64_t size = keys.size();
  return {parse_schema("k string, count bigint").value(), size, {keys.finish(), values.finish()}};
}

std::string shown(const std::string& name) {
  const auto options = options_of(name);
  ShowOptions show;
  show.rows = std::stoll(options.at("rows"));
  show.truncate = options.at("truncate") == "false" ? -1 : std::stoll(options.at("truncate"));
  show.vertical = options.contains("vertical");
  const std::string ddl = read_whole_file(kFolder + name + ".ddl");
  const std::vector<std::string> epochs = epochs_of(name);
  if (options.at("sink") == "show") return show_frame(rows_from_json(ddl, epochs[0]), show);
  std::string out;
  int64_t batch = 0;
  for (size_t epoch = 0; epoch < epochs.size(); ++epoch) {
    if (epochs[epoch].empty()) continue;
    out += batch_header(batch++);
    out += options.contains("group_by")
               ? show_frame(counted(epochs, epoch, options.at("mode") == "complete"), show)
               : show_frame(rows_from_json(ddl, epochs[epoch]), show);
  }
  return out;
}

}  // namespace

TEST_CASE("rows are shown as Spark shows them, cell for cell") {
  const std::vector<std::string> names = files_ending(kFolder, ".yaml");
  REQUIRE(names.size() >= 30);
  for (const std::string& name : names) {
    INFO(name);
    CHECK(shown(name) == read_whole_file(kFolder + name + ".txt"));
  }
}

TEST_CASE("a vertical frame without rows says so") {
  CHECK(show_frame(rows_from_json("a int", ""), {.vertical = true}) == "(0 rows)\n");
}
