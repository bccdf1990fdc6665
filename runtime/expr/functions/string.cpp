// Text: case, length, trimming, padding, cutting and joining. Lengths and positions count
// characters.
#include <algorithm>
#include <limits>

#include "runtime/expr/analyzer.h"
#include "runtime/expr/coercion.h"
#include "runtime/expr/functions/functions.h"
#include "runtime/expr/functions/text_cut.h"
#include "runtime/expr/scalar.h"
#include "runtime/format/unicode_case.h"

namespace flowrun {

namespace {

struct Ends {
  bool left;
  bool right;
};

std::string_view trim_spaces(std::string_view text, Ends ends) {
  while (ends.left && !text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (ends.right && !text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

size_t last_character(std::string_view text) {
  size_t at = text.size() - 1;
  while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) --at;
  return at;
}

// Takes off the ends whatever characters stand in `set`.
std::string_view trim_set(std::string_view set, std::string_view text, Ends ends) {
  const auto in_set = [set](std::string_view character) {
    return set.find(character) != std::string_view::npos;
  };
  while (ends.left && !text.empty()) {
    const size_t size = std::min(code_point_size(text[0]), text.size());
    if (!in_set(text.substr(0, size))) break;
    text.remove_prefix(size);
  }
  while (ends.right && !text.empty()) {
    const size_t at = last_character(text);
    if (!in_set(text.substr(at))) break;
    text = text.substr(0, at);
  }
  return text;
}

// `part` says it in the column's name: TRIM(BOTH x FROM s).
ScalarFunction trim_function(const char* name, const char* part, std::string doc, Ends ends) {
  return overloads(
             name, std::move(doc),
             {scalar<std::string_view(std::string_view)>(
                  name, "", [ends](std::string_view text) { return trim_spaces(text, ends); }),
              scalar<std::string_view(std::string_view, std::string_view)>(
                  name, "",
                  [ends](std::string_view set, std::string_view text) {
                    return trim_set(set, text, ends);
                  })})
      .named_by([name, part](std::span<const std::string> arguments) {
        if (arguments.size() == 1) return std::string(name) + "(" + arguments[0] + ")";
        return "TRIM(" + std::string(part) + " " + arguments[0] + " FROM " + arguments[1] + ")";
      });
}

void register_trims(FunctionRegistry& registry) {
  registry.add(trim_function("trim", "BOTH",
                             "trim([BOTH | LEADING | TRAILING] [characters FROM] text): without "
                             "spaces, or the characters, at its ends.",
                             {true, true}));
  registry.add(trim_function("ltrim", "LEADING",
                             "ltrim(text), ltrim(characters, text): without them at its start.",
                             {true, false}));
  registry.add(trim_function("rtrim", "TRAILING",
                             "rtrim(text), rtrim(characters, text): without them at its end.",
                             {false, true}));
  registry.add(overloads(
      "btrim", "btrim(text[, characters]): without spaces, or the characters, at its ends.",
      {scalar<std::string_view(std::string_view)>("btrim", "",
                                                  [](std::string_view text) {
                                                    return trim_spaces(text, {true, true});
                                                  }),
       scalar<std::string_view(std::string_view, std::string_view)>(
           "btrim", "", [](std::string_view text, std::string_view set) {
             return trim_set(set, text, {true, true});
           })}));
}

Binary subbytes(Binary binary, int32_t position, int32_t length) {
  return {cut_bytes(binary.bytes, position, length)};
}

void register_cuts(FunctionRegistry& registry) {
  using Text = std::string_view;
  registry.add(overloads({"substring", "substr"},
                         "substring(text, position[, length]): characters from a position, from "
                         "the end if negative.",
                         {scalar<Text(Text, int32_t, int32_t)>("", "", cut_text),
                          scalar<Binary(Binary, int32_t, int32_t)>("", "", subbytes)})
                   .with_defaults({constant_int(kCutToTheEnd)}));
  registry.add(overloads("left", "left(text, n): the first n characters.",
                         {scalar<Text(Text, int32_t)>(
                              "", "", [](Text text, int32_t n) { return cut_text(text, 1, n); }),
                          scalar<Binary(Binary, int32_t)>("", "", [](Binary binary, int32_t n) {
                            return subbytes(binary, 1, n);
                          })}));
  registry.add(overloads(
      "right", "right(text, n): the last n characters.",
      {scalar<Text(Text, int32_t)>(
           "", "",
           [](Text text, int32_t n) { return n <= 0 ? Text{} : cut_text(text, -n, kCutToTheEnd); }),
       scalar<Binary(Binary, int32_t)>("", "", [](Binary binary, int32_t n) {
         return n <= 0 ? Binary{} : subbytes(binary, -n, kCutToTheEnd);
       })}));
}

// The bytes of `pad`, repeated, that make up `characters`.
void append_padding(std::string_view pad, int64_t characters, std::string& out) {
  const int64_t size = count_code_points(pad);
  for (; characters >= size; characters -= size) out += pad;
  out += pad.substr(0, code_point_offset(pad, characters));
}

template <bool kLeft>
Status pad_text(std::string_view text, int32_t length, std::string_view pad, std::string& out) {
  FLOWRUN_RETURN_IF_ERROR(check_made_bytes(kLeft ? "lpad" : "rpad", length));
  const int64_t missing = static_cast<int64_t>(length) - count_code_points(text);
  if (missing <= 0 || pad.empty()) {
    if (length > 0) out += text.substr(0, code_point_offset(text, length));
    return {};
  }
  if constexpr (kLeft) append_padding(pad, missing, out);
  out += text;
  if constexpr (!kLeft) append_padding(pad, missing, out);
  return {};
}

template <bool kLeft>
Status pad_bytes(Binary binary, int32_t length, Binary pad, std::string& out) {
  FLOWRUN_RETURN_IF_ERROR(check_made_bytes(kLeft ? "lpad" : "rpad", length));
  const auto wanted = static_cast<size_t>(std::max(length, 0));
  const size_t missing = wanted > binary.bytes.size() ? wanted - binary.bytes.size() : 0;
  std::string padding;
  while (!pad.bytes.empty() && padding.size() < missing) padding += pad.bytes;
  padding.resize(std::min(padding.size(), missing));
  if constexpr (kLeft) out += padding;
  out += binary.bytes.substr(0, wanted);
  if constexpr (!kLeft) out += padding;
  return {};
}

// Without a pad, text is filled up with spaces and binary with zeros; the column's name shows it.
Result<TypedPtr> build_pad(CallSite& site, const char* padder) {
  std::vector<TypedPtr> arguments = site.arguments();
  if (arguments.size() < 3) {
    StringBuilder zero(Type::binary());
    zero.append(std::string_view("\0", 1));
    arguments.push_back(arguments[0]->type.id() == TypeId::binary
                            ? CallSite::named(CallSite::constant(zero.finish()), "X'00'")
                            : CallSite::constant(constant_text(" ")));
  }
  return site.call_as(padder, site.function(), std::move(arguments));
}

template <bool kLeft>
void add_pad(FunctionRegistry& registry, const char* name, const char* padder, const char* doc) {
  using Text = std::string_view;
  registry.add(overloads(padder, doc,
                         {scalar<std::string(Text, int32_t, Text)>("", "", pad_text<kLeft>),
                          scalar<BinaryText(Binary, int32_t, Binary)>("", "", pad_bytes<kLeft>)})
                   .may_fail());
  registry.add(ScalarFunction(name, doc, 2, 3, BuildFunction([padder](CallSite& site) {
                                return build_pad(site, padder);
                              })));
}

void register_case_and_length(FunctionRegistry& registry) {
  using Text = std::string_view;
  registry.add(overloads({"length", "len", "char_length", "character_length"},
                         "length(x): characters of a text, bytes of a binary value.",
                         {scalar<int32_t(Text)>("length", "", count_code_points),
                          scalar<int32_t(Binary)>("length", "", [](Binary x) {
                            return static_cast<int32_t>(x.bytes.size());
                          })}));
  registry.add(overloads(
      "octet_length", "octet_length(x): bytes of a text or a binary value.",
      {scalar<int32_t(Text)>("", "", [](Text x) { return static_cast<int32_t>(x.size()); }),
       scalar<int32_t(Binary)>("", "",
                               [](Binary x) { return static_cast<int32_t>(x.bytes.size()); })}));
  registry.add(overloads(
      "bit_length", "bit_length(x): bits of a text or a binary value.",
      {scalar<int32_t(Text)>("", "", [](Text x) { return static_cast<int32_t>(x.size() * 8); }),
       scalar<int32_t(Binary)>(
           "", "", [](Binary x) { return static_cast<int32_t>(x.bytes.size() * 8); })}));
  registry.add(
      scalar<std::string(Text)>({"lower", "lcase"}, "lower(text): in lower case.",
                                [](Text text, std::string& out) { append_lower(text, out); }));
  registry.add(
      scalar<std::string(Text)>({"upper", "ucase"}, "upper(text): in upper case.",
                                [](Text text, std::string& out) { append_upper(text, out); }));
  registry.add(scalar<std::string(Text)>(
      "initcap", "initcap(text): the first letter of each word in upper case.",
      [](Text text, std::string& out) { append_title_words(text, out); }));
}

void reverse_text(std::string_view text, std::string& out) {
  for (std::string_view rest = text; !rest.empty();) {
    const size_t at = last_character(rest);
    out += rest.substr(at);
    rest = rest.substr(0, at);
  }
}

// Joins the arguments' rows; null where one is null.
Result<Datum> concat_rows(const CallContext& context, std::span<const Datum> arguments,
                          const Type& type) {
  for (const Datum& argument : arguments) {
    if (argument.is_constant_null()) return Datum::null(type);
  }
  const bool constant = rows_to_compute(arguments, 2) == 1;
  const int64_t rows = rows_to_compute(arguments, context.num_rows);
  const NullMask mask = combine_nulls(arguments, rows);
  StringBuilder builder(type);
  builder.reserve(rows);
  std::string text;
  for (int64_t row = 0; row < rows; ++row) {
    if (mask.is_null(row)) {
      builder.append_null();
      continue;
    }
    text.clear();
    for (const Datum& argument : arguments) text += argument.column->string(argument.at(row));
    builder.append(text);
  }
  return Datum{builder.finish(), constant};
}

Result<Datum> concat_arrays(const CallContext& context, std::span<const Datum> arguments,
                            const Type& type) {
  const int64_t rows = rows_to_compute(arguments, context.num_rows);
  ArrayBuilder builder(type);
  for (int64_t row = 0; row < rows; ++row) {
    const bool null = std::any_of(arguments.begin(), arguments.end(),
                                  [row](const Datum& argument) { return argument.is_null(row); });
    if (null) {
      builder.append_null();
      continue;
    }
    for (const Datum& argument : arguments) {
      const Column& column = *argument.column;
      const int64_t at = argument.at(row);
      for (int32_t i = column.list_begin(at); i < column.list_end(at); ++i) {
        builder.element().append_row(*column.child(0), i);
      }
    }
    builder.append();
  }
  return Datum{builder.finish(), rows_to_compute(arguments, 2) == 1};
}

Result<BoundFunction> bind_concat(const Arguments& arguments) {
  const auto is = [&](TypeId id) {
    return std::any_of(arguments.types.begin(), arguments.types.end(),
                       [id](const Type& type) { return type.id() == id; });
  };
  BoundFunction bound;
  if (is(TypeId::array)) {
    const auto common = wider_type(arguments.types, true);
    if (!common)
      return wrong_argument(arguments, arguments.size() - 1,
                            "an array of the same elements as the others");
    bound.result = *common;
    bound.kernel = [type = *common](const CallContext& context, std::span<const Datum> rows) {
      return concat_arrays(context, rows, type);
    };
  } else {
    const bool binary =
        !arguments.types.empty() &&
        std::all_of(arguments.types.begin(), arguments.types.end(),
                    [](const Type& type) {
                      return type.id() == TypeId::binary || type.id() == TypeId::null;
                    }) &&
        is(TypeId::binary);
    bound.result = binary ? Type::binary() : Type::string();
    for (size_t i = 0; i < arguments.size(); ++i) {
      if (arguments.types[i].is_nested())
        return wrong_argument(arguments, i, "text, or arrays everywhere");
    }
    bound.kernel = [type = bound.result](const CallContext& context, std::span<const Datum> rows) {
      return concat_rows(context, rows, type);
    };
  }
  bound.arguments.assign(arguments.size(), bound.result);
  return bound;
}

// Joins what is not null, the elements of arrays too.
Result<Datum> join_rows(const CallContext& context, std::span<const Datum> arguments) {
  if (arguments[0].is_constant_null()) return Datum::null(Type::string());
  const int64_t rows = rows_to_compute(arguments, context.num_rows);
  StringBuilder builder(Type::string());
  std::string text;
  for (int64_t row = 0; row < rows; ++row) {
    if (arguments[0].is_null(row)) {
      builder.append_null();
      continue;
    }
    const std::string_view separator = arguments[0].column->string(arguments[0].at(row));
    text.clear();
    bool first = true;
    const auto append = [&](const Column& column, int64_t at) {
      if (column.is_null(at)) return;
      if (!first) text += separator;
      first = false;
      text += column.string(at);
    };
    for (const Datum& argument : arguments.subspan(1)) {
      const int64_t at = argument.at(row);
      if (argument.type().id() != TypeId::array) {
        append(*argument.column, at);
      } else if (!argument.is_null(row)) {
        for (int32_t i = argument.column->list_begin(at); i < argument.column->list_end(at); ++i) {
          append(*argument.column->child(0), i);
        }
      }
    }
    builder.append(text);
  }
  return Datum{builder.finish(), rows_to_compute(arguments, 2) == 1};
}

Result<BoundFunction> bind_concat_ws(const Arguments& arguments) {
  BoundFunction bound{.arguments = {}, .result = Type::string(), .kernel = join_rows};
  for (size_t i = 0; i < arguments.size(); ++i) {
    const Type& type = arguments.types[i];
    const bool array = i > 0 && type.id() == TypeId::array;
    const Type wanted = array ? Type::array(Type::string()) : Type::string();
    const auto given = array ? std::optional<Type>(wanted) : implicit_cast(type, wanted);
    if (!given) return wrong_argument(arguments, i, "text or an array of text");
    bound.arguments.push_back(*given);
  }
  return bound;
}

void register_joins(FunctionRegistry& registry) {
  using Text = std::string_view;
  registry.add(
      ScalarFunction({"concat", "||"},
                     "concat(x, ...), x || y: texts, binary values or arrays one behind the other.",
                     0, ScalarFunction::kAnyNumber, BindFunction(bind_concat))
          .shown_as("concat"));
  registry.add(ScalarFunction(
      "concat_ws",
      "concat_ws(separator, x, ...): what is not null, joined; elements of arrays too.", 1,
      ScalarFunction::kAnyNumber, BindFunction(bind_concat_ws)));
  registry.add(scalar<std::string(Text, int32_t)>(
                   "repeat", "repeat(text, n): the text n times over; empty if n is not positive.",
                   [](Text text, int32_t n, std::string& out) -> Status {
                     if (text.empty()) return {};
                     FLOWRUN_RETURN_IF_ERROR(
                         check_made_bytes("repeat", static_cast<int64_t>(text.size()) * n));
                     for (; n > 0; --n) out += text;
                     return {};
                   })
                   .may_fail());
  registry.add(scalar<std::string(int32_t)>("space", "space(n): n spaces.",
                                            [](int32_t n, std::string& out) -> Status {
                                              FLOWRUN_RETURN_IF_ERROR(check_made_bytes("space", n));
                                              if (n > 0) out.append(static_cast<size_t>(n), ' ');
                                              return {};
                                            })
                   .may_fail());
}

// The rows of an array, each back to front.
Result<Datum> reverse_arrays(const CallContext&, std::span<const Datum> arguments) {
  const Column& column = *arguments[0].column;
  ArrayBuilder builder(column.type());
  for (int64_t row = 0; row < column.size(); ++row) {
    if (column.is_null(row)) {
      builder.append_null();
      continue;
    }
    for (int32_t i = column.list_end(row); i > column.list_begin(row); --i) {
      builder.element().append_row(*column.child(0), i - 1);
    }
    builder.append();
  }
  return Datum{builder.finish(), arguments[0].constant};
}

ScalarFunction reverse_function() {
  using Text = std::string_view;
  ScalarFunction text =
      overloads("reverse", "",
                {scalar<std::string(Text)>("", "", reverse_text),
                 scalar<BinaryText(Binary)>("", "", [](Binary binary, std::string& out) {
                   out.assign(binary.bytes.rbegin(), binary.bytes.rend());
                 })});
  return ScalarFunction(
      "reverse", "reverse(x): a text, a binary value or an array back to front.", 1, 1,
      BindFunction([bind = text.bind](const Arguments& arguments) -> Result<BoundFunction> {
        if (arguments.types[0].id() != TypeId::array) return bind(arguments);
        const Type& type = arguments.types[0];
        return BoundFunction{.arguments = {type}, .result = type, .kernel = reverse_arrays};
      }));
}

}  // namespace

void register_string_functions(FunctionRegistry& registry) {
  register_case_and_length(registry);
  register_trims(registry);
  register_cuts(registry);
  add_pad<true>(registry, "lpad", "pad left",
                "lpad(text, length[, pad]): filled up on the left, or cut, to a length.");
  add_pad<false>(registry, "rpad", "pad right",
                 "rpad(text, length[, pad]): filled up on the right, or cut, to a length.");
  register_joins(registry);
  registry.add(reverse_function());
}

}  // namespace flowrun
