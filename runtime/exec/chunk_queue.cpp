#include "runtime/exec/chunk_queue.h"

// ThreadSanitizer does not know the fences that the lock-free queue stands on; under it a queue
// with a mutex takes its place, so that what it reports is about our own code.
#if defined(__SANITIZE_THREAD__)
#define FLOWRUN_PLAIN_QUEUE 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define FLOWRUN_PLAIN_QUEUE 1
#endif
#endif

#ifdef FLOWRUN_PLAIN_QUEUE
#include <condition_variable>
#include <deque>
#include <mutex>
#else
#include <concurrentqueue/blockingconcurrentqueue.h>
#endif

namespace flowrun {

#ifdef FLOWRUN_PLAIN_QUEUE

struct ChunkQueue::Queue {
  void enqueue(Work work) {
    {
      const std::lock_guard lock(mutex);
      items.push_back(std::move(work));
    }
    filled.notify_one();
  }
  void wait_dequeue(Work& work) {
    std::unique_lock lock(mutex);
    filled.wait(lock, [&] { return !items.empty(); });
    work = std::move(items.front());
    items.pop_front();
  }
  bool try_dequeue(Work& work) {
    const std::lock_guard lock(mutex);
    if (items.empty()) return false;
    work = std::move(items.front());
    items.pop_front();
    return true;
  }

  std::mutex mutex;
  std::condition_variable filled;
  std::deque<Work> items;
};

#else

struct ChunkQueue::Queue : moodycamel::BlockingConcurrentQueue<Work> {};

#endif

ChunkQueue::ChunkQueue() : queue_(std::make_unique<Queue>()) {}
ChunkQueue::~ChunkQueue() = default;

void ChunkQueue::push(Work work) { queue_->enqueue(std::move(work)); }

Work ChunkQueue::pop() {
  Work work;
  queue_->wait_dequeue(work);
  return work;
}

std::optional<Work> ChunkQueue::try_pop() {
  Work work;
  if (!queue_->try_dequeue(work)) return std::nullopt;
  return work;
}

}  // namespace flowrun
