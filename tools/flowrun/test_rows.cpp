#include "tools/flowrun/test_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "runtime/base/suggest.h"
#include "runtime/columnar/builder.h"
#include "runtime/config/yaml_document.h"
#include "runtime/format/json_reader.h"
#include "runtime/format/json_writer.h"
#include "runtime/format/unicode_case.h"

namespace flowrun {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A number as JSON writes it.
bool is_json_number(std::string_view text) {
  size_t at = text.starts_with('-') ? 1 : 0;
  const auto digits = [&] {
    const size_t begin = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    return at > begin;
  };
  const size_t whole = at;
  if (!digits() || (text[whole] == '0' && at > whole + 1)) return false;
  if (at < text.size() && text[at] == '.' && (++at, !digits())) return false;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (!digits()) return false;
  }
  return at == text.size();
}

bool is_null_word(std::string_view text) { return text.empty() || text == "null" || text == "~"; }

void append_json_of(const RawValue& raw, std::string& out) {
  switch (raw.kind) {
    case RawValue::Kind::empty:
      out += "null";
      return;
    case RawValue::Kind::scalar: {
      const bool word = is_null_word(raw.text) || raw.text == "true" || raw.text == "false" ||
                        is_json_number(raw.text);
      if (raw.quoted || !word) return append_json_string(raw.text, out);
      out += is_null_word(raw.text) ? "null" : raw.text;
      return;
    }
    case RawValue::Kind::list:
      out += '[';
      for (size_t i = 0; i < raw.items.size(); ++i) {
        if (i > 0) out += ',';
        append_json_of(raw.items[i], out);
      }
      out += ']';
      return;
    case RawValue::Kind::map:
      out += '{';
      for (size_t i = 0; i < raw.items.size(); ++i) {
        if (i > 0) out += ',';
        append_json_string(raw.keys[i].text, out);
        out += ':';
        append_json_of(raw.items[i], out);
      }
      out += '}';
      return;
  }
}

// Texts that YAML gives back as they are without quotes, inside { } too, and that are no number.
bool is_plain(std::string_view text) {
  constexpr std::string_view kInside = " _-./:+%";
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<signed char>(c) < 0;
  };
  const bool word = !is_null_word(text) && text != "true" && text != "false" &&
                    !is_json_number(text) && (is_letter(text[0]) || is_digit(text[0]));
  if (!word || text.back() == ' ' || text.back() == ':') return false;
  if (text.find(": ") != std::string_view::npos) return false;
  return std::ranges::all_of(text, [&](char c) {
    return is_letter(c) || is_digit(c) || kInside.find(c) != std::string_view::npos;
  });
}

