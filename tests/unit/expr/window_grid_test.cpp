#include "runtime/expr/window_grid.h"

#include <rapidcheck.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <vector>

using namespace flowrun;

namespace {

WindowGrid any_grid() {
  const auto slide = *rc::gen::inRange<int64_t>(1, 40);
  const auto size = *rc::gen::inRange<int64_t>(slide, 200);
  return {size, slide, *rc::gen::inRange<int64_t>(-slide + 1, slide)};
}

// Where every window that holds `time` begins, by trying all begins around it.
std::vector<int64_t> windows_by_trial(const WindowGrid& grid, int64_t time) {
  std::vector<int64_t> begins;
  for (int64_t begin = time; begin > time - grid.size; --begin) {
    if ((begin - grid.start) % grid.slide == 0) begins.push_back(begin);
  }
  return begins;
}

std::vector<int64_t> windows_of(const WindowGrid& grid, int64_t time) {
  std::vector<int64_t> begins;
  for (int64_t begin = grid.last_window(time); grid.end_of(begin) > time; begin -= grid.slide)
    begins.push_back(begin);
  return begins;
}

}  // namespace

TEST_CASE("a time belongs to every window that contains it, also before 1970") {
  CHECK(rc::check([] {
    const WindowGrid grid = any_grid();
    const auto time = *rc::gen::inRange<int64_t>(-1000, 1000);
    RC_ASSERT(windows_of(grid, time) == windows_by_trial(grid, time));
  }));
}

TEST_CASE("all times of a pane belong to the same windows") {
  CHECK(rc::check([] {
    const WindowGrid grid = any_grid();
    const auto time = *rc::gen::inRange<int64_t>(-1000, 1000);
    const int64_t pane = grid.pane_of(time);
    RC_ASSERT(pane <= time && time < pane + grid.pane_width());
    RC_ASSERT(windows_of(grid, pane) == windows_of(grid, time));
    RC_ASSERT(windows_of(grid, pane + grid.pane_width() - 1) == windows_of(grid, time));
  }));
}
