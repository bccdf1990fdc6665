#pragma once
// Buffer and BufferPool: the memory that columns stand in.
//
// Buffers are reference-counted and, once shared, never written. They come from a pool and return
// to it when the last reference goes, so a pipeline in a steady state asks the allocator for
// nothing. Every buffer has kBufferPadding readable bytes behind its size (for SIMD readers such as
// simdjson).

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace flowrun {

inline constexpr size_t kBufferPadding = 64;

class BufferPool;
class BufferPtr;

// Thread-safe reference count; the bytes may be written only while the writer holds the sole
// reference.
class Buffer {
 public:
  // From the current pool of this thread. Contents are undefined. `data` is 64-byte aligned.
  static BufferPtr allocate(size_t size);
  // Memory owned by somebody else; `release` is called once, from whichever thread lets go last.
  // The padding promise does not hold for these.
  static BufferPtr foreign(const void* data, size_t size, std::function<void()> release);

  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  [[nodiscard]] const uint8_t* data() const { return data_; }
  [[nodiscard]] uint8_t* mutable_data() { return data_; }
  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] size_t capacity() const { return capacity_; }
  // REQUIRES: size <= capacity.
  void set_size(size_t size) { size_ = size; }
  [[nodiscard]] bool is_foreign() const { return release_ != nullptr; }
  [[nodiscard]] bool is_unique() const { return references_.load(std::memory_order_acquire) == 1; }

 private:
  friend class BufferPtr;
  friend class BufferPool;
  Buffer() = default;
  ~Buffer() = default;

  std::atomic<uint32_t> references_{0};
  uint8_t size_class_ = 0;
  uint8_t* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
  std::shared_ptr<BufferPool> pool_;                // null for foreign buffers
  std::unique_ptr<std::function<void()>> release_;  // foreign buffers only
};

// An intrusive shared pointer to a Buffer.
class BufferPtr {
 public:
  BufferPtr() = default;
  BufferPtr(std::nullptr_t) {}  // NOLINT: as other pointers
  explicit BufferPtr(Buffer* buffer) : buffer_(buffer) { retain(); }
  BufferPtr(const BufferPtr& other) : buffer_(other.buffer_) { retain(); }
  BufferPtr(BufferPtr&& other) noexcept : buffer_(std::exchange(other.buffer_, nullptr)) {}
  BufferPtr& operator=(BufferPtr other) noexcept {
    std::swap(buffer_, other.buffer_);
    return *this;
  }
  ~BufferPtr() { release(); }

  Buffer* operator->() const { return buffer_; }
  Buffer& operator*() const { return *buffer_; }
  [[nodiscard]] Buffer* get() const { return buffer_; }
  explicit operator bool() const { return buffer_ != nullptr; }
  friend bool operator==(const BufferPtr& a, const BufferPtr& b) { return a.buffer_ == b.buffer_; }

 private:
  void retain() {
    if (buffer_) buffer_->references_.fetch_add(1, std::memory_order_relaxed);
  }
  void release();

  Buffer* buffer_ = nullptr;
};

// Keeps returned buffers in free lists by power-of-two size. Thread-safe. Buffers keep their pool
// alive.
class BufferPool : public std::enable_shared_from_this<BufferPool> {
 public:
  static std::shared_ptr<BufferPool> create();
  // The pool that Buffer::allocate uses on this thread: the innermost PoolScope's, else one for the
  // process.
  static const std::shared_ptr<BufferPool>& current();
  ~BufferPool();

  [[nodiscard]] int64_t bytes_in_use() const { return in_use_.load(std::memory_order_relaxed); }
  [[nodiscard]] int64_t bytes_cached() const { return cached_.load(std::memory_order_relaxed); }
  // At most so many bytes wait in the free lists; more go back to the allocator (default 64 MiB).
  void set_cache_limit(int64_t bytes) { cache_limit_.store(bytes, std::memory_order_relaxed); }

 private:
  friend class Buffer;
  friend class BufferPtr;
  friend class PoolScope;
  static constexpr size_t kClasses = 40;
  BufferPool() = default;
  BufferPtr take(size_t size);
  void give_back(Buffer* buffer);

  struct FreeList {
    std::mutex mutex;
    std::vector<Buffer*> buffers;
  };
  std::array<FreeList, kClasses> free_;
  std::atomic<int64_t> in_use_{0};
  std::atomic<int64_t> cached_{0};
  std::atomic<int64_t> cache_limit_{64 << 20};
};

// Makes a pool the current one of this thread for the scope's life.
class PoolScope {
 public:
  explicit PoolScope(std::shared_ptr<BufferPool> pool);
  ~PoolScope();
  PoolScope(const PoolScope&) = delete;
  PoolScope& operator=(const PoolScope&) = delete;

 private:
  std::shared_ptr<BufferPool> previous_;
};

}  // namespace flowrun
