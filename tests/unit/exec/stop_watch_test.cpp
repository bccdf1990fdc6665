#include "runtime/exec/stop_watch.h"

#include <catch2/catch.hpp>
#include <future>
#include <vector>

namespace flowrun {
namespace {

TEST_CASE("who does not come back is told of once") {
  std::promise<std::string> told;
  StopWatch watch(std::chrono::milliseconds(1),
                  [&](const std::string& node) { told.set_value(node); });
  watch.wait_for("rows");
  CHECK(told.get_future().get() == "rows");
}

TEST_CASE("who comes back is not told of") {
  std::vector<std::string> told;
  {
    StopWatch watch(std::chrono::hours(1), [&](const std::string& node) { told.push_back(node); });
    watch.wait_for("rows");
    watch.done();
    watch.wait_for("more");
  }
  CHECK(told.empty());
}

}  // namespace
}  // namespace flowrun
