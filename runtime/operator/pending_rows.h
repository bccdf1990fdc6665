#pragma once
// PendingRows: what an operator put out for good, kept until every ask was served.

#include <deque>

#include "runtime/operator/epoch.h"

namespace flowrun {

class PendingRows {
 public:
  void add(EpochId epoch, RecordBatch rows) {
    if (rows.num_rows() > 0) batches_.push_back({epoch, std::move(rows)});
  }
  // What was added after epoch `since`.
  Status emit(EpochId since, Emitter& out, size_t port = 0) const {
    for (const Entry& entry : batches_) {
      if (entry.epoch > since) FLOWRUN_RETURN_IF_ERROR(out.emit(port, entry.rows));
    }
    return {};
  }
  // Nobody will ask for epochs up to `served` any more.
  void forget(EpochId served) {
    while (!batches_.empty() && batches_.front().epoch <= served) batches_.pop_front();
  }
  void clear() { batches_.clear(); }
  [[nodiscard]] int64_t memory_bytes() const {
    int64_t bytes = 0;
    for (const Entry& entry : batches_) bytes += entry.rows.memory_bytes();
    return bytes;
  }

 private:
  struct Entry {
    EpochId epoch;
    RecordBatch rows;
  };
  std::deque<Entry> batches_;
};

}  // namespace flowrun
