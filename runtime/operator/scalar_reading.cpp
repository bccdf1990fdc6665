#include "runtime/operator/scalar_reading.h"

#include <fast_float/fast_float.h>
#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>

#include "runtime/base/suggest.h"
#include "runtime/format/interval.h"

namespace flowrun {

namespace {

std::string shown(const OptionSpec& spec, const RawValue& raw) {
  return spec.secret ? "the value (not shown)" : raw.shown();
}

Error wrong(const OptionSpec& spec, const RawValue& raw) {
  return Error::invalid(back_quoted(spec.name) + " cannot be " + shown(spec, raw) + " — write " +
                        describe_option(spec));
}

// Digits, with underscores between them.
std::optional<int64_t> to_integer(std::string_view text) {
  std::string digits;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool between =
        i > 0 && i + 1 < text.size() && std::isdigit(static_cast<unsigned char>(text[i - 1]));
    if (text[i] == '_' && between) continue;
    digits += text[i];
  }
  if (digits.starts_with('+')) digits.erase(0, 1);
  int64_t value = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (failure != std::errc() || end != digits.data() + digits.size() || digits.empty())
    return std::nullopt;
  return value;
}

std::optional<double> to_number(std::string_view text) {
  double value = 0;
  const auto [end, failure] = fast_float::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size() || text.empty())
    return std::nullopt;
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

std::optional<bool> to_boolean(std::string_view text) {
  if (names_equal(text, "true")) return true;
  if (names_equal(text, "false")) return false;
  return std::nullopt;
}

bool within_bounds(const OptionSpec& spec, int64_t value) {
  return (!spec.least || value >= *spec.least) && (!spec.most || value <= *spec.most);
}

Status read_integer(const OptionSpec& spec, const RawValue& raw, OptionValue& value) {
  if (spec.kind == OptionKind::rows && to_boolean(raw.text) == false) {
    value.integer = -1;
    return {};
  }
  const auto integer = to_integer(raw.text);
  const bool negative_rows = spec.kind == OptionKind::rows && integer && *integer < 0;
  if (!integer || negative_rows || !within_bounds(spec, *integer)) return wrong(spec, raw);
  value.integer = *integer;
  return {};
}

// A duration or a count of bytes: the parser's own words, then what would be right.
Status read_measure(const OptionSpec& spec, const RawValue& raw, Result<int64_t> parsed,
                    OptionValue& value) {
  if (!parsed) {
    Error error = Error::invalid(back_quoted(spec.name) + " cannot be " + shown(spec, raw) +
                                 " — write " + describe_option(spec));
    const std::string lower = lower_name(raw.text);
    const bool calendar =
        lower.find("month") != std::string::npos || lower.find("year") != std::string::npos;
    if (spec.kind == OptionKind::duration && calendar)
      error.message += "; months and years have no fixed length";
    return error;
  }
  if (!within_bounds(spec, *parsed)) return wrong(spec, raw);
  value.integer = *parsed;
  return {};
}

Status read_word(const OptionSpec& spec, const RawValue& raw, OptionValue& value) {
  std::string word = raw.text;
  if (std::ranges::find(spec.words, word) == spec.words.end()) std::ranges::replace(word, '-', '_');
  if (std::ranges::find(spec.words, word) != spec.words.end()) {
    value.text = word;
    return {};
  }
  for (const auto& [refused, why] : spec.refused_words) {
    if (refused == word) return Error::invalid(back_quoted(spec.name) + " cannot be " + why);
  }
  const auto near = nearest(raw.text, spec.words);
  Error error = wrong(spec, raw);
  if (near && !spec.secret) error.message += "; did you mean " + back_quoted(*near) + "?";
  return error;
}

// Relative to the folder of the file in which it was written.
std::string resolve_path(const RawValue& raw) {
  namespace fs = std::filesystem;
  const fs::path path(raw.text);
  if (path.is_absolute() || !raw.position.file) return path.lexically_normal().string();
  return (fs::path(*raw.position.file).parent_path() / path).lexically_normal().string();
}

void read_any_scalar(const RawValue& raw, OptionValue& value) {
  value.kind = OptionKind::text;
  if (raw.quoted) return;
  if (const auto boolean = to_boolean(raw.text)) {
    value.kind = OptionKind::boolean;
    value.boolean = *boolean;
  } else if (const auto integer = to_integer(raw.text)) {
    value.kind = OptionKind::integer;
    value.integer = *integer;
  } else if (const auto number = to_number(raw.text)) {
    value.kind = OptionKind::number;
    value.number = *number;
  }
}

Status read_into(const OptionSpec& spec, const RawValue& raw, OptionValue& value) {
  switch (spec.kind) {
    case OptionKind::word:
      return read_word(spec, raw, value);
    case OptionKind::integer:
    case OptionKind::rows:
      return read_integer(spec, raw, value);
    case OptionKind::duration:
      return read_measure(spec, raw, parse_duration(raw.text), value);
    case OptionKind::bytes:
      return read_measure(spec, raw, parse_bytes(raw.text), value);
    case OptionKind::number: {
      const auto number = to_number(raw.text);
      if (!number) return wrong(spec, raw);
      value.number = *number;
      return {};
    }
    case OptionKind::boolean: {
      const auto boolean = to_boolean(raw.text);
      if (!boolean) return wrong(spec, raw);
      value.boolean = *boolean;
      return {};
    }
    case OptionKind::path:
      if (raw.text.empty()) return wrong(spec, raw);
      value.text = resolve_path(raw);
      return {};
    case OptionKind::data_type: {
      FLOWRUN_TRY(value.type, parse_type(raw.text));
      return {};
    }
    case OptionKind::any_scalar:
      read_any_scalar(raw, value);
      return {};
    case OptionKind::expression:
    case OptionKind::column:
      if (raw.text.empty()) return wrong(spec, raw);
      return {};
    default:
      return {};
  }
}

}  // namespace

