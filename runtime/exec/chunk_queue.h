#pragma once
// ChunkQueue: the lock-free queue between the sources' threads and the workers. The only file that
// knows which queue it is.

#include <cstddef>
#include <memory>
#include <optional>

#include "runtime/exec/work.h"

namespace flowrun {

// Any number of producers and consumers; items of one producer leave in its order.
class ChunkQueue {
 public:
  ChunkQueue();
  ~ChunkQueue();
  ChunkQueue(const ChunkQueue&) = delete;
  ChunkQueue& operator=(const ChunkQueue&) = delete;

  void push(Work work);
  // Blocks until there is something.
  Work pop();
  // None if there is nothing now.
  std::optional<Work> try_pop();

 private:
  struct Queue;
  std::unique_ptr<Queue> queue_;
};

}  // namespace flowrun
