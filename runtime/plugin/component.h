#pragma once
// Component: one operator or function of a plugin, as the host keeps it.

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include "include/flowrun/flowrun_plugin.h"
#include "runtime/columnar/arrow.h"
#include "runtime/operator/spec.h"

namespace flowrun {

// A struct of the ABI as this host knows it: what the plugin's one does not have is zero.
template <class T>
T known_part(const void* given) {
  T part{};
  uint64_t size = 0;
  std::memcpy(&size, given, sizeof(size));
  std::memcpy(&part, given, std::min<uint64_t>(size, sizeof(T)));
  return part;
}

// Immutable; its pointers lead into the library, which is never unloaded.
struct Component {
  std::string plugin;
  std::string name;
  flowrun_component raw{};
  OperatorSpec spec = {};  // of functions name, summary and examples only

  [[nodiscard]] TextLayout text() const {
    return (raw.flags & FLOWRUN_TEXT_WITH_OFFSETS) != 0 ? TextLayout::offsets : TextLayout::views;
  }
  template <class Table>
  [[nodiscard]] Table table() const {
    return known_part<Table>(raw.table);
  }
  // "plugin `clip`: ", put before what it says.
  [[nodiscard]] Error blame(Error error) const {
    error.message = "plugin `" + plugin + "`: " + error.message;
    return error;
  }
};
using ComponentPtr = std::shared_ptr<const Component>;

}  // namespace flowrun
