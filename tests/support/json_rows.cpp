#include "tests/support/json_rows.h"

#include <rapidjson/document.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "runtime/base/check.h"
#include "runtime/columnar/builder.h"
#include "runtime/format/datetime.h"

namespace flowrun {

namespace {

using rapidjson::Value;

const TimeZone& utc() { return **find_time_zone("UTC"); }

std::string_view text_of(const Value& value) {
  FLOWRUN_CHECK(value.IsString(), "a number or text");
  return {value.GetString(), value.GetStringLength()};
}

std::string decode_base64(std::string_view text) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '=') break;
    bits = bits << 6 | static_cast<uint32_t>(kDigits.find(c));
    count += 6;
    if (count >= 8) out += static_cast<char>(bits >> (count -= 8));
  }
  return out;
}

// "-1.5e-7" as a count of 10^-scale.
Decimal128 decimal_of(std::string_view text, int scale) {
  int exponent = scale;
  if (const size_t e = text.find_first_of("eE"); e != std::string_view::npos) {
    exponent += std::atoi(std::string(text.substr(e + 1)).c_str());
    text = text.substr(0, e);
  }
  Decimal128 value = 0;
  bool fraction = false;
  for (const char c : text) {
    if (c == '.') fraction = true;
    if (c < '0' || c > '9') continue;
    value = value * 10 + (c - '0');
    if (fraction) --exponent;
  }
  for (; exponent > 0; --exponent) value *= 10;
  for (; exponent < 0; ++exponent) value /= 10;
  return text.starts_with('-') ? -value : value;
}

template <class T>
T fixed_of(const Type& type, const Value& value) {
  const std::string text(text_of(value));
  if constexpr (std::is_same_v<T, Decimal128>) {
    return decimal_of(text, type.scale());
  } else if constexpr (std::is_same_v<T, CalendarInterval>) {
    check_failed(__FILE__, __LINE__, "interval", "intervals are not read from JSON");
  } else if constexpr (std::is_floating_point_v<T>) {
    return static_cast<T>(std::strtod(text.c_str(), nullptr));
  } else if (type.id() == TypeId::date && text.find('-') != std::string::npos) {
    return static_cast<T>(parse_date(text).value());
  } else if (type.id() == TypeId::timestamp && text.find(':') != std::string::npos) {
    return static_cast<T>(parse_timestamp(text, utc()).value());
  } else {
    return static_cast<T>(std::strtoll(text.c_str(), nullptr, 10));
  }
}

void append_value(const Value& value, ColumnBuilder& builder);

const Value& member_of(const Value& object, const std::string& name) {
  static const Value null;
  const auto found = object.FindMember(name.c_str());
  return found == object.MemberEnd() ? null : found->value;
}

void append_map(const Value& value, MapBuilder& builder) {
  for (const auto& member : value.GetObject()) {
    append_value(member.name, builder.key());
    append_value(member.value, builder.value());
  }
  builder.append();
}

void append_value(const Value& value, ColumnBuilder& builder) {
  if (value.IsNull()) return builder.append_null();
  const Type& type = builder.type();
  switch (type.id()) {
    case TypeId::boolean:
      return static_cast<BooleanBuilder&>(builder).append(value.GetBool());
    case TypeId::string:
      return static_cast<StringBuilder&>(builder).append(text_of(value));
    case TypeId::binary:
      return static_cast<StringBuilder&>(builder).append(decode_base64(text_of(value)));
    case TypeId::array: {
      auto& array = static_cast<ArrayBuilder&>(builder);
      for (const Value& element : value.GetArray()) append_value(element, array.element());
      return array.append();
    }
    case TypeId::map:
      return append_map(value, static_cast<MapBuilder&>(builder));
    case TypeId::struct_: {
      auto& structure = static_cast<StructBuilder&>(builder);
      for (size_t i = 0; i < structure.num_fields(); ++i) {
        append_value(member_of(value, type.fields()[i].name), structure.field(i));
      }
      return structure.append();
    }
    default:
      visit_fixed(type.id(), [&](auto tag) {
        using T = typename decltype(tag)::type;
        static_cast<FixedBuilder<T>&>(builder).append(fixed_of<T>(type, value));
      });
  }
}

}  // namespace

RecordBatch rows_from_json(const SchemaPtr& schema, std::string_view lines) {
  StructBuilder builder(Type::struct_({schema->fields().begin(), schema->fields().end()}));
  for (const std::string& line : split_lines(lines)) {
    if (line.empty()) continue;
    rapidjson::Document document;
    document.Parse<rapidjson::kParseNumbersAsStringsFlag>(line.c_str(), line.size());
    FLOWRUN_CHECK(!document.HasParseError() && document.IsObject(), "a line is a JSON object");
    append_value(document, builder);
  }
  const ColumnPtr rows = builder.finish();
  return {schema, rows->size(), {rows->children().begin(), rows->children().end()}};
}

RecordBatch rows_from_json(std::string_view ddl, std::string_view lines) {
  return rows_from_json(parse_schema(ddl).value(), lines);
}

std::string read_whole_file(const std::string& path) {
  const std::ifstream file(path, std::ios::binary);
  FLOWRUN_CHECK(file, "the file is there");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::vector<std::string> files_ending(const std::string& folder, std::string_view suffix) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(suffix)) names.push_back(name.substr(0, name.size() - suffix.size()));
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace flowrun
