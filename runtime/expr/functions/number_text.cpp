// Numbers as text and back by patterns: format_number, format_string, to_number, to_char.
#include <algorithm>

#include "runtime/columnar/builder.h"
#include "runtime/expr/analyzer.h"
#include "runtime/expr/coercion.h"
#include "runtime/expr/functions/functions.h"
#include "runtime/expr/scalar.h"
#include "runtime/expr/text_rows.h"
#include "runtime/format/decimal.h"
#include "runtime/format/decimal_format.h"
#include "runtime/format/java_format.h"
#include "runtime/format/number_pattern.h"
#include "runtime/format/text.h"

namespace flowrun {

namespace {

// The format last asked for, by pattern or by places.
class NumberFormats {
 public:
  Result<const DecimalFormat*> by_pattern(std::string_view pattern) {
    if (!format_ || pattern_ != pattern) {
      pattern_ = pattern;
      FLOWRUN_TRY(format_, DecimalFormat::compile(pattern.empty() ? kDefault : pattern));
    }
    return &*format_;
  }
  const DecimalFormat* by_places(int32_t places) {
    if (!format_ || places_ != places) format_ = DecimalFormat::with_places(places);
    places_ = places;
    return &*format_;
  }

 private:
  static constexpr std::string_view kDefault = "#,###,###,###,###,###,##0";
  std::optional<DecimalFormat> format_;
  std::string pattern_;
  int32_t places_ = 0;
};

void append_formatted(const DecimalFormat& format, const Column& numbers, int64_t row,
                      std::string& out) {
  visit_fixed(numbers.type().id(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T value = numbers.values<T>()[static_cast<size_t>(row)];
    if constexpr (std::is_floating_point_v<T>) {
      format.append_double(static_cast<double>(value), out);
    } else if constexpr (!std::is_same_v<T, CalendarInterval>) {
      const int scale = numbers.type().id() == TypeId::decimal ? numbers.type().scale() : 0;
      format.append(DecimalDigits::of_decimal(value, scale), out);
    }
  });
}

Result<Datum> format_numbers(const CallContext& context, std::span<const Datum> arguments) {
  NumberFormats formats;
  const Datum& how = arguments[1];
  const bool by_pattern = how.type().id() == TypeId::string;
  return text_rows(context, arguments, 2, [&](int64_t row, std::string& out) -> Result<bool> {
    const DecimalFormat* format = nullptr;
    if (by_pattern) {
      FLOWRUN_TRY(format, formats.by_pattern(how.column->string(how.at(row))));
    } else {
      const int32_t places = how.column->values<int32_t>()[static_cast<size_t>(how.at(row))];
      if (places < 0) return false;
      FLOWRUN_RETURN_IF_ERROR(check_made_bytes("format_number", places));
      format = formats.by_places(places);
    }
    append_formatted(*format, *arguments[0].column, arguments[0].at(row), out);
    return true;
  });
}

Result<BoundFunction> bind_format_number(const Arguments& arguments) {
  const Type number =
      arguments.types[0].id() == TypeId::null ? Type::double_() : arguments.types[0];
  if (!number.is_numeric()) return wrong_argument(arguments, 0, "a number");
  const Type how = arguments.types[1].id() == TypeId::null ? Type::integer() : arguments.types[1];
  if (how.id() != TypeId::integer && how.id() != TypeId::string)
    return wrong_argument(arguments, 1, "an int, the digits behind the point, or a pattern");
  return BoundFunction{{number, how}, Type::string(), format_numbers, true};
}

// The value as a formatter sees it: dates and times are the numbers that stand for them. `scratch`
// holds the text of what has only one.
FormatArgument format_argument(const Datum& datum, int64_t row, const TimeZone& zone,
                               std::string& scratch) {
  const Column& column = *datum.column;
  const int64_t at = datum.at(row);
  if (column.is_null(at)) return std::monostate();
  switch (column.type().id()) {
    case TypeId::boolean:
      return column.boolean(at);
    case TypeId::string:
      return FormatText{column.string(at)};
    case TypeId::tinyint:
    case TypeId::smallint:
    case TypeId::integer:
    case TypeId::bigint:
    case TypeId::real:
    case TypeId::double_:
    case TypeId::date:
    case TypeId::timestamp:
      return visit_fixed(column.type().id(), [&](auto tag) -> FormatArgument {
        using T = typename decltype(tag)::type;
        if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, Decimal128>) {
          return column.values<T>()[static_cast<size_t>(at)];
        } else {
          return std::monostate();
        }
      });
    default:
      scratch.clear();
      append_text(column, at, zone, scratch);
      return FormatText{scratch};
  }
}

Result<Datum> format_strings(const CallContext& context, std::span<const Datum> arguments) {
  const Datum& pattern = arguments[0];
  std::optional<JavaFormat> format;
  std::string compiled;
  std::vector<std::string> scratch(arguments.size());
  std::vector<FormatArgument> values(arguments.size() - 1);
  return text_rows(context, arguments, 1, [&](int64_t row, std::string& out) -> Result<bool> {
    const std::string_view text = pattern.column->string(pattern.at(row));
    if (!format || compiled != text) {
      FLOWRUN_TRY(format, JavaFormat::compile(text));
      compiled = text;
    }
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = format_argument(arguments[i + 1], row, context.zone, scratch[i]);
    FLOWRUN_RETURN_IF_ERROR(format->append(values, out));
    return true;
  });
}

Result<BoundFunction> bind_format_string(const Arguments& arguments) {
  BoundFunction bound{
      {arguments.types.begin(), arguments.types.end()}, Type::string(), format_strings, true};
  const auto pattern = implicit_cast(arguments.types[0], Type::string());
  if (!pattern) return wrong_argument(arguments, 0, "a pattern such as '%05d %s'");
  bound.arguments[0] = *pattern;
  const auto written = arguments.constant_text(0);
  if (written && written->find("%0$") != std::string::npos)
    return wrong_argument(arguments, 0, "a pattern whose arguments count from 1, as in %1$s");
  return bound;
}

// The compiled pattern that is the constant argument `i`; nothing if that is null.
Result<std::optional<NumberPattern>> constant_pattern(const Arguments& arguments, size_t i) {
  const ColumnPtr& constant = arguments.constants[i];
  const bool text = arguments.types[i].is_string_like() || arguments.types[i].id() == TypeId::null;
  if (constant == nullptr || !text)
    return wrong_argument(arguments, i, "a number format as constant text, such as '999.99'");
  if (constant->is_null(0)) return std::optional<NumberPattern>();
  FLOWRUN_TRY(NumberPattern pattern, NumberPattern::compile(constant->string(0)));
  return std::optional<NumberPattern>(std::move(pattern));
}

// to_number fails on a text that does not match, try_to_number gives null.
BindFunction bind_to_number(bool fails) {
  return [fails](const Arguments& arguments) -> Result<BoundFunction> {
    FLOWRUN_TRY(const auto pattern, constant_pattern(arguments, 1));
    const auto text = implicit_cast(arguments.types[0], Type::string());
    if (!text) return wrong_argument(arguments, 0, "text");
    const Type type = pattern ? pattern->type() : Type::decimal(10, 0);
    BoundFunction bound{{*text, arguments.types[1]}, type, {}, true};
    bound.kernel = [=](const CallContext& context, std::span<const Datum> values) -> Result<Datum> {
      if (!pattern || values[0].is_constant_null()) return Datum::null(type);
      const int64_t rows = rows_to_compute(values, context.num_rows);
      FixedWriter<Decimal128> out(type, rows);
      for (int64_t row = 0; row < rows; ++row) {
        if (values[0].is_null(row)) {
          out.set_null(row);
          continue;
        }
        const std::string_view written = values[0].column->string(values[0].at(row));
        const auto number = pattern->parse(written);
        if (!number && fails)
          return Error::data("to_number cannot read '" + std::string(written) +
                             "' by its format — try_to_number gives null there");
        number ? out.set(row, *number) : out.set_null(row);
      }
      return Datum{out.finish(), rows_to_compute(values, 2) == 1};
    };
    return bound;
  };
}

// Whole numbers become decimals of their digits, doubles and text Spark's usual ones.
Result<BoundFunction> bind_number_to_char(const Arguments& arguments) {
  FLOWRUN_TRY(const auto pattern, constant_pattern(arguments, 1));
  const Type& given = arguments.types[0];
  if (!given.is_numeric() && given.id() != TypeId::string && given.id() != TypeId::null)
    return wrong_argument(arguments, 0, "a number, a date, a timestamp or a binary value");
  const Type number = decimal_for(given);
  BoundFunction bound{{number, arguments.types[1]}, Type::string(), {}, true};
  bound.kernel = [pattern, scale = number.scale()](const CallContext& context,
                                                   std::span<const Datum> values) {
    return text_rows(context, values, 2, [&](int64_t row, std::string& out) -> Result<bool> {
      const auto at = static_cast<size_t>(values[0].at(row));
      pattern->format(values[0].column->values<Decimal128>()[at], scale, out);
      return true;
    });
  };
  return bound;
}

// to_char(x, format): by the type of x short for another function.
Result<TypedPtr> build_to_char(CallSite& site) {
  const TypedPtr& value = site.argument(0);
  const TypeId id = value->type.id();
  if (id == TypeId::date || id == TypeId::timestamp)
    return site.call("date_format", site.arguments());
  if (id != TypeId::binary) {
    FLOWRUN_TRY(TypedPtr text, site.call_as("number to_char", "to_char", site.arguments()));
    return text;
  }
  const auto* format = dynamic_cast<const ConstantNode*>(site.argument(1).get());
  const std::string name =
      format != nullptr && format->type.id() == TypeId::string && !format->value()->is_null(0)
          ? lower_name(format->value()->string(0))
          : std::string();
  if (name == "base64" || name == "hex") return site.call(name, {value});
  if (name == "utf-8") return site.call("decode", site.arguments());
  return site.wrong_argument(1, "'base64', 'hex' or 'utf-8' for a binary value");
}

}  // namespace

