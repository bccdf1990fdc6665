// When an epoch ends: the triggers of DESIGN's pipeline file, as questions about what the run knows
// now.
#include <algorithm>
#include <limits>
#include <utility>

#include "runtime/exec/run.h"

namespace flowrun {

namespace {

constexpr int64_t kLongestAsapEpoch = 1'000'000;

}  // namespace

bool Run::all_ended() const {
  return std::ranges::all_of(source_states_, [](const SourceState& state) { return state.ended; });
}

bool Run::all_parts_ended() const {
  return std::ranges::all_of(source_states_,
                             [](const SourceState& state) { return state.part_ended; });
}

// A source that says itself what an epoch is has begun its part and not finished it.
bool Run::mid_part() const {
  return std::ranges::any_of(source_states_, [](const SourceState& state) {
    return state.marks_epochs && state.delivered && !state.part_ended;
  });
}

bool Run::paced_sink_due(int64_t now) const {
  return std::ranges::any_of(sinks_, [&](const auto& sink) {
    if (sink->node().pace == 0 || !sink->has_pending()) return false;
    return !sink->served_once() || now >= sink->last_served_time() + sink->node().pace;
  });
}

// As long as an epoch under `asap` may be. REQUIRES: mutex_ held.
bool Run::epoch_is_long(int64_t now) const {
  return settings_.trigger.kind == Trigger::Kind::asap && reading_->has_data() &&
         (now >= reading_->first_chunk + kLongestAsapEpoch || over_half_budget());
}

std::optional<Run::Cut> Run::cut_asap(int64_t now) {
  if (reading_->has_data()) {
    if (all_parts_ended()) return Cut::data;
    const bool drained = reading_->outstanding.load(std::memory_order_acquire) == 0;
    if (drained && !mid_part()) return Cut::data;
    if (epoch_is_long(now)) return Cut::data;
    return std::nullopt;
  }
  if (all_ended()) return Cut::end;
  if (watermark_moved_ || paced_sink_due(now)) return Cut::no_data;
  return std::nullopt;
}

std::optional<Run::Cut> Run::cut_period(int64_t now) {
  if (all_ended()) return reading_->has_data() ? Cut::data : Cut::end;  // nothing to wait for
  if (now < next_tick_ && !over_half_budget()) return std::nullopt;
  if (mid_part()) return std::nullopt;
  if (reading_->has_data()) return Cut::data;
  if (watermark_moved_ || paced_sink_due(now)) return Cut::no_data;
  return std::nullopt;
}

// REQUIRES: mutex_ held.
std::optional<Run::Cut> Run::cut_now(int64_t now) {
  if (failure_) return Cut::failed;
  if (stop_) return Cut::end;
  if (settings_.run_for && now >= started_ + *settings_.run_for) return Cut::end;
  switch (settings_.trigger.kind) {
    case Trigger::Kind::asap:
      return cut_asap(now);
    case Trigger::Kind::period:
      return cut_period(now);
    case Trigger::Kind::once:  // one epoch, whatever it takes
    case Trigger::Kind::available_now:
      if (reading_->has_data() && (all_parts_ended() || awaits_cut())) return Cut::data;
      if (!all_ended() || reading_->has_data()) return std::nullopt;
      return watermark_moved_ ? Cut::no_data : Cut::end;
  }
  return std::nullopt;
}

int64_t Run::next_wake(int64_t now) const {
  int64_t wake = now + kLongestAsapEpoch;
  if (settings_.run_for) wake = std::min(wake, started_ + *settings_.run_for);
  if (settings_.trigger.kind == Trigger::Kind::asap && reading_->has_data())
    wake = std::min(wake, reading_->first_chunk + kLongestAsapEpoch);
  if (settings_.trigger.kind == Trigger::Kind::period && next_tick_ > now)
    wake = std::min(wake, next_tick_);
  wake = std::min(wake, next_idle(now));
  for (const auto& sink : sinks_) {
    if (sink->node().pace > 0 && sink->has_pending())
      wake = std::min(wake, sink->last_served_time() + sink->node().pace);
  }
  return std::max(wake, now + 1);
}

// What cut_now says, and the tick that it belongs to is past. REQUIRES: mutex_ held.
std::optional<Run::Cut> Run::due_cut(int64_t now) {
  note_idle(now);
  const std::optional<Cut> cut = cut_now(now);
  if (settings_.trigger.kind == Trigger::Kind::period) {
    // Ticks stay on the grid of the start; those that were missed are skipped, as in Spark.
    while (next_tick_ <= now && (cut || !mid_part())) next_tick_ += settings_.trigger.period;
  }
  return cut;
}

// REQUIRES: await_cut comes next.
void Run::take_small_chunks() {
  if (settings_.stepped || settings_.next_time || settings_.trigger.kind != Trigger::Kind::asap)
    return;
  const std::lock_guard lock(mutex_);
  takes_small_chunks_ = true;
}

// REQUIRES: mutex_ held.
void Run::run_handed(std::unique_lock<std::mutex>& lock) {
  takes_small_chunks_ = false;  // until it has looked whether the epoch is due
  Work work = std::move(*handed_);
  handed_.reset();
  lock.unlock();
  run_chunk(*workers_.back(), std::move(work));
  lock.lock();
}

Run::Cut Run::await_cut() {
  const BriefSpin::Wait wait(spin_);
  const bool takes = settings_.trigger.kind == Trigger::Kind::asap;
  bool looked = false;
  std::unique_lock lock(mutex_);
  while (true) {
    if (handed_) run_handed(lock);
    const int64_t seen = events_.load(std::memory_order_relaxed);
    const int64_t now = monotonic();
    const auto cut = due_cut(now);
    takes_small_chunks_ = takes && !cut;
    if (cut) return *cut;
    if (!std::exchange(looked, true)) {
      lock.unlock();
      wait.look([&] { return events_.load(std::memory_order_acquire) != seen; });
      lock.lock();
    } else {
      coordinator_wakes_.wait_for(lock, std::chrono::microseconds(next_wake(now) - now));
    }
  }
}

}  // namespace flowrun
