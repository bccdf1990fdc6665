// Runs tests/conformance/expressions/cases.jsonl: Spark's own name, type and values of each
// expression.
//
// What does not pass yet is listed in tests/conformance/expressions-not-yet.txt, one expression per
// line as a JSON string, and known-differences.txt lists what never will. The list only shrinks: a
// case on it that passes fails the test, and so does a case that is not on it and fails. With
// FLOWRUN_SHRINK_NOT_YET set the test takes what passes off the list.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <set>

#include "runtime/expr/evaluate_text.h"
#include "runtime/expr/function_registry.h"
#include "tests/unit/spark_answers.h"

using namespace flowrun;

namespace {

const std::string kFolder = std::string(FLOWRUN_SOURCE_DIR) + "/tests/conformance/";

// What is wrong with our answer; empty if nothing.
std::string difference(const rapidjson::Value& expected, const rapidjson::Value& got) {
  if (expected.HasMember("error"))
    return got.HasMember("error") ? "" : "an expression that Spark refuses is taken";
  if (got.HasMember("error")) return std::string("refused: ") + got["error"].GetString();
  for (const char* key : {"name", "type"}) {
    if (expected.HasMember(key) && !(expected[key] == got[key])) {
      return std::string(key) + ": " + got[key].GetString() + ", not " + expected[key].GetString();
    }
  }
  if (expected.HasMember("runtime_error"))
    return got.HasMember("runtime_error") ? "" : "it should fail on the data";
  if (got.HasMember("runtime_error"))
    return std::string("fails: ") + got["runtime_error"].GetString();
  const std::string type = expected["type"].GetString();
  const Exactness exactness = exactness_of(type);
  const auto& want = expected["values"];
  const auto& have = got["values"];
  for (rapidjson::SizeType i = 0; i < want.Size(); ++i) {
    if (i >= have.Size() || !same_value(want[i], have[i], exactness)) {
      return "row " + std::to_string(i) + ": " + (i < have.Size() ? as_json(have[i]) : "none") +
             ", not " + as_json(want[i]);
    }
  }
  return "";
}

}  // namespace

TEST_CASE("expressions have the names, types and values that Spark gives them") {
  FunctionRegistry functions;
  register_all_functions(functions);
  const ExpressionEnvironment environment{&functions};
  const EvaluationContext context;
  const RecordBatch input = read_input(kFolder + "expressions/");
  REQUIRE(input.num_rows() == 24);
  const std::string list = kFolder + "expressions-not-yet.txt";
  const std::vector<std::string> lines = read_lines(list);
  std::set<std::string> not_yet(lines.begin(), lines.end());
  const std::map<std::string, std::string> known = read_known_differences(kFolder);
  const bool shrink = std::getenv("FLOWRUN_SHRINK_NOT_YET") != nullptr;
  const char* show =
      std::getenv("FLOWRUN_SHOW_THEME");  // prints why the cases of this theme do not pass
  struct Tally {
    int passed = 0;
    int known = 0;
    int all = 0;
  };
  std::map<std::string, Tally> tallies;
  for (const std::string& line : read_lines(kFolder + "expressions/cases.jsonl")) {
    const rapidjson::Document expected = parse_answer(line);
    const std::string expression = expected["expr"].GetString();
    const rapidjson::Document got =
        parse_answer(evaluate_text(expression, input, environment, context));
    REQUIRE_FALSE(got.HasParseError());
    const std::string wrong = difference(expected, got);
    const std::string theme = expected["theme"].GetString();
    Tally& tally = tallies[theme];
    ++tally.all;
    const std::string key = as_json(expected["expr"]);
    if (const auto found = known.find("expressions/" + theme + " " + expression);
        found != known.end()) {
      if (wrong.empty()) FAIL_CHECK(expression << " passes and is listed as a known difference");
      std::cout << "known difference: " << expression << ": " << found->second << "\n";
      ++tally.known;
    } else if (wrong.empty()) {
      ++tally.passed;
      if (shrink) {
        not_yet.erase(key);
      } else if (not_yet.contains(key)) {
        FAIL_CHECK(expression << " passes and is still on the list of what does not");
      }
    } else {
      if (!not_yet.contains(key)) FAIL_CHECK(expression << "\n  " << wrong);
      if (show != nullptr && (theme == show || std::string_view(show) == "all"))
        std::cout << expression << "\n    " << wrong << "\n";
    }
  }
  int passed = 0;
  int all = 0;
  for (const auto& [theme, tally] : tallies) {
    if (tally.passed + tally.known < tally.all)
      std::cout << theme << " " << tally.passed << "/" << tally.all << "  ";
    passed += tally.passed;
    all += tally.all;
  }
  std::cout << "\nexpressions as Spark's: " << passed << " of " << all << "\n";
  if (shrink) {
    std::ofstream out(list);
    for (const std::string& line : lines) {
      if (not_yet.contains(line)) out << line << "\n";
    }
  }
}
