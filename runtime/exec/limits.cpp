#include "runtime/exec/limits.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <thread>

namespace flowrun {

namespace {

constexpr const char* kCgroupRoot = "/sys/fs/cgroup";
constexpr int64_t kDefaultMemory = int64_t{256} << 20;

template <class T>
std::optional<T> read_number(const std::string& path) {
  std::ifstream file(path);
  T value{};
  if (file >> value) return value;
  return std::nullopt;
}

// The process's group below the root in the unified hierarchy: the path in the line "0::/path".
std::string own_group() {
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("0::")) return line.substr(3);
  }
  return "";
}

}  // namespace

std::optional<double> cgroup_cpu_quota(const std::string& root) {
  std::ifstream file(root + "/cpu.max");
  std::string quota;
  double period = 0;
  if (file >> quota >> period) {
    if (quota == "max" || period <= 0) return std::nullopt;
    return std::strtod(quota.c_str(), nullptr) / period;
  }
  const auto old_quota = read_number<double>(root + "/cpu/cpu.cfs_quota_us");
  const auto old_period = read_number<double>(root + "/cpu/cpu.cfs_period_us");
  if (!old_quota || !old_period || *old_quota <= 0 || *old_period <= 0) return std::nullopt;
  return *old_quota / *old_period;
}

std::optional<int64_t> cgroup_memory_limit(const std::string& root) {
  for (const char* name : {"/memory.max", "/memory/memory.limit_in_bytes"}) {
    // The old hierarchy says "no limit" with a number beyond any machine.
    constexpr int64_t kUnlimited = int64_t{1} << 60;
    if (const auto limit = read_number<int64_t>(root + name); limit && *limit < kUnlimited)
      return limit;
  }
  return std::nullopt;
}

Chosen granted_cpus() {
  Chosen chosen{std::max<int64_t>(1, std::thread::hardware_concurrency()), "one per core"};
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) < chosen.value) {
    chosen = {CPU_COUNT(&set), "the cores this process may use"};
  }
  for (const std::string& root : {kCgroupRoot + own_group(), std::string(kCgroupRoot)}) {
    const auto quota = cgroup_cpu_quota(root);
    if (!quota) continue;
    const auto cpus = std::max<int64_t>(1, static_cast<int64_t>(std::ceil(*quota)));
    if (cpus < chosen.value) chosen = {cpus, "the cgroup's CPU quota"};
  }
  return chosen;
}

Chosen default_memory() {
  Chosen chosen{kDefaultMemory, "the default"};
  for (const std::string& root : {kCgroupRoot + own_group(), std::string(kCgroupRoot)}) {
    const auto limit = cgroup_memory_limit(root);
    if (limit && *limit / 2 < chosen.value) chosen = {*limit / 2, "half of the cgroup's limit"};
  }
  return chosen;
}

}  // namespace flowrun
