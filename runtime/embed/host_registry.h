#pragma once
// HostRegistry: the operators and functions that a host program brings, for any number of engines.

#include <functional>
#include <mutex>
#include <vector>

#include "include/flowrun/flowrun_plugin.h"
#include "runtime/embed/pipeline.h"

namespace flowrun {

// Thread-safe. Engines share it, so that descriptions live as long as an engine may call them.
class HostRegistry {
 public:
  HostRegistry() = default;
  ~HostRegistry();
  HostRegistry(const HostRegistry&) = delete;
  HostRegistry& operator=(const HostRegistry&) = delete;

  // Checks the description, against those added before too. `release` is called when nothing can
  // use it any more, but not when there is an error.
  Status add(const flowrun_plugin& plugin, std::function<void()> release);
  // Enters all of them.
  Status enter_into(Pipeline& pipeline) const;

 private:
  struct Added {
    const flowrun_plugin* plugin;
    std::function<void()> release;
  };
  mutable std::mutex mutex_;
  Pipeline trial_{PluginPath{}};
  std::vector<Added> added_;
};

}  // namespace flowrun
