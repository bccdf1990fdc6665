// Spark's type grammar (SqlBaseParser.g4, rules colTypeList and dataType), by recursive descent.
#include <fmt/format.h>

#include <charconv>
#include <map>
#include <optional>

#include "runtime/base/suggest.h"
#include "runtime/columnar/type.h"

namespace flowrun {

namespace {

constexpr int kMaxDepth = 64;

const std::map<std::string, Type, std::less<>>& plain_types() {
  static const std::map<std::string, Type, std::less<>> types = {
      {"boolean", Type::boolean()},
      {"bool", Type::boolean()},
      {"tinyint", Type::tinyint()},
      {"byte", Type::tinyint()},
      {"smallint", Type::smallint()},
      {"short", Type::smallint()},
      {"int", Type::integer()},
      {"integer", Type::integer()},
      {"bigint", Type::bigint()},
      {"long", Type::bigint()},
      {"float", Type::real()},
      {"real", Type::real()},
      {"double", Type::double_()},
      {"string", Type::string()},
      {"binary", Type::binary()},
      {"date", Type::date()},
      {"timestamp", Type::timestamp()},
      {"timestamp_ltz", Type::timestamp()},
      {"void", Type::null()}};
  return types;
}

std::optional<IntervalUnit> unit_of(std::string_view word) {
  static constexpr std::string_view kNames[] = {"year", "month", "day", "hour", "minute", "second"};
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if (word == kNames[i]) return static_cast<IntervalUnit>(i);
  }
  return std::nullopt;
}

// What a program calls a type by its class in Spark, LongType, has this name; empty for other
// words. `word` is in lower case.
std::string_view name_of_class(std::string_view word) {
  struct Class {
    std::string_view spark;
    std::string_view name;
  };
  constexpr Class kClasses[] = {
      {"bytetype", "tinyint"},
      {"shorttype", "smallint"},
      {"integertype", "int"},
      {"longtype", "bigint"},
      {"floattype", "float"},
      {"doubletype", "double"},
      {"decimaltype", "decimal(10, 0)"},
      {"stringtype", "string"},
      {"booleantype", "boolean"},
      {"binarytype", "binary"},
      {"datetype", "date"},
      {"timestamptype", "timestamp"},
      {"arraytype", "array<string>"},
      {"maptype", "map<string, string>"},
      {"structtype", "struct<name: type>"},
  };
  for (const Class& known : kClasses) {
    if (known.spark == word) return known.name;
  }
  return {};
}

class TypeParser {
 public:
  explicit TypeParser(std::string_view text) : text_(text) { skip_space(); }

  Result<Type> type(int depth = 0) {
    if (depth > kMaxDepth) return fail("types are nested deeper than 64 levels");
    const size_t start = at_;
    const std::string word = lower_name(identifier());
    if (word.empty())
      return fail("a type is missing — write one such as `bigint` or `array<string>`");
    if (word == "array") return array(depth);
    if (word == "map") return map(depth);
    if (word == "struct") return structure(depth);
    if (word == "decimal" || word == "dec" || word == "numeric") return decimal();
    if (word == "interval") return interval();
    if (word == "char" || word == "varchar" || word == "character") return sized_string();
    if (const auto found = plain_types().find(word); found != plain_types().end())
      return found->second;
    std::vector<std::string> names = {"array", "map", "struct", "decimal", "interval"};
    for (const auto& [name, unused] : plain_types()) names.push_back(name);
    const std::string_view class_of = name_of_class(word);
    const std::string hint =
        class_of.empty() ? did_you_mean(word, names) : fmt::format(" — here it is `{}`", class_of);
    return Error::invalid(fmt::format("unknown type `{}`{}", word, hint)).at_offset(start);
  }

  Result<std::vector<Field>> fields(char end, int depth) {
    std::vector<Field> fields;
    if (peek() == end) return fields;
    while (true) {
      FLOWRUN_TRY(Field field, this->field(depth));
      fields.push_back(std::move(field));
      if (!accept(',')) return fields;
    }
  }

  Status end() {
    if (at_ == text_.size()) return ok_status();
    return fail(fmt::format("unexpected `{}` after the type", text_.substr(at_, 12)));
  }

  bool accept(char c) {
    if (peek() != c) return false;
    ++at_;
    skip_space();
    return true;
  }

  // Consumes the word if it stands next.
  bool accept_word(std::string_view word) {
    const size_t start = at_;
    if (lower_name(identifier()) == word) return true;
    at_ = start;
    return false;
  }

 private:
  Error fail(std::string message) const {
    return Error::invalid(std::move(message)).at_offset(at_);
  }

  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  void skip_space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
      ++at_;
  }

