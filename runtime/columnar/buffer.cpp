#include "runtime/columnar/buffer.h"

#include <bit>
#include <cstdlib>
#include <cstring>
#include <new>

#include "runtime/base/check.h"

namespace flowrun {

namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kSmallestClass = 6;  // 64 bytes

thread_local std::shared_ptr<BufferPool> scoped_pool;

const std::shared_ptr<BufferPool>& process_pool() {
  static const std::shared_ptr<BufferPool> pool = BufferPool::create();
  return pool;
}

size_t class_of(size_t size) {
  const auto bits = static_cast<size_t>(std::bit_width(size > 0 ? size - 1 : 0));
  return bits < kSmallestClass ? kSmallestClass : bits;
}

uint8_t* allocate_bytes(size_t capacity) {
  void* bytes = std::aligned_alloc(kAlignment, capacity + kBufferPadding);
  if (!bytes) throw std::bad_alloc();
  std::memset(static_cast<uint8_t*>(bytes) + capacity, 0, kBufferPadding);
  return static_cast<uint8_t*>(bytes);
}

}  // namespace

std::shared_ptr<BufferPool> BufferPool::create() {
  return std::shared_ptr<BufferPool>(new BufferPool());
}

const std::shared_ptr<BufferPool>& BufferPool::current() {
  return scoped_pool ? scoped_pool : process_pool();
}

PoolScope::PoolScope(std::shared_ptr<BufferPool> pool) : previous_(std::move(scoped_pool)) {
  scoped_pool = std::move(pool);
}

PoolScope::~PoolScope() { scoped_pool = std::move(previous_); }

BufferPtr Buffer::allocate(size_t size) { return BufferPool::current()->take(size); }

BufferPtr Buffer::foreign(const void* data, size_t size, std::function<void()> release) {
  auto* buffer = new Buffer();
  // Shared buffers are never written, so the cast away from const is never used to write.
  buffer->data_ = const_cast<uint8_t*>(static_cast<const uint8_t*>(data));
  buffer->size_ = size;
  buffer->capacity_ = size;
  buffer->release_ = std::make_unique<std::function<void()>>(std::move(release));
  return BufferPtr(buffer);
}

BufferPtr BufferPool::take(size_t size) {
  const size_t size_class = class_of(size);
  FLOWRUN_CHECK(size_class < kClasses, "a buffer is smaller than 2^40 bytes");
  Buffer* buffer = nullptr;
  {
    FreeList& list = free_[size_class];
    const std::lock_guard lock(list.mutex);
    if (!list.buffers.empty()) {
      buffer = list.buffers.back();
      list.buffers.pop_back();
    }
  }
  if (buffer) {
    cached_.fetch_sub(static_cast<int64_t>(buffer->capacity_), std::memory_order_relaxed);
  } else {
    buffer = new Buffer();
    buffer->capacity_ = size_t{1} << size_class;
    buffer->size_class_ = static_cast<uint8_t>(size_class);
    buffer->data_ = allocate_bytes(buffer->capacity_);
  }
  buffer->pool_ = shared_from_this();
  buffer->size_ = size;
  in_use_.fetch_add(static_cast<int64_t>(buffer->capacity_), std::memory_order_relaxed);
  return BufferPtr(buffer);
}

void BufferPool::give_back(Buffer* buffer) {
  const auto capacity = static_cast<int64_t>(buffer->capacity_);
  in_use_.fetch_sub(capacity, std::memory_order_relaxed);
  if (cached_.fetch_add(capacity, std::memory_order_relaxed) + capacity <=
      cache_limit_.load(std::memory_order_relaxed)) {
    FreeList& list = free_[buffer->size_class_];
    const std::lock_guard lock(list.mutex);
    list.buffers.push_back(buffer);
    return;
  }
  cached_.fetch_sub(capacity, std::memory_order_relaxed);
  std::free(buffer->data_);
  delete buffer;
}

BufferPool::~BufferPool() {
  for (FreeList& list : free_) {
    for (Buffer* buffer : list.buffers) {
      std::free(buffer->data_);
      delete buffer;
    }
  }
}

void BufferPtr::release() {
  if (!buffer_ || buffer_->references_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  if (buffer_->release_) {
    (*buffer_->release_)();
    delete buffer_;
  } else {
    // Held here, so that the pool outlives the call even if this was its last buffer.
    const std::shared_ptr<BufferPool> pool = std::move(buffer_->pool_);
    pool->give_back(buffer_);
  }
}

}  // namespace flowrun
