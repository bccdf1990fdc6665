#pragma once
// WindowGrid: which windows a time belongs to.
//
// Windows are half-open, `size` long, begin every `slide`, and are aligned to 1970-01-01T00:00:00Z
// plus `start`; times before 1970 align the same way. Panes are the longest pieces that no window's
// edge cuts: rows are aggregated by pane, and a window is put together from its panes, so that the
// cost of a row does not grow with size / slide.

#include <cstdint>
#include <limits>
#include <numeric>

namespace flowrun {

// All in microseconds. REQUIRES: 0 < slide <= size, |start| < slide.
struct WindowGrid {
  int64_t size = 0;
  int64_t slide = 0;
  int64_t start = 0;

  [[nodiscard]] int64_t pane_width() const { return std::gcd(size, slide); }
  // Where the pane that holds `time` begins.
  [[nodiscard]] int64_t pane_of(int64_t time) const { return align(time, pane_width()); }
  // Where the last window that holds `time` begins; the others begin `slide` earlier each, as long
  // as end_of(begin) > time.
  [[nodiscard]] int64_t last_window(int64_t time) const { return align(time, slide); }
  // Where the first window begins that ends after `time`.
  [[nodiscard]] int64_t first_window_after(int64_t time) const {
    return last_window(time - size) + slide;
  }
  // Blocks are as long as a window and follow one another.
  [[nodiscard]] int64_t block_of(int64_t time) const { return align(time, size); }
  [[nodiscard]] bool slides() const { return pane_width() < size; }
  // Where a window that begins at `begin` ends; the greatest time where it would lie beyond.
  [[nodiscard]] int64_t end_of(int64_t begin) const {
    return begin > std::numeric_limits<int64_t>::max() - size ? std::numeric_limits<int64_t>::max()
                                                              : begin + size;
  }

 private:
  // The greatest `start + k * step` that is not after `time`.
  [[nodiscard]] int64_t align(int64_t time, int64_t step) const {
    int64_t behind = (time % step - start % step) % step;
    if (behind < 0) behind += step;
    return static_cast<int64_t>(static_cast<uint64_t>(time) - static_cast<uint64_t>(behind));
  }
};

}  // namespace flowrun
