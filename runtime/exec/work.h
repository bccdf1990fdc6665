#pragma once
// What travels through the queue to the workers: a chunk to run, a share of a closing, or the order
// to leave.

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "runtime/exec/sink_set.h"
#include "runtime/operator/source.h"

namespace flowrun {

// Bytes of a chunk in flight; given back to the budget when the last batch made of it has left.
class Flight {
 public:
  Flight(int64_t bytes, std::function<void(int64_t)> land)
      : bytes_(bytes), land_(std::move(land)) {}
  ~Flight() { land_(bytes_); }
  Flight(const Flight&) = delete;
  Flight& operator=(const Flight&) = delete;
  [[nodiscard]] int64_t bytes() const { return bytes_; }

 private:
  int64_t bytes_;
  std::function<void(int64_t)> land_;
};
using FlightPtr = std::shared_ptr<const Flight>;

struct EpochState;

// A loop over [0, count) that the coordinator shares with idle workers; it returns when all are
// done.
struct SharedLoop {
  size_t count = 0;
  std::function<void(size_t index, size_t worker)> body;
  std::atomic<size_t> next{0};
  std::atomic<size_t> done{0};
};

struct Work {
  enum class Kind : uint8_t { chunk, loop, leave } kind = Kind::leave;
  // chunk
  RecordBatch rows;
  std::vector<Rejection> rejected;  // by the source itself
  size_t source = 0;
  int64_t sequence = 0;
  std::shared_ptr<EpochState> epoch;
  FlightPtr flight;
  // loop
  std::shared_ptr<SharedLoop> loop;
};

}  // namespace flowrun
