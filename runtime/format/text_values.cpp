#include "runtime/format/text_values.h"

#include <fast_float/fast_float.h>

#include <charconv>

#include "runtime/format/datetime.h"
#include "runtime/format/decimal.h"

namespace flowrun {

struct TextTimes::Parts {
  explicit Parts(const TimeZone& zone) : wall(zone) {}
  LocalTime wall;
  std::optional<DateTimePattern> date;
  std::optional<DateTimePattern> timestamp;
};

TextTimes::TextTimes(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
TextTimes::TextTimes(TextTimes&&) noexcept = default;
TextTimes& TextTimes::operator=(TextTimes&&) noexcept = default;
TextTimes::~TextTimes() = default;

namespace {

Result<std::optional<DateTimePattern>> compile(const std::optional<std::string>& format,
                                               std::string_view option) {
  if (!format) return std::optional<DateTimePattern>();
  auto pattern = DateTimePattern::compile(*format, DateTimePattern::Use::parse);
  if (!pattern) return std::move(pattern.error()).within(option);
  return std::optional<DateTimePattern>(std::move(*pattern));
}

std::string without_gmt(std::string_view text) {
  std::string cleaned(text);
  for (size_t at = cleaned.find("GMT"); at != std::string::npos; at = cleaned.find("GMT", at)) {
    cleaned.erase(at, 3);
  }
  return cleaned;
}

}  // namespace

Result<TextTimes> TextTimes::make(const std::optional<std::string>& date_format,
                                  const std::optional<std::string>& timestamp_format,
                                  std::string_view timezone) {
  FLOWRUN_TRY(const TimeZone* zone, find_time_zone(timezone));
  auto parts = std::make_unique<Parts>(*zone);
  FLOWRUN_TRY(parts->date, compile(date_format, "date_format"));
  FLOWRUN_TRY(parts->timestamp, compile(timestamp_format, "timestamp_format"));
  return TextTimes(std::move(parts));
}

std::optional<int32_t> TextTimes::date(std::string_view text) const {
  if (parts_->date) return parts_->date->parse_date(text);
  if (const auto days = parse_date(text)) return days;
  if (text.find("GMT") == std::string_view::npos) return std::nullopt;
  return parse_date(without_gmt(text));
}

std::optional<int32_t> TextTimes::date_or_days(std::string_view text) const {
  const auto date = this->date(text);
  if (date || parts_->date) return date;
  // Spark 1.5 wrote dates as days since 1970.
  int32_t days = 0;
  const std::string_view digits = text.starts_with('+') ? text.substr(1) : text;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), days);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return days;
}

std::optional<int64_t> TextTimes::timestamp(std::string_view text) const {
  if (parts_->timestamp) return parts_->timestamp->parse_timestamp(text, parts_->wall);
  if (const auto micros = parse_timestamp(text, parts_->wall)) return micros;
  if (text.find("GMT") == std::string_view::npos) return std::nullopt;
  return parse_timestamp(without_gmt(text), parts_->wall);
}

std::optional<Decimal128> parse_decimal_text(std::string_view text, int precision, int scale) {
  const auto is_space = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
  if (text.empty() || is_space(text.front()) || is_space(text.back())) return std::nullopt;
  return parse_decimal(text, precision, scale);
}

// fast_float gives infinity and zero for what is out of range.
double json_double(std::string_view text) {
  double value = 0;
  fast_float::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

float json_float(std::string_view text) {
  float value = 0;
  fast_float::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace flowrun
