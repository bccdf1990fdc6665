#include "runtime/format/text.h"

#include <fmt/format.h>

#include <iterator>

#include "runtime/format/decimal.h"

namespace flowrun {

namespace {

constexpr int kPlainZeros = 6;  // BigDecimal.toString: an exponent below 10^-6

// Writes nested values; holds what does not change from value to value.
class Writer {
 public:
  Writer(const TimeZone& zone, TextStyle style, std::string& out)
      : zone_(zone), style_(style), out_(out) {}

  void value(const Column& column, int64_t row) {
    if (column.is_null(row)) {
      out_ += style_ == TextStyle::show ? "NULL" : "null";
      return;
    }
    switch (column.type().id()) {
      case TypeId::boolean:
        out_ += column.boolean(row) ? "true" : "false";
        break;
      case TypeId::string:
        out_ += column.string(row);
        break;
      case TypeId::binary:
        binary(column.string(row));
        break;
      case TypeId::array:
        array(column, row);
        break;
      case TypeId::map:
        map(column, row);
        break;
      case TypeId::struct_:
        structure(column, row);
        break;
      default:
        visit_fixed(column.type().id(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          fixed(column.type(), column.values<T>()[static_cast<size_t>(row)]);
        });
    }
  }

 private:
  template <class T>
  void fixed(const Type& type, T value) {
    if constexpr (std::is_same_v<T, Decimal128>) {
      style_ == TextStyle::show ? append_decimal(value, type.scale(), out_)
                                : append_decimal_scientific(value, type.scale(), out_);
    } else if constexpr (std::is_same_v<T, CalendarInterval>) {
      append_interval(value, out_);
    } else if constexpr (std::is_same_v<T, double>) {
      append_double(value, out_);
    } else if constexpr (std::is_same_v<T, float>) {
      append_float(value, out_);
    } else if (type.id() == TypeId::date) {
      append_date(static_cast<int32_t>(value), out_);
    } else if (type.id() == TypeId::timestamp) {
      append_timestamp(value, zone_, out_);
    } else if (type.id() == TypeId::year_month_interval) {
      append_year_month(type, static_cast<int32_t>(value), out_);
    } else if (type.id() == TypeId::day_time_interval) {
      append_day_time(type, value, out_);
    } else {
      append_integer(value, out_);
    }
  }

  void binary(std::string_view bytes) {
    if (style_ == TextStyle::cast) {
      out_ += bytes;
      return;
    }
    static constexpr char kHex[] = "0123456789ABCDEF";
    out_ += '[';
    for (size_t i = 0; i < bytes.size(); ++i) {
      const auto byte = static_cast<uint8_t>(bytes[i]);
      if (i > 0) out_ += ' ';
      out_ += kHex[byte >> 4];
      out_ += kHex[byte & 15];
    }
    out_ += ']';
  }

  void array(const Column& column, int64_t row) {
    out_ += '[';
    for (int32_t e = column.list_begin(row); e < column.list_end(row); ++e) {
      if (e > column.list_begin(row)) out_ += ", ";
      value(*column.child(0), e);
    }
    out_ += ']';
  }

  void map(const Column& column, int64_t row) {
    out_ += '{';
    for (int32_t e = column.list_begin(row); e < column.list_end(row); ++e) {
      if (e > column.list_begin(row)) out_ += ", ";
      value(*column.child(0), e);
      out_ += " -> ";
      value(*column.child(1), e);
    }
    out_ += '}';
  }

  void structure(const Column& column, int64_t row) {
    out_ += '{';
    for (size_t f = 0; f < column.children().size(); ++f) {
      if (f > 0) out_ += ", ";
      value(*column.child(f), row);
    }
    out_ += '}';
  }

