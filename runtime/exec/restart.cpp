// What a restart does to state, without one: for tests of snapshots.
#include "runtime/exec/run.h"
#include "runtime/state/snapshot.h"

namespace flowrun {

// Saves every state, makes the operators anew and restores them. Sources wait since the epoch was
// cut; where one has delivered all the same (a peer does not wait) nothing is done this time.
Status Run::restart_state() {
  const std::lock_guard lock(mutex_);
  for (SourceState& state : source_states_) state.part_ended = state.ended;
  sources_wake_.notify_all();
  if (reading_->chunks > 0) return ok_status();
  for (const size_t s : graph_.statefuls) {
    GraphNode& node = graph_.nodes[s];
    MemorySnapshot snapshot;
    FLOWRUN_RETURN_IF_ERROR(node.stateful->snapshot(snapshot));
    // What absorbed for the old operator refers to it.
    for (auto& locals : shared_.locals[node.stateful_index]) {
      for (auto& local : locals) local.reset();
    }
    shared_.local_bytes.add(node.stateful_index, -shared_.local_bytes.of(node.stateful_index));
    FLOWRUN_TRY(node.stateful, node.remake());
    FLOWRUN_RETURN_IF_ERROR(node.stateful->restore(snapshot));
  }
  return ok_status();
}

}  // namespace flowrun
