#pragma once
// Calls into a plugin: a code, a text or a stray exception made a Status that names the plugin.
//
//   PluginCall call(*component);
//   FLOWRUN_RETURN_IF_ERROR(call(table.open, self));   // the flowrun_error is added at the end

#include <array>
#include <string>
#include <string_view>

#include "runtime/operator/options.h"
#include "runtime/plugin/component.h"

namespace flowrun {

// One call after the other. The options, if there are any, give errors their place in the file.
class PluginCall {
 public:
  explicit PluginCall(const Component& component, const Options* options = nullptr)
      : component_(component), options_(options) {}

  // REQUIRES: `function` is not null; it takes `arguments` and then a flowrun_error*.
  template <class Function, class... Arguments>
  Status operator()(Function function, Arguments... arguments) {
    text_[0] = option_[0] = '\0';
    flowrun_error error{sizeof(flowrun_error), text_.data(), text_.size(), option_.data(),
                        option_.size()};
    try {
      const flowrun_code code = function(arguments..., &error);
      return code == FLOWRUN_OK ? ok_status() : failure(code);
    } catch (...) {
      return thrown();
    }
  }

  // The same for functions that cannot say what is wrong.
  template <class Function, class... Arguments>
  Status plain(Function function, Arguments... arguments) {
    if constexpr (std::is_pointer_v<Function>) {
      if (!function) return ok_status();  // one that a plugin may leave out
    }
    try {
      function(arguments...);
      return ok_status();
    } catch (...) {
      return thrown();
    }
  }

 private:
  [[nodiscard]] Error failure(flowrun_code code);
  [[nodiscard]] Error thrown() const;  // REQUIRES: within a catch

  const Component& component_;
  const Options* options_;
  std::array<char, 1024> text_;
  std::array<char, 128> option_;
};

// The code that stands for an error across the C interface of plugins.
flowrun_code abi_code(ErrorCode code) noexcept;

// Writes an error of the host's into what a plugin gave for it; gives its code.
flowrun_code report(const Error& error, flowrun_error* out) noexcept;

inline flowrun_text text_of(std::string_view text) { return {text.data(), text.size()}; }
// "" for a null pointer.
inline std::string string_of(const char* text) { return text ? text : ""; }
inline std::string string_of(flowrun_text text) {
  return text.data ? std::string(text.data, text.size) : std::string();
}

}  // namespace flowrun
