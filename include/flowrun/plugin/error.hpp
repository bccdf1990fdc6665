// Errors, and how exceptions become them. Part of flowrun/plugin.hpp: include that.
#ifndef FLOWRUN_PLUGIN_ERROR_HPP
#define FLOWRUN_PLUGIN_ERROR_HPP

#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "../flowrun_plugin.h"

// Nothing of this is seen from outside: two plugins may have classes of one name.
#pragma GCC visibility push(hidden)

namespace flowrun {
namespace plugin {

// Says what is wrong and, after a dash, what would be right.
class Error : public std::exception {
 public:
  Error(flowrun_code code, std::string text) : code_(code), text_(std::move(text)) {}
  static Error invalid(std::string text) { return {FLOWRUN_INVALID, std::move(text)}; }
  static Error data(std::string text) { return {FLOWRUN_DATA, std::move(text)}; }
  static Error unavailable(std::string text) { return {FLOWRUN_UNAVAILABLE, std::move(text)}; }
  static Error io(std::string text) { return {FLOWRUN_IO, std::move(text)}; }
  static Error cancelled() { return {FLOWRUN_CANCELLED, "cancelled"}; }
  // About the value of an option: shown where it stands in the pipeline's file.
  static Error option(std::string name, std::string text) {
    Error error(FLOWRUN_INVALID, std::move(text));
    error.option_ = std::move(name);
    return error;
  }

  flowrun_code code() const { return code_; }
  const std::string& option() const { return option_; }
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  flowrun_code code_;
  std::string text_;
  std::string option_;
};

namespace detail {

inline void put(char* buffer, uint64_t capacity, const char* text) {
  if (buffer && capacity > 0) std::snprintf(buffer, capacity, "%s", text);
}

// Runs code; what it throws is written into the caller's error.
template <class Code>
flowrun_code guarded(flowrun_error* error, Code code) noexcept {
  try {
    code();
    return FLOWRUN_OK;
  } catch (const Error& thrown) {
    put(error->text, error->capacity, thrown.what());
    put(error->option, error->option_capacity, thrown.option().c_str());
    return thrown.code();
  } catch (const std::bad_alloc&) {
    put(error->text, error->capacity, "there is no memory left");
    return FLOWRUN_EXHAUSTED;
  } catch (const std::exception& thrown) {
    put(error->text, error->capacity, thrown.what());
    return FLOWRUN_DATA;
  } catch (...) {
    put(error->text, error->capacity, "something was thrown that is no std::exception");
    return FLOWRUN_DATA;
  }
}

// An error of the host's, thrown through the plugin's code.
struct HostError {
  char text[512] = "";
  char option[64] = "";
  flowrun_error raw{sizeof(flowrun_error), text, sizeof text, option, sizeof option};
  void check(flowrun_code code) const {
    if (code != FLOWRUN_OK) throw Error(code, text);
  }
};

inline flowrun_text text_of(std::string_view text) { return {text.data(), text.size()}; }
inline std::string string_of(flowrun_text text) {
  return text.data ? std::string(text.data, text.size) : std::string();
}

}  // namespace detail

}  // namespace plugin
}  // namespace flowrun

#pragma GCC visibility pop

#endif  // FLOWRUN_PLUGIN_ERROR_HPP
