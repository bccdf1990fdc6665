#include "runtime/exec/chunk_queue.h"

#include <concurrentqueue/blockingconcurrentqueue.h>

namespace flowrun {

struct ChunkQueue::Queue {
  moodycamel::BlockingConcurrentQueue<Work> items;
};

ChunkQueue::ChunkQueue() : queue_(std::make_unique<Queue>()) {}
ChunkQueue::~ChunkQueue() = default;

void ChunkQueue::push(Work work) { queue_->items.enqueue(std::move(work)); }

Work ChunkQueue::pop() {
  Work work;
  queue_->items.wait_dequeue(work);
  return work;
}

}  // namespace flowrun
