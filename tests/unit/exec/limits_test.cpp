#include "runtime/exec/limits.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include <unistd.h>

using namespace flowrun;

namespace {

// A folder that looks like a cgroup's.
class FakeCgroup {
 public:
  FakeCgroup()
      : root_(std::filesystem::temp_directory_path() /
              ("flowrun-cgroup-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(root_);
  }
  ~FakeCgroup() { std::filesystem::remove_all(root_); }
  void write(const std::string& name, const std::string& text) {
    std::filesystem::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name) << text;
  }
  [[nodiscard]] std::string path() const { return root_.string(); }

 private:
  std::filesystem::path root_;
};

}  // namespace

TEST_CASE("a CPU quota of the unified hierarchy is a share of its period") {
  FakeCgroup cgroup;
  cgroup.write("cpu.max", "150000 100000\n");
  CHECK(cgroup_cpu_quota(cgroup.path()) == 1.5);
}

TEST_CASE("no quota and no limit are absent, not zero") {
  FakeCgroup cgroup;
  CHECK(!cgroup_cpu_quota(cgroup.path()));
  CHECK(!cgroup_memory_limit(cgroup.path()));
  cgroup.write("cpu.max", "max 100000\n");
  cgroup.write("memory.max", "max\n");
  CHECK(!cgroup_cpu_quota(cgroup.path()));
  CHECK(!cgroup_memory_limit(cgroup.path()));
}

TEST_CASE("the old hierarchy is read too") {
  FakeCgroup cgroup;
  cgroup.write("cpu/cpu.cfs_quota_us", "50000\n");
  cgroup.write("cpu/cpu.cfs_period_us", "100000\n");
  cgroup.write("memory/memory.limit_in_bytes", "1048576\n");
  CHECK(cgroup_cpu_quota(cgroup.path()) == 0.5);
  CHECK(cgroup_memory_limit(cgroup.path()) == 1048576);
}

TEST_CASE("what is granted is at least one CPU and says why") {
  CHECK(granted_cpus().value >= 1);
  CHECK(!granted_cpus().reason.empty());
  CHECK(default_memory().value > 0);
}
