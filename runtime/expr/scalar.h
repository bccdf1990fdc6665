#pragma once
// scalar<Result(Arguments...)>(names, doc, code): a function of fixed types as one entry of the
// registry.
//
//   scalar<double(double)>("sqrt", "sqrt(x): the square root of x.", [](double x) { return
//   std::sqrt(x); }) scalar<int32_t(Date)>("year", "year(date): ...", [](Date d) { return
//   year_of(d.days); }) scalar<std::string(std::string_view, int32_t)>("repeat", "repeat(text, n):
//   ...",
//       [](std::string_view text, int32_t n, std::string& out) { while (n-- > 0) out += text; })
//
// Null arguments give null without the code being called. The C++ types name the SQL types:
//   bool int8_t int16_t int32_t int64_t float double   boolean tinyint ... double
//   Date Timestamp                                     date, timestamp (days, microseconds since
//   1970) std::string_view, Binary                           string, binary; as arguments and
//   results std::string, BinaryText (results only)             string, binary; built in a last
//   parameter `std::string& out`
// The code may return the value, std::optional of it (empty: null), Result of it (an error fails
// the run: say may_fail()), or Result of optional. With `out` it returns void, bool (false: null),
// Status or Result<bool>. It may take a `const CallContext&` before the arguments. Code is called
// concurrently: it must not change anything it captures. scalar_with<State, ...> gives it a
// `State&` of its own, made anew for each batch, as the very first parameter: the place to keep a
// compiled pattern from row to row.

#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include "runtime/columnar/builder.h"
#include "runtime/expr/function_registry.h"

namespace flowrun {

struct Date {
  int32_t days;
};
struct Timestamp {
  int64_t micros;
};
struct Binary {
  std::string_view bytes;
};
struct BinaryText {};

namespace scalar_detail {

// How a C++ type is stored in a column.
template <class T>
struct Storage {
  using Physical = T;
  static T wrap(T value) { return value; }
  static T unwrap(T value) { return value; }
};
template <>
struct Storage<Date> {
  using Physical = int32_t;
  static Date wrap(int32_t value) { return {value}; }
  static int32_t unwrap(Date value) { return value.days; }
};
template <>
struct Storage<Timestamp> {
  using Physical = int64_t;
  static Timestamp wrap(int64_t value) { return {value}; }
  static int64_t unwrap(Timestamp value) { return value.micros; }
};

template <class T>
constexpr bool kIsText = std::is_same_v<T, std::string_view> || std::is_same_v<T, Binary> ||
                         std::is_same_v<T, std::string> || std::is_same_v<T, BinaryText>;
template <class T>
constexpr bool kIsBuilt = std::is_same_v<T, std::string> || std::is_same_v<T, BinaryText>;

template <class T>
Type sql_type() {
  if constexpr (std::is_same_v<T, bool>) return Type::boolean();
  if constexpr (std::is_same_v<T, int8_t>) return Type::tinyint();
  if constexpr (std::is_same_v<T, int16_t>) return Type::smallint();
  if constexpr (std::is_same_v<T, int32_t>) return Type::integer();
  if constexpr (std::is_same_v<T, int64_t>) return Type::bigint();
  if constexpr (std::is_same_v<T, float>) return Type::real();
  if constexpr (std::is_same_v<T, double>) return Type::double_();
  if constexpr (std::is_same_v<T, Date>) return Type::date();
  if constexpr (std::is_same_v<T, Timestamp>) return Type::timestamp();
  if constexpr (std::is_same_v<T, std::string_view> || std::is_same_v<T, std::string>)
    return Type::string();
  if constexpr (std::is_same_v<T, Binary> || std::is_same_v<T, BinaryText>) return Type::binary();
}

// Reads one argument's rows; a constant repeats through a stride of 0.
template <class T>
class Reader {
 public:
  using Physical = typename Storage<T>::Physical;
  explicit Reader(const Datum& datum)
      : data_(datum.column->values<Physical>().data()), stride_(datum.constant ? 0 : 1) {}
  T operator[](int64_t row) const { return Storage<T>::wrap(data_[row * stride_]); }

 private:
  const Physical* data_;
  int64_t stride_;
};
template <>
class Reader<bool> {
 public:
  explicit Reader(const Datum& datum) : column_(*datum.column), stride_(datum.constant ? 0 : 1) {}
  bool operator[](int64_t row) const { return column_.boolean(row * stride_); }

 private:
  const Column& column_;
  int64_t stride_;
};
template <>
class Reader<std::string_view> {
 public:
  explicit Reader(const Datum& datum) : column_(*datum.column), stride_(datum.constant ? 0 : 1) {}
  std::string_view operator[](int64_t row) const { return column_.string(row * stride_); }

