#pragma once
// Spark's answers to expressions (tests/conformance/expressions), and when a value is equal to one.

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/columnar/builder.h"
#include "runtime/format/json_reader.h"

namespace flowrun {

inline std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

inline std::vector<std::string> read_lines(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

// The names in known-differences.txt, each with its reason behind "  # ".
inline std::map<std::string, std::string> read_known_differences(const std::string& folder) {
  std::map<std::string, std::string> known;
  for (const std::string& line : read_lines(folder + "known-differences.txt")) {
    const size_t mark = line.find("  # ");
    if (mark != 0 && mark != std::string::npos && line[0] != '#')
      known.emplace(line.substr(0, mark), line.substr(mark + 4));
  }
  return known;
}

inline RecordBatch read_input(const std::string& folder) {
  const SchemaPtr schema = *parse_schema(read_file(folder + "schema.ddl"));
  StringBuilder lines(Type::string());
  for (const std::string& line : read_lines(folder + "input.jsonl")) lines.append(line);
  auto reader = *JsonReader::make(schema, {}, std::vector<bool>(schema->num_fields(), true));
  const ReadRows rows = *reader->read(*lines.finish());
  return RecordBatch(schema, rows.num_rows, rows.columns);
}

// Sign, digits without zeros at either end, and power of ten: equal for equal decimals.
inline std::string normal_decimal(std::string_view text) {
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

// Floats are the same if they read as the same float (Java prints some longer), doubles up to
// 1e-12; all else exactly.
enum class Exactness { exact, as_float, as_double };

inline Exactness exactness_of(std::string_view type) {
  if (type.find("double") != std::string_view::npos) return Exactness::as_double;
  return type.find("float") != std::string_view::npos ? Exactness::as_float : Exactness::exact;
}

inline bool same_number(std::string_view a, std::string_view b, Exactness exactness) {
  if (a == b) return true;
  if (exactness == Exactness::exact) return normal_decimal(a) == normal_decimal(b);
  if (exactness == Exactness::as_float) {
    return std::strtof(std::string(a).c_str(), nullptr) ==
           std::strtof(std::string(b).c_str(), nullptr);
  }
  const double x = std::strtod(std::string(a).c_str(), nullptr);
  const double y = std::strtod(std::string(b).c_str(), nullptr);
  return x == y ? std::signbit(x) == std::signbit(y)
                : std::fabs(x - y) <= 1e-12 * std::max(std::fabs(x), std::fabs(y));
}

// Numbers were parsed as strings that begin with a mark no text begins with.
inline bool same_value(const rapidjson::Value& a, const rapidjson::Value& b, Exactness exactness) {
  if (a.GetType() != b.GetType()) return false;
  if (a.IsString()) {
    const std::string_view x(a.GetString(), a.GetStringLength());
    const std::string_view y(b.GetString(), b.GetStringLength());
    if (x == y) return true;
    const auto is_number = [](std::string_view text) {
      return !text.empty() && text.find_first_not_of("+-.0123456789eE") == std::string_view::npos;
    };
    return is_number(x) && is_number(y) && same_number(x, y, exactness);
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
    // A key may be there twice: then place tells which is meant.
    auto beside = b.MemberBegin();
    for (const auto& member : a.GetObject()) {
      const auto found = beside->name == member.name ? beside : b.FindMember(member.name);
      if (found == b.MemberEnd() || !same_value(member.value, found->value, exactness))
        return false;
      ++beside;
    }
    return true;
  }
  return true;  // null, true, false: the type says it
}

inline rapidjson::Document parse_answer(const std::string& text) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseFullPrecisionFlag>(
      text.c_str());
  return document;
}

inline std::string as_json(const rapidjson::Value& value) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  value.Accept(writer);
  return buffer.GetString();
}

}  // namespace flowrun
