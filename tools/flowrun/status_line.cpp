#include "tools/flowrun/status_line.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>

#include "tools/flowrun/text.h"

namespace flowrun {

std::string start_line(const std::string& name, const Engine& engine) {
  const Chosen threads = engine.threads();
  const Chosen memory = engine.memory();
  return fmt::format(
      "{}: {}, {}, {} ({}), {} of memory ({}). Ctrl-C commits the epoch and ends; twice ends at "
      "once.",
      name, plural(static_cast<int64_t>(engine.num_nodes()), "node"),
      plural(static_cast<int64_t>(engine.num_sinks()), "sink"), plural(threads.value, "worker"),
      threads.reason, size_text(memory.value), memory.reason);
}

std::string status_line(const Progress& progress) {
  std::string line = fmt::format("epoch {} · {} rec/s", with_separators(progress.epoch),
                                 with_separators(std::llround(progress.input_rows_per_second)));
  if (progress.lag > 0) line += " · lag " + seconds_text(progress.lag);
  if (progress.has_watermark) line += " · watermark " + time_of_day(progress.watermark);
  fmt::format_to(std::back_inserter(line), " · late {} · rejected {} · {}",
                 with_separators(progress.late_rows), with_separators(progress.rejected_rows),
                 size_text(progress.memory_bytes));
  return line;
}

void RunSummary::add(const Progress& progress) {
  ++epochs_;
  rows_ += progress.input_rows;
  last_ = progress;
}

std::string RunSummary::text(const std::string& name, int64_t elapsed_microseconds) const {
  std::string line = fmt::format("{}: {}, {} in {}", name, plural(epochs_, "epoch"),
                                 plural(rows_, "row"), seconds_text(elapsed_microseconds));
  if (last_.late_rows > 0) {
    std::string where;
    for (const StateProgress& state : last_.states) {
      if (state.late_rows == 0) continue;
      where += fmt::format("{}{} in {}", where.empty() ? "" : ", ",
                           with_separators(state.late_rows), state.node);
    }
    line += "; late: " + (where.empty() ? with_separators(last_.late_rows) : where);
  }
  if (last_.rejected_rows > 0) line += "; rejected: " + with_separators(last_.rejected_rows);
  return line;
}

}  // namespace flowrun
