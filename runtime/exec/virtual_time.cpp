// Virtual time in place of the trigger: somebody outside moves the clock from one time at which
// something happens to the next.
#include <algorithm>
#include <limits>

#include "runtime/exec/run.h"

namespace flowrun {

std::optional<int64_t> Run::next_due(int64_t now) const {
  int64_t due = next_idle(now);
  if (watermark_moved_) due = now;
  for (const auto& sink : sinks_) {
    if (sink->node().pace == 0 || !sink->has_pending()) continue;
    const int64_t turn = sink->served_once() ? sink->last_served_time() + sink->node().pace : now;
    due = std::min(due, turn);
  }
  if (due == std::numeric_limits<int64_t>::max()) return std::nullopt;
  return std::max(due, now);
}

// What this time gives, once every source has ended its part; none: on to another time.
// REQUIRES: mutex_ held.
std::optional<Run::Cut> Run::cut_in_time() {
  if (failure_) return Cut::failed;
  if (stop_) return Cut::end;
  const int64_t now = monotonic();
  note_idle(now);
  if (reading_->has_data()) return Cut::data;
  const bool takes_what_is_there = settings_.trigger.kind == Trigger::Kind::once ||
                                   settings_.trigger.kind == Trigger::Kind::available_now;
  if (all_ended()) return takes_what_is_there && watermark_moved_ ? Cut::no_data : Cut::end;
  if (watermark_moved_ || paced_sink_due(now)) return Cut::no_data;
  return std::nullopt;
}

Run::Cut Run::await_time() {
  std::unique_lock lock(mutex_);
  while (true) {
    if (failure_) return Cut::failed;
    if (stop_) return Cut::end;
    const Moment moment{monotonic(), next_due(monotonic()), settings_.trigger};
    lock.unlock();
    const bool goes_on = settings_.next_time(moment);
    lock.lock();
    if (!goes_on) stop_ = true;
    reading_->plain.context.now = settings_.clock->now();
    for (SourceState& state : source_states_) state.part_ended = state.ended || stop_;
    sources_wake_.notify_all();
    coordinator_wakes_.wait(lock, [this] { return failure_ || stop_ || all_parts_ended(); });
    if (const auto cut = cut_in_time()) return *cut;
  }
}

}  // namespace flowrun
