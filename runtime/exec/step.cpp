// A run without threads of its own: every call reads what is there, absorbs it and closes what is
// due, in the order of the graph, on the thread of the caller.
#include "runtime/exec/run.h"

namespace flowrun {

// One chunk from each source that has one, down to the sinks and locals.
bool Run::read_and_absorb() {
  bool read = false;
  for (const auto& source : sources_) read |= source->step();
  return run_queued() || read;
}

bool Run::run_queued() {
  bool ran = false;
  while (auto work = queue_.try_pop()) {
    run_chunk(*workers_[settings_.workers], std::move(*work));
    ran = true;
  }
  return ran;
}

void Run::leave_sources() {
  for (const auto& source : sources_) source->leave();
}

Engine::Step Run::step() {
  const PoolScope scope(pool_);
  Engine::Step step;
  const auto must_end = [&] {
    const std::lock_guard lock(mutex_);
    return stop_ || failure_ || epoch_is_long(monotonic());
  };
  while (!must_end() && read_and_absorb()) continue;
  std::optional<Cut> cut;
  {
    const std::lock_guard lock(mutex_);
    const int64_t now = monotonic();
    cut = due_cut(now);
    step.next_wake = next_wake(now);
  }
  if (!cut) return step;
  end(*cut);
  step.made_epoch = *cut == Cut::data || *cut == Cut::no_data;
  step.ended = *cut == Cut::end || *cut == Cut::failed || enough_epochs();
  return step;
}

}  // namespace flowrun
