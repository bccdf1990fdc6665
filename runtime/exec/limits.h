#pragma once
// What the machine grants: CPUs by affinity and cgroup quota, memory by the cgroup's limit.

#include <cstdint>
#include <optional>
#include <string>

namespace flowrun {

// How a number was chosen, to be printed at start: {2, "the cgroup's quota"}.
struct Chosen {
  int64_t value = 0;
  std::string reason;
};

Chosen granted_cpus();
// 256 MiB, or half of the cgroup's limit if that is less.
Chosen default_memory();

// The two below read another root than /sys/fs/cgroup, for tests. Absent: no limit.
std::optional<double> cgroup_cpu_quota(const std::string& root);
std::optional<int64_t> cgroup_memory_limit(const std::string& root);

}  // namespace flowrun