  std::string identifier() {
    const auto part = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '_' || static_cast<unsigned char>(c) >= 0x80 || c == '$' || c == '@';
    };
    const size_t start = at_;
    while (at_ < text_.size() && part(text_[at_])) ++at_;
    std::string word(text_.substr(start, at_ - start));
    skip_space();
    return word;
  }

  Result<std::string> field_name() {
    if (peek() != '`') {
      std::string name = identifier();
      if (name.empty()) return fail("a field's name is missing — write `name type`");
      return name;
    }
    std::string name;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '`') {
        if (at_ + 1 < text_.size() && text_[at_ + 1] == '`') {
          ++at_;
        } else {
          ++at_;
          skip_space();
          return name;
        }
      }
      name += text_[at_];
    }
    return fail("a back-quote is not closed");
  }

  Status skip_comment() {
    if (!accept_word("comment")) return ok_status();
    const char quote = peek();
    if (quote != '\'' && quote != '"') return fail("COMMENT needs a quoted text");
    // A quote written twice stands for itself: it closes one part and opens the next.
    while (peek() == quote) {
      for (++at_; at_ < text_.size() && text_[at_] != quote; ++at_) {
        if (text_[at_] == '\\') ++at_;
      }
      if (at_ >= text_.size()) return fail("a quote is not closed");
      ++at_;
    }
    skip_space();
    return ok_status();
  }

  Result<Field> field(int depth) {
    FLOWRUN_TRY(std::string name, field_name());
    accept(':');
    FLOWRUN_TRY(Type type, this->type(depth + 1));
    bool nullable = true;
    if (accept_word("not")) {
      if (!accept_word("null")) return fail("NOT must be followed by NULL");
      nullable = false;
    }
    FLOWRUN_RETURN_IF_ERROR(skip_comment());
    return Field{std::move(name), std::move(type), nullable};
  }

  Result<Type> array(int depth) {
    if (!accept('<')) return fail("array needs its element's type — write `array<string>`");
    FLOWRUN_TRY(Type element, type(depth + 1));
    if (!accept('>')) return fail("`>` is missing after the element's type");
    return Type::array(std::move(element));
  }

  Result<Type> map(int depth) {
    if (!accept('<')) return fail("map needs two types — write `map<string, int>`");
    FLOWRUN_TRY(Type key, type(depth + 1));
    if (!accept(',')) return fail("map needs two types — write `map<string, int>`");
    FLOWRUN_TRY(Type value, type(depth + 1));
    if (!accept('>')) return fail("`>` is missing after the value's type");
    return Type::map(std::move(key), std::move(value));
  }

  Result<Type> structure(int depth) {
    if (!accept('<')) return fail("struct needs its fields — write `struct<a: int, b: string>`");
    FLOWRUN_TRY(std::vector<Field> inner, fields('>', depth));
    if (!accept('>')) return fail("`>` is missing after the fields");
    return Type::struct_(std::move(inner));
  }

  Result<int> number() {
    int value = 0;
    const auto [end, error] =
        std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (error != std::errc()) return fail("a number is missing");
    at_ = static_cast<size_t>(end - text_.data());
    skip_space();
    return value;
  }

  Result<Type> decimal() {
    int precision = 10;
    int scale = 0;
    const size_t start = at_;
    if (accept('(')) {
      FLOWRUN_TRY(precision, number());
      if (accept(',')) {
        FLOWRUN_TRY(scale, number());
      }
      if (!accept(')')) return fail("`)` is missing after the decimal's scale");
    }
    if (precision < 1 || precision > 38 || scale < 0 || scale > precision) {
      return Error::invalid(fmt::format("decimal({},{}) is out of range — precision is 1 to 38, "
                                        "scale 0 to the precision",
                                        precision, scale))
          .at_offset(start);
    }
    return Type::decimal(precision, scale);
  }

  // char(n) and varchar(n) read as string, as Spark reads them in expressions.
  Result<Type> sized_string() {
    if (accept('(')) {
      FLOWRUN_TRY(const int size, number());
      if (size < 1) return fail("a text's length is at least 1");
      if (!accept(')')) return fail("`)` is missing after the length");
    }
    return Type::string();
  }

  Result<Type> interval() {
    const size_t start = at_;
    const auto first = unit_of(lower_name(identifier()));
    if (!first) {
      at_ = start;
      return Type(TypeId::calendar_interval);
    }
    IntervalUnit last = *first;
    if (accept_word("to")) {
      const auto unit = unit_of(lower_name(identifier()));
      if (!unit) return fail("an interval's last unit is missing — write `interval day to second`");
      last = *unit;
    }
    const bool months = *first <= IntervalUnit::month;
    if (last < *first || months != (last <= IntervalUnit::month))
      return fail("these units do not make an interval");
    return months ? Type::year_month_interval(*first, last) : Type::day_time_interval(*first, last);
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

Result<Type> parse_type(std::string_view text) {
  TypeParser parser(text);
  FLOWRUN_TRY(Type type, parser.type());
  FLOWRUN_RETURN_IF_ERROR(parser.end());
  return type;
}

Result<SchemaPtr> parse_schema(std::string_view text) {
  if (TypeParser whole(text); whole.accept_word("struct") && whole.accept('<')) {
    FLOWRUN_TRY(const Type type, parse_type(text));
    return Schema::make({type.fields().begin(), type.fields().end()});
  }
  TypeParser parser(text);
  FLOWRUN_TRY(std::vector<Field> fields, parser.fields('\0', 0));
  FLOWRUN_RETURN_IF_ERROR(parser.end());
  return Schema::make(std::move(fields));
}

}  // namespace flowrun
