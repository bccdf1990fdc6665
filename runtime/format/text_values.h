#pragma once
// Values of a type from their text, as Spark's JSON and CSV readers take them.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/status.h"
#include "runtime/columnar/column.h"

namespace flowrun {

// Dates and timestamps by a pattern of the user's or, without one, by the rules of cast with the
// fallbacks that Spark's readers have. Used by one thread at a time.
class TextTimes {
 public:
  static Result<TextTimes> make(const std::optional<std::string>& date_format,
                                const std::optional<std::string>& timestamp_format,
                                std::string_view timezone);
  TextTimes(TextTimes&&) noexcept;
  TextTimes& operator=(TextTimes&&) noexcept;
  ~TextTimes();

  // Days since 1970-01-01. JSON also takes a text of digits for such days.
  [[nodiscard]] std::optional<int32_t> date_or_days(std::string_view text) const;
  [[nodiscard]] std::optional<int32_t> date(std::string_view text) const;
  // Microseconds since 1970-01-01T00:00:00Z.
  [[nodiscard]] std::optional<int64_t> timestamp(std::string_view text) const;

 private:
  struct Parts;
  explicit TextTimes(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

// As parse_decimal, but white space around is an error: "-12.50", "+1e3", ".5".
std::optional<Decimal128> parse_decimal_text(std::string_view text, int precision, int scale);

// A float or double in Java's decimal notation, correctly rounded; too large ones are infinite.
// REQUIRES: the text is a number of JSON.
double json_double(std::string_view text);
float json_float(std::string_view text);

}  // namespace flowrun
