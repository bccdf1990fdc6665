#include "runtime/embed/host_registry.h"

namespace flowrun {

HostRegistry::~HostRegistry() {
  for (const Added& added : added_) {
    if (added.release) added.release();
  }
}

Status HostRegistry::add(const flowrun_plugin& plugin, std::function<void()> release) {
  const std::lock_guard lock(mutex_);
  FLOWRUN_RETURN_IF_ERROR(trial_.add(plugin));
  added_.push_back({&plugin, std::move(release)});
  return ok_status();
}

Status HostRegistry::enter_into(Pipeline& pipeline) const {
  const std::lock_guard lock(mutex_);
  for (const Added& added : added_) FLOWRUN_RETURN_IF_ERROR(pipeline.add(*added.plugin));
  return ok_status();
}

}  // namespace flowrun