// 2026-01-01T00:00:10.500000Z -> 2026-01-01 00:00:10.5
std::string shorter_time(std::string text) {
  constexpr size_t kSeparator = 10;
  if (text.size() <= kSeparator || text[kSeparator] != 'T' || !text.ends_with('Z')) return text;
  text.pop_back();
  text[kSeparator] = ' ';
  if (text.find('.') != std::string::npos) {
    text.resize(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
  }
  return text;
}

void append_yaml(const RawValue& raw, const Type& type, std::string& out) {
  if (raw.kind == RawValue::Kind::map) {
    out += "{ ";
    for (size_t i = 0; i < raw.items.size(); ++i) {
      if (i > 0) out += ", ";
      const std::string& key = raw.keys[i].text;
      if (is_plain(key)) {
        out += key;
      } else {
        append_json_string(key, out);
      }
      out += ": ";
      const bool is_struct = type.id() == TypeId::struct_ && i < type.fields().size();
      const bool is_map = type.id() == TypeId::map;
      append_yaml(raw.items[i],
                  is_struct ? type.fields()[i].type
                  : is_map  ? type.value()
                            : type,
                  out);
    }
    out += " }";
  } else if (raw.kind == RawValue::Kind::list) {
    out += '[';
    for (size_t i = 0; i < raw.items.size(); ++i) {
      if (i > 0) out += ", ";
      append_yaml(raw.items[i], type.id() == TypeId::array ? type.element() : type, out);
    }
    out += ']';
  } else if (!raw.quoted) {
    out += raw.text.empty() ? "null" : raw.text;
  } else {
    const std::string text = type.id() == TypeId::timestamp ? shorter_time(raw.text) : raw.text;
    if (is_plain(text)) {
      out += text;
    } else {
      append_json_string(text, out);
    }
  }
}

std::string lower(const std::string& text) {
  std::string out;
  append_lower(text, out);
  return out;
}

std::vector<std::string> names_of(const Schema& schema) {
  std::vector<std::string> names;
  for (const Field& field : schema.fields()) names.push_back(field.name);
  return names;
}

// The row as a JSON object of the schema's columns.
Result<std::string> object_of(const RawValue& raw, const Schema& schema) {
  const std::vector<std::string> names = names_of(schema);
  std::vector<const RawValue*> values(names.size(), nullptr);
  if (raw.kind == RawValue::Kind::map) {
    for (size_t i = 0; i < raw.keys.size(); ++i) {
      const auto found = std::ranges::find_if(names, [&](const std::string& name) {
        return edit_distance(name, raw.keys[i].text) == 0;
      });
      if (found == names.end())
        return Error::invalid("there is no column " + back_quoted(raw.keys[i].text) +
                              (did_you_mean(raw.keys[i].text, names).empty()
                                   ? " — there are " + back_quoted_list(names)
                                   : did_you_mean(raw.keys[i].text, names)))
            .at(raw.keys[i].position);
      values[static_cast<size_t>(found - names.begin())] = &raw.items[i];
    }
  } else {
    const bool list = raw.kind == RawValue::Kind::list;
    const size_t count = list ? raw.items.size() : 1;
    if (count != names.size())
      return Error::invalid(fmt::format("a row of {} values, but there are {} columns: {}", count,
                                        names.size(), back_quoted_list(names)))
          .at(raw.position);
    for (size_t i = 0; i < count; ++i) values[i] = list ? &raw.items[i] : &raw;
  }
  std::string object = "{";
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) object += ',';
    append_json_string(names[i], object);
    object += ':';
    if (values[i]) {
      append_json_of(*values[i], object);
    } else {
      object += "null";
    }
  }
  return object + "}";
}

}  // namespace

std::string json_of(const RawValue& raw) {
  std::string out;
  append_json_of(raw, out);
  return out;
}

SchemaPtr with_distinct_names(const Schema& schema) {
  std::vector<Field> fields(schema.fields().begin(), schema.fields().end());
  std::set<std::string> taken;
  for (Field& field : fields) {
    const std::string name = field.name;
    for (int number = 2; !taken.insert(lower(field.name)).second; ++number)
      field.name = fmt::format("{}_{}", name, number);
  }
  return Schema::make(std::move(fields));
}

std::vector<std::string> canonical_rows(const RecordBatch& batch) {
  const JsonRowWriter writer(
      batch.schema(),
      {.ignore_null_fields = false, .fraction = JsonWriteOptions::Fraction::microseconds});
  std::vector<std::string> rows(static_cast<size_t>(batch.num_rows()));
  for (size_t i = 0; i < rows.size(); ++i)
    writer.append_row(batch, static_cast<int64_t>(i), rows[i]);
  return rows;
}

Result<RecordBatch> read_json_rows(const std::vector<std::string>& rows, const SchemaPtr& schema) {
  FLOWRUN_TRY(const auto reader,
              JsonReader::make(schema, {}, std::vector<bool>(schema->num_fields(), true)));
  StringBuilder lines(Type::string());
  for (const std::string& row : rows) lines.append(row);
  FLOWRUN_TRY(ReadRows read, reader->read(*lines.finish()));
  if (!read.bad.empty()) return Error::data(read.bad.front().reason);
  return RecordBatch(schema, read.num_rows, std::move(read.columns));
}

Result<std::string> canonical_row(const RawValue& raw, const SchemaPtr& schema) {
  FLOWRUN_TRY(const std::string object, object_of(raw, *schema));
  Result<RecordBatch> batch = read_json_rows({object}, schema);
  if (!batch) return std::move(batch.error()).at(raw.position);
  return canonical_rows(*batch).front();
}

std::string yaml_row(const std::string& canonical, const SchemaPtr& schema) {
  Diagnostics unused;
  const RawValue raw = read_yaml(canonical, nullptr, unused);
  if (!unused.empty()) return canonical;  // JSON that this YAML does not take
  std::string out;
  append_yaml(raw, Type::struct_({schema->fields().begin(), schema->fields().end()}), out);
  return out;
}

}  // namespace flowrun