void register_number_text_functions(FunctionRegistry& registry) {
  registry.add(ScalarFunction("format_number",
                              "format_number(x, places): with groups of three and so many digits "
                              "behind the point; or by a pattern such as '#,##0.00'.",
                              2, 2, BindFunction(bind_format_number))
                   .may_fail());
  registry.add(ScalarFunction({"format_string", "printf"},
                              "format_string(pattern, x, ...): the arguments in a text, by "
                              "specifiers such as %d, %05.2f, %-10s.",
                              1, ScalarFunction::kAnyNumber, BindFunction(bind_format_string))
                   .may_fail());
  registry.add(ScalarFunction("to_number",
                              "to_number(text, format): the decimal that a text such as '$1,234.5' "
                              "stands for, by a format such as '$9,999.99'.",
                              2, 2, bind_to_number(true))
                   .may_fail());
  registry.add(ScalarFunction("try_to_number",
                              "try_to_number(text, format): as to_number, null where the text does "
                              "not match.",
                              2, 2, bind_to_number(false)));
  registry.add(ScalarFunction("number to_char", "to_char of a number.", 2, 2,
                              BindFunction(bind_number_to_char)));
  registry.add(
      ScalarFunction({"to_char", "to_varchar"},
                     "to_char(x, format): a number by a format such as '999.99', a date or "
                     "timestamp by a datetime pattern, a binary value as 'hex', 'base64' or "
                     "'utf-8'.",
                     2, 2, BuildFunction(build_to_char)));
}

}  // namespace flowrun
