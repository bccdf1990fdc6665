// Runs tests/conformance/expressions/cases.jsonl: Spark's own name, type and values of each
// expression.
//
// What does not pass yet is listed in tests/conformance/expressions-not-yet.txt, one expression per
// line as a JSON string. The list only shrinks: a case on it that passes fails the test, and so
// does a case that is not on it and fails. With FLOWRUN_SHRINK_NOT_YET set the test takes what
// passes off the list.
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <set>
#include <sstream>

#include "runtime/columnar/builder.h"
#include "runtime/expr/evaluate_text.h"
#include "runtime/expr/function_registry.h"
#include "runtime/format/json_reader.h"

using namespace flowrun;

namespace {

const std::string kFolder = std::string(FLOWRUN_SOURCE_DIR) + "/tests/conformance/";

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> read_lines(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

RecordBatch read_input() {
  const SchemaPtr schema = *parse_schema(read_file(kFolder + "expressions/schema.ddl"));
  StringBuilder lines(Type::string());
  for (const std::string& line : read_lines(kFolder + "expressions/input.jsonl"))
    lines.append(line);
  auto reader = *JsonReader::make(schema, {}, std::vector<bool>(schema->num_fields(), true));
  auto rows = reader->read(*lines.finish());
  return RecordBatch(schema, rows.num_rows, rows.columns);
}

// Sign, digits without zeros at either end, and power of ten: equal for equal decimals.
std::string normal_decimal(std::string_view text) {
  std::string sign = text.starts_with('-') ? "-" : "";
  long power = 0;
  const size_t e = text.find_first_of("eE");
  if (e != std::string_view::npos) power = std::atol(std::string(text.substr(e + 1)).c_str());
  std::string digits;
  bool behind_point = false;
  for (const char c : text.substr(0, e)) {
    if (c == '.') behind_point = true;
    if (c < '0' || c > '9') continue;
    if (behind_point) --power;
    digits += c;
  }
  while (!digits.empty() && digits.back() == '0') digits.pop_back(), ++power;
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
  return digits.empty() ? "0" : sign + digits + "e" + std::to_string(power);
}

// Floats are the same if they read as the same float, doubles up to 1e-12; all else exactly.
enum class Exactness { exact, as_float, as_double };

bool same_number(const std::string& a, const std::string& b, Exactness exactness) {
  if (a == b) return true;
  if (exactness == Exactness::exact) return normal_decimal(a) == normal_decimal(b);
  if (exactness == Exactness::as_float)
    return std::strtof(a.c_str(), nullptr) == std::strtof(b.c_str(), nullptr);
  const double x = std::strtod(a.c_str(), nullptr);
  const double y = std::strtod(b.c_str(), nullptr);
  return x == y ? std::signbit(x) == std::signbit(y)
                : std::fabs(x - y) <= 1e-12 * std::max(std::fabs(x), std::fabs(y));
}

// Numbers were parsed as strings, so that no digit is lost.
bool same_value(const rapidjson::Value& a, const rapidjson::Value& b, Exactness exactness) {
  if (a.GetType() != b.GetType()) return false;
  if (a.IsString()) {
    const std::string_view x(a.GetString(), a.GetStringLength());
    const std::string_view y(b.GetString(), b.GetStringLength());
    if (x == y) return true;
    const auto is_number = [](std::string_view text) {
      return !text.empty() && text.find_first_not_of("+-.0123456789eE") == std::string_view::npos;
    };
    return is_number(x) && is_number(y) && same_number(std::string(x), std::string(y), exactness);
  }
  if (a.IsArray()) {
    if (a.Size() != b.Size()) return false;
    for (rapidjson::SizeType i = 0; i < a.Size(); ++i) {
      if (!same_value(a[i], b[i], exactness)) return false;
    }
    return true;
  }
  if (a.IsObject()) {
    if (a.MemberCount() != b.MemberCount()) return false;
    for (const auto& member : a.GetObject()) {
      const auto found = b.FindMember(member.name);
      if (found == b.MemberEnd() || !same_value(member.value, found->value, exactness))
        return false;
    }
    return true;
  }
  return true;  // null, true, false: the type says it
}

rapidjson::Document parse(const std::string& text) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseFullPrecisionFlag>(
      text.c_str());
  return document;
}

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
  Exactness exactness = Exactness::exact;
  if (type.find("double") != std::string::npos) exactness = Exactness::as_double;
  if (type.find("float") != std::string::npos) exactness = Exactness::as_float;
  const auto& want = expected["values"];
  const auto& have = got["values"];
  const auto text = [](const rapidjson::Value& value) {
    rapidjson::StringBuffer buffer;
    rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
    value.Accept(writer);
    return std::string(buffer.GetString());
  };
  for (rapidjson::SizeType i = 0; i < want.Size(); ++i) {
    if (i >= have.Size() || !same_value(want[i], have[i], exactness)) {
      return "row " + std::to_string(i) + ": " + (i < have.Size() ? text(have[i]) : "none") +
             ", not " + text(want[i]);
    }
  }
  return "";
}

std::string as_json(const rapidjson::Value& text) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  text.Accept(writer);
  return buffer.GetString();
}

}  // namespace

TEST_CASE("expressions have the names, types and values that Spark gives them") {
  FunctionRegistry functions;
  register_all_functions(functions);
  const ExpressionEnvironment environment{&functions};
  const EvaluationContext context;
  const RecordBatch input = read_input();
  REQUIRE(input.num_rows() == 24);
  const std::string list = kFolder + "expressions-not-yet.txt";
  const std::vector<std::string> lines = read_lines(list);
  std::set<std::string> not_yet(lines.begin(), lines.end());
  const bool shrink = std::getenv("FLOWRUN_SHRINK_NOT_YET") != nullptr;
  const char* show =
      std::getenv("FLOWRUN_SHOW_THEME");  // prints why the cases of this theme do not pass
  struct Tally {
    int passed = 0;
    int all = 0;
  };
  std::map<std::string, Tally> tallies;
  for (const std::string& line : read_lines(kFolder + "expressions/cases.jsonl")) {
    const rapidjson::Document expected = parse(line);
    const std::string expression = expected["expr"].GetString();
    const rapidjson::Document got = parse(evaluate_text(expression, input, environment, context));
    REQUIRE_FALSE(got.HasParseError());
    const std::string wrong = difference(expected, got);
    const std::string theme = expected["theme"].GetString();
    Tally& tally = tallies[theme];
    ++tally.all;
    const std::string key = as_json(expected["expr"]);
    if (wrong.empty()) {
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
    if (tally.passed < tally.all)
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