  const TimeZone& zone_;
  TextStyle style_;
  std::string& out_;
};

constexpr uint64_t kSecond = 1'000'000;
constexpr uint64_t kMinute = 60 * kSecond;
constexpr uint64_t kHour = 60 * kMinute;
constexpr uint64_t kDay = 24 * kHour;

uint64_t magnitude(int64_t value) {
  return value < 0 ? ~static_cast<uint64_t>(value) + 1 : static_cast<uint64_t>(value);
}

// Seconds of so many microseconds, without zeros at the end of the fraction.
void append_seconds(uint64_t micros, std::string& out) {
  append_integer(static_cast<int64_t>(micros / kSecond), out);
  if (micros % kSecond == 0) return;
  std::string fraction = fmt::format(".{:06}", micros % kSecond);
  fraction.erase(fraction.find_last_not_of('0') + 1);
  out += fraction;
}

// The fields first..last of a day-time interval, without its sign.
void append_day_time_fields(uint64_t micros, IntervalUnit first, IntervalUnit last,
                            std::string& out) {
  struct Unit {
    IntervalUnit unit;
    uint64_t size;
    char before;
  };
  static constexpr Unit kUnits[] = {{IntervalUnit::day, kDay, ' '},
                                    {IntervalUnit::hour, kHour, ' '},
                                    {IntervalUnit::minute, kMinute, ':'},
                                    {IntervalUnit::second, kSecond, ':'}};
  for (const Unit& unit : kUnits) {
    if (unit.unit < first || unit.unit > last) continue;
    if (unit.unit > first) out += unit.before;
    if (unit.unit > IntervalUnit::day && micros / unit.size < 10) out += '0';
    if (unit.unit == IntervalUnit::second) {
      append_seconds(micros, out);
    } else {
      fmt::format_to(std::back_inserter(out), "{}", micros / unit.size);
    }
    micros %= unit.size;
  }
}

// " DAY TO SECOND'" without the quote: the units as the type's name has them.
void append_units(const Type& type, std::string& out) {
  const std::string name = type.ddl();  // INTERVAL DAY TO SECOND
  out.append(name, name.find(' '));
}

}  // namespace

void append_text(const Column& column, int64_t row, const TimeZone& zone, std::string& out,
                 TextStyle style) {
  Writer(zone, style, out).value(column, row);
}

void append_decimal_scientific(Decimal128 value, int scale, std::string& out) {
  std::string digits;
  append_decimal(value < 0 ? -value : value, 0, digits);
  const int exponent = static_cast<int>(digits.size()) - 1 - scale;
  if (exponent >= -kPlainZeros) {
    append_decimal(value, scale, out);
    return;
  }
  if (value < 0) out += '-';
  out += digits[0];
  if (digits.size() > 1) {
    out += '.';
    out.append(digits, 1);
  }
  out += 'E';
  append_integer(exponent, out);
}

void append_interval(const CalendarInterval& value, std::string& out) {
  const size_t before = out.size();
  const auto unit = [&](int64_t amount, const char* name) {
    if (amount == 0) return;
    if (out.size() > before) out += ' ';
    append_integer(amount, out);
    out += name;
  };
  unit(value.months / 12, " years");
  unit(value.months % 12, " months");
  unit(value.days, " days");
  const uint64_t micros = magnitude(value.microseconds);
  const int64_t sign = value.microseconds < 0 ? -1 : 1;
  unit(sign * static_cast<int64_t>(micros / kHour), " hours");
  unit(sign * static_cast<int64_t>(micros % kHour / kMinute), " minutes");
  if (micros % kMinute != 0) {
    if (out.size() > before) out += ' ';
    if (sign < 0) out += '-';
    append_seconds(micros % kMinute, out);
    out += " seconds";
  }
  if (out.size() == before) out += "0 seconds";
}

void append_year_month(const Type& type, int32_t months, std::string& out) {
  out += "INTERVAL '";
  if (months < 0) out += '-';
  const auto total = static_cast<int64_t>(magnitude(months));
  if (type.first_unit() == type.last_unit()) {
    append_integer(type.first_unit() == IntervalUnit::year ? total / 12 : total, out);
  } else {
    append_integer(total / 12, out);
    out += '-';
    append_integer(total % 12, out);
  }
  out += '\'';
  append_units(type, out);
}

void append_day_time(const Type& type, int64_t micros, std::string& out) {
  out += "INTERVAL '";
  if (micros < 0) out += '-';
  append_day_time_fields(magnitude(micros), type.first_unit(), type.last_unit(), out);
  out += '\'';
  append_units(type, out);
}

}  // namespace flowrun
