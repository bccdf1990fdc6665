#pragma once
// What a run says about itself: when it starts, while it runs, when it ends.

#include <string>

#include "runtime/exec/engine.h"

namespace flowrun {

// "iot: 9 nodes, 2 sinks, 2 workers (one per core), 256 MiB (the default). Ctrl-C commits the epoch
// and ends; ..."
std::string start_line(const std::string& name, const Engine& engine);

// "epoch 3 · 1,024 rec/s · lag 0.2 s · watermark 14:03:05 · late 0 · rejected 10 · 1.2 MiB"
std::string status_line(const Progress& progress);

// What a run adds up to. Not thread-safe.
class RunSummary {
 public:
  void add(const Progress& progress);
  // "iot: 3 epochs, 3,072 rows in 6.1 s; late: 12 in per_window; rejected: 10"
  [[nodiscard]] std::string text(const std::string& name, int64_t elapsed_microseconds) const;

 private:
  int64_t epochs_ = 0;
  int64_t rows_ = 0;
  Progress last_;
};

}  // namespace flowrun