Result<OptionValue> read_scalar(const OptionSpec& spec, const RawValue& raw) {
  if (raw.kind == RawValue::Kind::empty) {
    const std::string_view hint =
        spec.kind == OptionKind::text ? ", or \"\" for an empty text" : "";
    return Error::invalid(back_quoted(spec.name) + " has no value — write " +
                          describe_option(spec) + std::string(hint));
  }
  OptionValue value;
  value.kind = spec.kind;
  value.position = raw.position;
  value.quoted = raw.quoted;
  value.interpolated = raw.interpolated;
  value.marks = raw.marks;
  value.text = raw.text;
  FLOWRUN_RETURN_IF_ERROR(read_into(spec, raw, value));
  return value;
}

Result<int64_t> parse_bytes(std::string_view text) {
  const size_t end = text.find_first_not_of("0123456789._");
  const std::string_view digits = text.substr(0, end);
  std::string unit = end == std::string_view::npos ? "" : lower_name(text.substr(end));
  std::erase(unit, ' ');
  constexpr std::string_view kPowers = "kmgt";
  int shift = 0;
  if (const size_t power = unit.empty() ? std::string_view::npos : kPowers.find(unit[0]);
      power != std::string_view::npos) {
    shift = static_cast<int>(10 * (power + 1));
    unit.erase(0, 1);
    if (unit == "ib" || unit == "i") unit.clear();
  }
  if (unit == "b") unit.clear();
  const auto whole = to_integer(digits);
  const auto number = whole ? std::optional(static_cast<double>(*whole)) : to_number(digits);
  const double count = number ? std::ldexp(*number, shift) : -1;
  constexpr double kLargest = 9e18;
  if (!unit.empty() || count < 0 || count > kLargest) {
    return Error::invalid("not a size: " + back_quoted(text) +
                          " — write one such as `64 KiB`, `10 MiB`, `2g`");
  }
  return whole && shift == 0 ? *whole : static_cast<int64_t>(count);
}

}  // namespace flowrun
