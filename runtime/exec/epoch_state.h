#pragma once
// EpochState: one epoch while it is read, absorbed and closed.

#include <atomic>
#include <memory>
#include <vector>

#include "runtime/exec/watermarks.h"
#include "runtime/operator/epoch.h"

namespace flowrun {

struct EpochState {
  EpochState(EpochId epoch_id, size_t num_watermarks) : id(epoch_id), observed(num_watermarks) {}

  EpochId id;
  Epoch plain;                  // for stateless operators: clock and id; W as seen by none
  std::vector<Epoch> stateful;  // by stateful index
  ObservedTimes observed;

  std::atomic<int64_t> outstanding{0};  // chunks handed out and not finished

  // Guarded by the run's mutex.
  int64_t chunks = 0;
  int64_t rows = 0;
  int64_t bytes = 0;
  bool marked = false;      // a source said that its part is complete
  int64_t first_chunk = 0;  // monotonic time
  std::vector<int64_t> source_rows;
  std::vector<int64_t> source_bytes;
  std::vector<std::string> source_offsets;  // after its rows; set when it is cut

  [[nodiscard]] bool has_data() const { return chunks > 0 || marked; }
};

}  // namespace flowrun