 private:
  const Column& column_;
  int64_t stride_;
};
template <>
class Reader<Binary> : Reader<std::string_view> {
 public:
  explicit Reader(const Datum& datum) : Reader<std::string_view>(datum) {}
  Binary operator[](int64_t row) const { return {Reader<std::string_view>::operator[](row)}; }
};

// Takes results row by row.
template <class T>
class Writer {
 public:
  explicit Writer(int64_t rows) : builder_(sql_type<T>()) { builder_.reserve(rows); }
  void value(T value) { builder_.append(Storage<T>::unwrap(value)); }
  void null() { builder_.append_null(); }
  ColumnPtr finish() { return builder_.finish(); }

 private:
  FixedBuilder<typename Storage<T>::Physical> builder_;
};
template <>
class Writer<bool> {
 public:
  explicit Writer(int64_t) {}
  void value(bool value) { builder_.append(value); }
  void null() { builder_.append_null(); }
  ColumnPtr finish() { return builder_.finish(); }

 private:
  BooleanBuilder builder_;
};
template <class T>
  requires kIsText<T>
class Writer<T> {
 public:
  explicit Writer(int64_t rows) : builder_(sql_type<T>()) { builder_.reserve(rows); }
  void value(std::string_view text) { builder_.append(text); }
  void value(Binary binary) { builder_.append(binary.bytes); }
  void null() { builder_.append_null(); }
  ColumnPtr finish() { return builder_.finish(); }

