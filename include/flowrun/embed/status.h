// Status and Result: what a call that may fail comes to. No exceptions.
#ifndef FLOWRUN_EMBED_STATUS_H
#define FLOWRUN_EMBED_STATUS_H

#include <chrono>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

#include "../flowrun_c.h"

namespace flowrun {
inline namespace api_v1 {

// What the caller does next.
enum class Code : int32_t {
  ok = FLOWRUN_OK,
  invalid = FLOWRUN_INVALID,          // the pipeline, an option or the call itself is wrong
  data = FLOWRUN_DATA,                // the data cannot be processed as asked: the run failed
  unavailable = FLOWRUN_UNAVAILABLE,  // a peer is absent
  io = FLOWRUN_IO,                    // the machine refused
  cancelled = FLOWRUN_CANCELLED,      // the run is over, or was stopped
  exhausted = FLOWRUN_EXHAUSTED,      // the memory budget is spent
  timeout = FLOWRUN_TIMEOUT,          // the time to wait is over: call again
  ended = FLOWRUN_ENDED,              // the run is over, and well: there is nothing more
};

// True when all is well; else why not, about which node and where in the pipeline's file.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string text) : code_(code), text_(std::move(text)) {}
  explicit operator bool() const { return code_ == Code::ok; }
  Code code() const { return code_; }
  const std::string& text() const { return text_; }  // what is wrong — what would be right
  const std::string& node() const { return node_; }
  const std::string& file() const { return file_; }
  int line() const { return line_; }  // from 1; 0: not known
  int column() const { return column_; }

  // From a code and the failure that came with it.
  static Status of(flowrun_code code, const flowrun_failure& failure) {
    Status status(static_cast<Code>(code), failure.text ? failure.text : "");
    if (failure.node) status.node_ = failure.node;
    if (failure.file) status.file_ = failure.file;
    status.line_ = failure.line;
    status.column_ = failure.column;
    return status;
  }

 private:
  Code code_ = Code::ok;
  std::string text_;
  std::string node_;
  std::string file_;
  int line_ = 0;
  int column_ = 0;
};

// A value, or the Status that says why there is none. Reading a value that is not there aborts.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}          // NOLINT: implicit by intent
  Result(Status status) : status_(std::move(status)) {}  // NOLINT: implicit by intent
  explicit operator bool() const { return value_.has_value(); }
  const Status& status() const { return status_; }
  T& operator*() & { return get(); }
  T&& operator*() && { return std::move(get()); }
  T* operator->() { return &get(); }

 private:
  T& get() {
    if (!value_) std::abort();
    return *value_;
  }
  std::optional<T> value_;
  Status status_;
};

// How long a call may wait.
using Wait = std::chrono::microseconds;
inline constexpr Wait kForever{FLOWRUN_FOREVER};
inline constexpr Wait kNow{0};

namespace detail {

// A flowrun_failure that clears itself.
class Failure {
 public:
  Failure() = default;
  Failure(const Failure&) = delete;
  Failure& operator=(const Failure&) = delete;
  ~Failure() { flowrun_failure_clear(&raw_); }
  flowrun_failure* get() { return &raw_; }
  Status status(flowrun_code code) const {
    return code == FLOWRUN_OK ? Status() : Status::of(code, raw_);
  }

 private:
  flowrun_failure raw_ = FLOWRUN_FAILURE_INIT;
};

inline std::string owned(char* text) {
  std::string copy = text ? text : "";
  flowrun_text_free(text);
  return copy;
}

}  // namespace detail
}  // namespace api_v1
}  // namespace flowrun

#endif
