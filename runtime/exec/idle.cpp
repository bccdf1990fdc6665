// Sources that hold no watermark back: they have ended for good, or had no rows for as long as
// their `idle` says. Where the run only takes what is there, nobody is waited for, and all hold, as
// in Spark.
#include <algorithm>
#include <limits>

#include "runtime/exec/run.h"

namespace flowrun {

bool Run::holds(const GraphNode& source, int64_t now) const {
  const SourceState& state = source_states_[source.source_index];
  return !state.ended && (source.idle == 0 || now < state.last_rows + source.idle);
}

// REQUIRES: mutex_ held.
std::vector<bool> Run::holding_at(int64_t now) const {
  const bool live = settings_.trigger.kind == Trigger::Kind::asap ||
                    settings_.trigger.kind == Trigger::Kind::period;
  std::vector<bool> holding;
  for (const size_t w : graph_.watermarks) {
    const auto holding_source = [&](size_t source) {
      return holds(graph_.nodes[graph_.sources[source]], now);
    };
    holding.push_back(!live || std::ranges::any_of(graph_.nodes[w].fed_by, holding_source));
  }
  return holding;
}

std::vector<bool> Run::holding_watermarks() {
  const std::lock_guard lock(mutex_);
  return holding_at(monotonic());
}

// Between epochs. REQUIRES: mutex_ held.
void Run::note_idle(int64_t now) {
  if (graph_.watermarks.empty()) return;
  const std::vector<bool> holding = holding_at(now);
  if (holding != watermarks_.holding() && watermarks_.hold(holding)) watermark_moved_ = true;
}

int64_t Run::next_idle(int64_t now) const {
  int64_t next = std::numeric_limits<int64_t>::max();
  for (const size_t s : graph_.sources) {
    const GraphNode& source = graph_.nodes[s];
    if (source.idle == 0 || !holds(source, now)) continue;
    next = std::min(next, source_states_[source.source_index].last_rows + source.idle);
  }
  return next;
}

}  // namespace flowrun
