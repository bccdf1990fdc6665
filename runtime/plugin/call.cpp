#include "runtime/plugin/call.h"

#include <fmt/format.h>

#include <exception>

namespace flowrun {

namespace {

// The text up to its zero, or all of it if the plugin wrote none.
template <size_t kSize>
std::string terminated(const std::array<char, kSize>& buffer) {
  return {buffer.data(), strnlen(buffer.data(), kSize)};
}

Error make_error(flowrun_code code, std::string message) {
  switch (code) {
    case FLOWRUN_INVALID:
      return Error::invalid(std::move(message));
    case FLOWRUN_DATA:
      return Error::data(std::move(message));
    case FLOWRUN_UNAVAILABLE:
      return Error::unavailable(std::move(message));
    case FLOWRUN_IO:
      return Error::io(std::move(message));
    case FLOWRUN_CANCELLED:
      return Error::cancelled(std::move(message));
    case FLOWRUN_EXHAUSTED:
      return Error::exhausted(std::move(message));
    default:
      return Error::data(
          fmt::format("it returned the code {}, which is none of flowrun_plugin.h{}{}", code,
                      message.empty() ? "" : ": ", message));
  }
}

}  // namespace

Error PluginCall::failure(flowrun_code code) {
  std::string message = terminated(text_);
  if (message.empty() && code <= FLOWRUN_EXHAUSTED)
    message = fmt::format("`{}` failed without a word", component_.name);
  Error error = component_.blame(make_error(code, std::move(message)));
  const std::string option = terminated(option_);
  const OptionValue* value = options_ && !option.empty() ? options_->find(option) : nullptr;
  return value ? std::move(error).at(value->position) : error;
}

Error PluginCall::thrown() const {
  std::string what = "something that is no std::exception";
  try {
    throw;
  } catch (const std::exception& exception) {
    what = exception.what();
  } catch (...) {  // the words above say it
  }
  return component_.blame(Error::data(fmt::format(
      "`{}` let an exception out: {} — catch it inside and return a code", component_.name, what)));
}

flowrun_code abi_code(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::invalid:
      return FLOWRUN_INVALID;
    case ErrorCode::data:
      return FLOWRUN_DATA;
    case ErrorCode::unavailable:
      return FLOWRUN_UNAVAILABLE;
    case ErrorCode::io:
      return FLOWRUN_IO;
    case ErrorCode::cancelled:
      return FLOWRUN_CANCELLED;
    case ErrorCode::exhausted:
      return FLOWRUN_EXHAUSTED;
  }
  return FLOWRUN_DATA;
}

flowrun_code report(const Error& error, flowrun_error* out) noexcept {
  if (out && out->text && out->capacity > 0) {
    const size_t size = std::min<size_t>(error.message.size(), out->capacity - 1);
    std::memcpy(out->text, error.message.data(), size);
    out->text[size] = '\0';
  }
  return abi_code(error.code);
}

}  // namespace flowrun