 private:
  StringBuilder builder_;
};

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsResult : std::false_type {};
template <class T>
struct IsResult<Result<T>> : std::true_type {};

// Gives a plain or optional value to the writer.
template <class W, class V>
void write_value(W& writer, V&& value) {
  if constexpr (IsOptional<std::remove_cvref_t<V>>::value) {
    value ? writer.value(*value) : writer.null();
  } else {
    writer.value(std::forward<V>(value));
  }
}

template <class W, class V>
Status write_result(W& writer, V&& value) {
  if constexpr (IsResult<std::remove_cvref_t<V>>::value) {
    if (!value.has_value()) return std::move(value.error());
    write_value(writer, *value);
  } else {
    write_value(writer, std::forward<V>(value));
  }
  return {};
}

// Code that fills `text`: void, bool, Status or Result<bool> tells whether there is a value.
template <class W, class Call>
Status write_built(W& writer, std::string& text, const Call& call) {
  using Answer = std::invoke_result_t<Call>;
  text.clear();
  bool valid = true;
  if constexpr (std::is_void_v<Answer>) {
    call();
  } else if constexpr (std::is_same_v<Answer, bool>) {
    valid = call();
  } else {
    Answer answer = call();
    if (!answer.has_value()) return std::move(answer.error());
    if constexpr (!std::is_same_v<Answer, Status>) valid = *answer;
  }
  valid ? writer.value(std::string_view(text)) : writer.null();
  return {};
}

struct NoState {};

// Calls `code` with the parameters it takes before the arguments.
template <class State, class Code, class... Rest>
decltype(auto) call_code(const Code& code, State& state, const CallContext& context,
                         Rest&&... rest) {
  if constexpr (std::is_invocable_v<const Code&, State&, const CallContext&, Rest...>) {
    return code(state, context, std::forward<Rest>(rest)...);
  } else if constexpr (std::is_invocable_v<const Code&, State&, Rest...>) {
    return code(state, std::forward<Rest>(rest)...);
  } else if constexpr (std::is_invocable_v<const Code&, const CallContext&, Rest...>) {
    return code(context, std::forward<Rest>(rest)...);
  } else {
    return code(std::forward<Rest>(rest)...);
  }
}

// Plain results of fixed width, computed for every row: what the compiler can turn into vector
// code.
template <class R, class Loop>
ColumnPtr fill_fixed(int64_t rows, NullMask mask, const Loop& loop) {
  using Physical = typename Storage<R>::Physical;
  Column::Parts parts{.type = sql_type<R>(), .size = rows, .null_count = mask.null_count};
  parts.validity = std::move(mask.bits);
  parts.values = Buffer::allocate(static_cast<size_t>(rows) * sizeof(Physical));
  loop(reinterpret_cast<Physical*>(parts.values->mutable_data()));
  return Column::make(std::move(parts));
}

template <class State, class R, class Code, class... A, size_t... I>
Result<Datum> run(const Code& code, const CallContext& context, std::span<const Datum> arguments,
                  std::index_sequence<I...>) {
  for (const Datum& argument : arguments) {
    if (argument.is_constant_null()) return Datum::null(sql_type<R>());
  }
  const int64_t rows = sizeof...(A) == 0 ? 1 : rows_to_compute(arguments, context.num_rows);
  const bool constant = sizeof...(A) == 0 || rows_to_compute(arguments, 2) == 1;
  NullMask mask = combine_nulls(arguments, rows);
  [[maybe_unused]] State state{};
  const std::tuple<Reader<A>...> readers{Reader<A>(arguments[I])...};
  if constexpr (!kIsBuilt<R>) {
    using Answer = decltype(call_code<State>(code, state, context, std::get<I>(readers)[0]...));
    if constexpr (std::is_arithmetic_v<typename Storage<R>::Physical> && !std::is_same_v<R, bool> &&
                  std::is_convertible_v<Answer, R> && (!kIsText<A> && ...)) {
      return Datum{fill_fixed<R>(rows, std::move(mask),
                                 [&](auto* out) {
                                   for (int64_t row = 0; row < rows; ++row) {
                                     out[row] = Storage<R>::unwrap(call_code<State>(
                                         code, state, context, std::get<I>(readers)[row]...));
                                   }
                                 }),
                   constant};
    }
  }
  Writer<R> writer(rows);
  [[maybe_unused]] std::string text;
  for (int64_t row = 0; row < rows; ++row) {
    if (mask.is_null(row)) {
      writer.null();
    } else if constexpr (kIsBuilt<R>) {
      FLOWRUN_RETURN_IF_ERROR(write_built(writer, text, [&] {
        return call_code<State>(code, state, context, std::get<I>(readers)[row]..., text);
      }));
    } else {
      FLOWRUN_RETURN_IF_ERROR(write_result(
          writer, call_code<State>(code, state, context, std::get<I>(readers)[row]...)));
    }
  }
  return Datum{writer.finish(), constant};
}

template <class State, class Signature>
struct Maker;
template <class State, class R, class... A>
struct Maker<State, R(A...)> {
  template <class Code>
  static ScalarFunction make(FunctionNames names, std::string doc, Code code) {
    Kernel kernel = [code](const CallContext& context, std::span<const Datum> arguments) {
      return run<State, R, Code, A...>(code, context, arguments, std::index_sequence_for<A...>{});
    };
    std::vector<Type> parameters{sql_type<A>()...};
    ScalarFunction function(std::move(names), std::move(doc), sizeof...(A), sizeof...(A),
                            BindFunction([kernel, parameters](const Arguments& arguments) {
                              return bind_fixed(arguments, parameters, sql_type<R>(), kernel);
                            }));
    function.parameters = std::move(parameters);
    return function;
  }
  static Result<BoundFunction> bind_fixed(const Arguments& arguments,
                                          std::span<const Type> parameters, const Type& result,
                                          const Kernel& kernel);
};

}  // namespace scalar_detail

// The arguments cast to `parameters` by Spark's implicit casts, or an error that says what is
// expected.
Result<BoundFunction> bind_to_signature(const Arguments& arguments,
                                        std::span<const Type> parameters, Type result,
                                        Kernel kernel);

template <class State, class R, class... A>
Result<BoundFunction> scalar_detail::Maker<State, R(A...)>::bind_fixed(
    const Arguments& arguments, std::span<const Type> parameters, const Type& result,
    const Kernel& kernel) {
  return bind_to_signature(arguments, parameters, result, kernel);
}

template <class Signature, class Code>
ScalarFunction scalar(FunctionNames names, std::string doc, Code code) {
  return scalar_detail::Maker<scalar_detail::NoState, Signature>::make(
      std::move(names), std::move(doc), std::move(code));
}

template <class State, class Signature, class Code>
ScalarFunction scalar_with(FunctionNames names, std::string doc, Code code) {
  return scalar_detail::Maker<State, Signature>::make(std::move(names), std::move(doc),
                                                      std::move(code));
}

// Constants for with_defaults() and for kernels.
ColumnPtr constant_text(std::string_view text);
ColumnPtr constant_int(int32_t value);
ColumnPtr constant_bool(bool value);
ColumnPtr constant_null();

// "function `repeat` takes string, int; got array<int>": what a wrong call is told.
Error wrong_argument(const Arguments& arguments, size_t i, std::string_view expected);

// For functions whose result is much longer than their arguments: more than 128 MiB for one row
// fails the run (code `data`) before it takes the machine's memory.
Status check_made_bytes(std::string_view function, int64_t bytes);

}  // namespace flowrun
