// The memory budget: when an epoch must end for it, when sources wait, when the run cannot go on.
#include <fmt/format.h>

#include <algorithm>

#include "runtime/exec/run.h"

namespace flowrun {

namespace {

// What holds memory, and what to do about it.
struct Kind {
  std::string_view what;
  std::string_view remedy;
};

// Adds up what is held and remembers who holds most.
class Holders {
 public:
  void add(int64_t bytes, const Kind& kind, const GraphNode& node) {
    total_ += bytes;
    if (bytes <= greatest_) return;
    greatest_ = bytes;
    kind_ = &kind;
    node_ = &node;
  }
  void add(int64_t bytes) { total_ += bytes; }

  [[nodiscard]] int64_t total() const { return total_; }
  [[nodiscard]] Status within(int64_t budget) const {
    if (total_ <= budget) return ok_status();
    return Error::exhausted(
        fmt::format("the memory budget of {} MiB is spent{}", budget >> 20,
                    node_ ? fmt::format(": {} {} takes {} MiB — {}, or raise `memory:`",
                                        kind_->what, node_->name, greatest_ >> 20, kind_->remedy)
                          : " by what is in flight — raise `memory:`"));
  }

 private:
  int64_t total_ = 0;
  int64_t greatest_ = 0;
  const Kind* kind_ = nullptr;
  const GraphNode* node_ = nullptr;
};

constexpr Kind kState{"the state of", "bound it with a watermark"};
constexpr Kind kLocals{"what one epoch brought to", "make `in_flight:` smaller"};
constexpr Kind kLocalsOfOnce{"what one epoch brought to",
                             "read in several epochs with `trigger: available_now`"};
constexpr Kind kRows{"the rows kept by", "bound them with `keep_rows:` or `keep:`"};

constexpr int64_t kGrowth = 4;

}  // namespace

// What an epoch may hold: half of what state and tables leave; the other half is for what becomes
// of it in them.
int64_t Run::epoch_budget() const {
  return (settings_.memory - kept_bytes_.load(std::memory_order_relaxed)) / 2;
}

int64_t Run::held_by_sinks() const {
  int64_t bytes = 0;
  for (const auto& sink : sinks_) bytes += sink->memory_bytes();
  return bytes;
}

// What the epoch holds is in locals, in flight, or with sinks that keep its rows until it ends.
bool Run::over_half_budget() const {
  const int64_t given =
      held_by_sinks() - kept_by_sinks_.load(std::memory_order_relaxed);  // less: some have left
  return shared_.local_bytes.total() + in_flight_.load() + std::max<int64_t>(given, 0) >
         epoch_budget();
}

// A row in flight becomes a key in a local, which takes up to kGrowth times as much.
bool Run::room_in_flight() const {
  const int64_t flying = in_flight_.load();
  if (flying == 0) return true;
  return flying < settings_.in_flight &&
         shared_.local_bytes.total() + kGrowth * flying <= epoch_budget();
}

// The epoch holds so much that it must end, and it can: sources wait until it has.
// REQUIRES: mutex_ held.
bool Run::awaits_cut() const {
  return over_half_budget() && reading_->has_data() &&
         settings_.trigger.kind != Trigger::Kind::once && !mid_part();
}

Status Run::check_memory() {
  Holders held;
  for (const size_t s : graph_.statefuls)
    held.add(graph_.nodes[s].stateful->state_bytes(), kState, graph_.nodes[s]);
  const int64_t in_state = held.total();
  for (const auto& sink : sinks_) held.add(sink->memory_bytes(), kRows, sink->node());
  kept_by_sinks_.store(held.total() - in_state, std::memory_order_relaxed);
  kept_bytes_.store(held.total(), std::memory_order_relaxed);
  for (const size_t s : graph_.statefuls) {
    const GraphNode& node = graph_.nodes[s];
    held.add(shared_.local_bytes.of(node.stateful_index), kLocals, node);
  }
  held.add(in_flight_.load(std::memory_order_relaxed));
  return held.within(settings_.memory);
}

// Before the epoch ends only what is counted without a lock is looked at: an epoch that nothing may
// cut (`once`, one file of a folder) must not outgrow the machine either.
Status Run::check_memory_within_epoch() {
  const Kind& locals = settings_.trigger.kind == Trigger::Kind::once ? kLocalsOfOnce : kLocals;
  Holders held;
  for (const size_t s : graph_.statefuls) {
    const GraphNode& node = graph_.nodes[s];
    held.add(shared_.local_bytes.of(node.stateful_index), locals, node);
  }
  for (const auto& sink : sinks_) held.add(sink->memory_bytes(), kRows, sink->node());
  return held.within(settings_.memory);
}

}  // namespace flowrun
