#pragma once
// HostSql: SQL over the tables of a host's engine, where the library was built with it.

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "runtime/embed/pipeline.h"

namespace flowrun {

// Thread-safe. The pipeline outlives it.
class HostSql {
 public:
  explicit HostSql(Pipeline& pipeline);  // REQUIRES: loaded
  ~HostSql();
  HostSql(const HostSql&) = delete;
  HostSql& operator=(const HostSql&) = delete;

  struct Limits {
    int64_t max_rows = 0;                  // 0: all
    int64_t time_limit = 0;                // microseconds; 0: no bound
    std::function<bool()> cancelled = {};  // asked now and then, on the thread of run
  };
  struct Answer {
    RecordBatch rows;
    bool more = false;  // there were more than max_rows
  };
  // Live tables as of one epoch, and the static ones. Errors: `invalid`, with the place in the
  // statement, and `cancelled`. Without SQL in the library always `invalid`.
  [[nodiscard]] Result<Answer> run(std::string_view statement, const Limits& limits) const;

 private:
  struct Tables;
  std::unique_ptr<Tables> tables_;
};

}  // namespace flowrun
