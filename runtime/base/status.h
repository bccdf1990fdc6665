#pragma once
// Status and Result: how a function says that it failed. No exception crosses a room.
//
//   Result<int> parse_port(std::string_view text) {
//     if (text.empty()) return Error::invalid("a port is missing — write a number from 1 to
//     65535"); FLOWRUN_TRY(int port, to_int(text)); return port;
//   }
//
// An Error is for what a user, a peer or the machine did. A broken invariant of our own is
// FLOWRUN_CHECK (base/check.h), which aborts with its location.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

#include "runtime/base/position.h"

namespace flowrun {

// What the caller does next, one value per answer.
enum class ErrorCode : uint8_t {
  invalid,  // the user's file, expression or option is wrong: report it, start nothing (exit 2)
  data,     // the data cannot be processed as asked (FAILFAST, element_at): the run fails (exit 1)
  unavailable,  // a peer is absent: try again later
  io,           // the machine refused (disk full, no rights, port in use): the run fails (exit 1)
  cancelled,    // somebody asked to stop: unwind quietly
  exhausted,    // the memory budget is spent: the run fails, naming what grew (exit 1)
};

// A message says what is wrong and then, after an em dash, what would be right:
// "no column `gtt` — did you mean `gt`?". The fixed sentence comes first, values last.
struct Error {
  ErrorCode code = ErrorCode::invalid;
  std::string message;
  Position position;             // where in the pipeline file, if known
  std::optional<size_t> offset;  // byte offset in the expression text the error is about, if it is

  static Error invalid(std::string message) {
    return {ErrorCode::invalid, std::move(message), {}, {}};
  }
  static Error data(std::string message) { return {ErrorCode::data, std::move(message), {}, {}}; }
  static Error unavailable(std::string message) {
    return {ErrorCode::unavailable, std::move(message), {}, {}};
  }
  static Error io(std::string message) { return {ErrorCode::io, std::move(message), {}, {}}; }
  static Error cancelled(std::string message = "cancelled") {
    return {ErrorCode::cancelled, std::move(message), {}, {}};
  }
  static Error exhausted(std::string message) {
    return {ErrorCode::exhausted, std::move(message), {}, {}};
  }
  // "cannot write out/7.jsonl: No space left on device" from errno's value.
  static Error from_errno(std::string_view what, int error_number);

  [[nodiscard]] Error at(Position where) && {
    if (!position.known()) position = std::move(where);
    return std::move(*this);
  }
  [[nodiscard]] Error at_offset(size_t where) && {
    offset = where;
    return std::move(*this);
  }
  // Puts "prefix: " before the message.
  [[nodiscard]] Error within(std::string_view prefix) &&;
};

// A value or an Error. Converts from both; otherwise it is tl::expected.
template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using Base = tl::expected<T, Error>;
  using Base::Base;
  Result(Base&& other) : Base(std::move(other)) {}               // NOLINT: implicit by intent
  Result(Error error) : Base(tl::unexpect, std::move(error)) {}  // NOLINT: implicit by intent
};

using Status = Result<void>;

inline Status ok_status() { return {}; }

#define FLOWRUN_CONCAT_INNER(a, b) a##b
#define FLOWRUN_CONCAT(a, b) FLOWRUN_CONCAT_INNER(a, b)

// Returns the error of a Status or Result from the enclosing function.
#define FLOWRUN_RETURN_IF_ERROR(expression)                              \
  do {                                                                   \
    if (auto flowrun_status = (expression); !flowrun_status.has_value()) \
      return std::move(flowrun_status.error());                          \
  } while (false)

// Declares or assigns `target` from a Result, or returns its error.
#define FLOWRUN_TRY(target, expression) \
  FLOWRUN_TRY_INNER(FLOWRUN_CONCAT(flowrun_result_, __COUNTER__), target, expression)
#define FLOWRUN_TRY_INNER(result, target, expression)        \
  auto result = (expression);                                \
  if (!result.has_value()) return std::move(result.error()); \
  target = std::move(*result)

}  // namespace flowrun
