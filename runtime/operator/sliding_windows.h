#pragma once
// SlidingWindows: puts windows together from panes, for one partition of an aggregation's state.
//
// State is kept by pane and key, never by window. When windows are asked for, each is the sum of
// the panes in it. Summing anew for each window costs size / pane merges a window; van Herk's and
// Gil and Werman's algorithm (M. van Herk, "A fast algorithm for local minimum and maximum
// filters", 1992; J. Gil and M. Werman, "Computing 2-D min, median, and max filters", 1993) costs
// four a pane and two a window: time is cut into blocks as long as a window, each block is summed
// from its start up to each pane and from each pane up to its end, and a window, which touches two
// blocks at most, is the end of the one and the start of the other.

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "runtime/operator/aggregation_shape.h"
#include "runtime/operator/epoch.h"

namespace flowrun {

// Windows whose end lies in (after, until].
struct WindowQuestion {
  int64_t after = std::numeric_limits<int64_t>::min();
  int64_t until = std::numeric_limits<int64_t>::max();
  // Only such that hold a pane touched after the epoch `since`; `touched` names these panes.
  struct Touched {
    EpochId since;
    std::span<const uint32_t> panes;
  };
  std::optional<Touched> touched = std::nullopt;
};

// Some windows, one entry each.
struct WindowRows {
  std::vector<int64_t> begins;
  std::vector<uint32_t> panes;   // a pane of it, for its keys
  std::vector<EpochId> touched;  // when a pane of it was last touched
  AggregateStates states;
};

// Not thread-safe.
class SlidingWindows {
 public:
  // `shape` has a window and must outlive it.
  explicit SlidingWindows(const AggregationShape& shape);

  // Takes note of the panes [from, panes.size()).
  void add(const GroupTable& panes, size_t from);
  // Panes were evicted: pane i is numbers[i] now, or GroupTable::kNoGroup.
  void renumber(std::span<const uint32_t> numbers);

  // hashes[i] becomes the hash of the key in row i; the columns are the keys without the pane.
  void hash_keys(std::span<const ColumnPtr> keys, std::span<uint64_t> hashes) {
    keys_.hash_rows(keys, hashes);
  }

  // Hands out the windows, some thousand at a time; by key, then by time. `states` and `touched`
  // are by pane.
  Status visit(const WindowQuestion& question, const AggregateStates& states,
               std::span<const EpochId> touched,
               const std::function<Status(const WindowRows&)>& take) const;

  [[nodiscard]] int64_t memory_bytes() const;

 private:
  struct Pane {
    int64_t begin;
    uint32_t number;
  };
  // A window over items [first, last] of a run.
  struct Window {
    int64_t begin;
    size_t first;
    size_t last;
  };
  // Panes of some keys, and the windows over them.
  struct Run {
    std::vector<uint32_t> panes;
    std::vector<int64_t> blocks;  // where the block of each begins
    std::vector<size_t> keys;     // of each
    std::vector<EpochId> touched;
    std::vector<Window> windows;
    size_t pairs = 0;  // of a window and a pane in it
    [[nodiscard]] bool same_block(size_t a, size_t b) const {
      return blocks[a] == blocks[b] && keys[a] == keys[b];
    }
  };
  // A window is the suffix at one item and the prefix at another; kNone: without.
  struct Parts {
    static constexpr size_t kNone = ~size_t{0};
    size_t suffix = kNone;
    size_t prefix = kNone;
  };

  [[nodiscard]] std::vector<uint32_t> keys_asked(const WindowQuestion& question) const;
  [[nodiscard]] std::vector<int64_t> list_windows(std::span<const Pane> panes,
                                                  const WindowQuestion& question,
                                                  std::span<const EpochId> touched) const;
  void add_key(size_t key, std::span<const int64_t> begins, std::span<const EpochId> touched,
               Run& run) const;
  [[nodiscard]] static Parts parts_of(const Run& run, const Window& window);
  [[nodiscard]] static std::vector<EpochId> last_touches(const Run& run);
  [[nodiscard]] Result<AggregateStates> sum(const Run& run, const AggregateStates& states) const;
  static Status sum_directly(const Run& run, const GroupStates& panes, GroupStates& windows);
  Status sum_by_blocks(const Run& run, size_t call, const GroupStates& panes,
                       GroupStates& windows) const;

  const AggregationShape& shape_;
  const WindowGrid& grid_;
  GroupTable keys_;
  std::vector<uint32_t> key_of_;             // by pane
  std::vector<std::vector<Pane>> panes_of_;  // by key, ascending
};

}  // namespace flowrun
