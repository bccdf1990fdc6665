// What sources are told: up to where their rows are committed in every sink.
#include <algorithm>

#include "runtime/exec/run.h"

namespace flowrun {

// A sink that keeps a pace of its own has not been given what waits for its turn.
void Run::tell_committed(const EpochState& epoch) {
  uncommitted_.emplace_back(epoch.id, epoch.source_offsets);
  EpochId everywhere = epoch.id;
  for (const auto& sink : sinks_) {
    if (sink->has_pending()) everywhere = std::min(everywhere, sink->last_served());
  }
  std::optional<std::vector<std::string>> offsets;
  while (!uncommitted_.empty() && uncommitted_.front().first <= everywhere) {
    offsets = std::move(uncommitted_.front().second);
    uncommitted_.pop_front();
  }
  if (!offsets) return;
  if (settings_.on_committed) {
    for (size_t s = 0; s < offsets->size(); ++s) {
      const GraphNode& source = graph_.nodes[graph_.sources[s]];
      if (!(*offsets)[s].empty()) settings_.on_committed(source.name, (*offsets)[s]);
    }
  }
  {
    const std::lock_guard lock(mutex_);
    for (size_t s = 0; s < offsets->size(); ++s) {
      if (!(*offsets)[s].empty()) source_states_[s].committed = std::move((*offsets)[s]);
    }
  }
  sources_wake_.notify_all();
}

std::optional<Offset> Run::take_committed(size_t source) {
  const std::lock_guard lock(mutex_);
  auto committed = std::exchange(source_states_[source].committed, std::nullopt);
  if (!committed) return std::nullopt;
  return Offset{std::move(*committed)};
}

std::optional<Offset> Run::await_committed(size_t source) {
  {
    std::unique_lock lock(mutex_);
    sources_wake_.wait(lock, [&] { return over_ || source_states_[source].committed; });
  }
  return take_committed(source);
}

}  // namespace flowrun
