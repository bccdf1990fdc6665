#include "runtime/columnar/buffer.h"

#include <catch2/catch.hpp>
#include <cstring>
#include <thread>

#include "runtime/columnar/builder.h"

using namespace flowrun;

TEST_CASE("a buffer goes back to its pool and is handed out again") {
  const auto pool = BufferPool::create();
  const PoolScope scope(pool);
  const uint8_t* first = nullptr;
  {
    const BufferPtr buffer = Buffer::allocate(1000);
    first = buffer->data();
    CHECK(reinterpret_cast<uintptr_t>(first) % 64 == 0);
    CHECK(buffer->size() == 1000);
    CHECK(buffer->capacity() == 1024);
    CHECK(pool->bytes_in_use() == 1024);
    const BufferPtr shared = buffer;
    CHECK(!buffer->is_unique());
  }
  CHECK(pool->bytes_in_use() == 0);
  CHECK(pool->bytes_cached() == 1024);
  CHECK(Buffer::allocate(513)->data() == first);
  CHECK(Buffer::allocate(1025)->data() != first);
}

TEST_CASE("the bytes behind a buffer may be read") {
  const BufferPtr buffer = Buffer::allocate(64);
  uint8_t sum = 0;
  for (size_t i = 0; i < kBufferPadding; ++i)
    sum = static_cast<uint8_t>(sum | buffer->data()[64 + i]);
  CHECK(sum == 0);
}

TEST_CASE("no more than the limit waits in a pool") {
  const auto pool = BufferPool::create();
  const PoolScope scope(pool);
  pool->set_cache_limit(2048);
  {
    const BufferPtr a = Buffer::allocate(1024);
    const BufferPtr b = Buffer::allocate(1024);
    const BufferPtr c = Buffer::allocate(1024);
    CHECK(pool->bytes_in_use() == 3072);
  }
  CHECK(pool->bytes_in_use() == 0);
  CHECK(pool->bytes_cached() == 2048);
}

TEST_CASE("buffers keep their pool alive, and scopes nest") {
  BufferPtr survivor;
  {
    const PoolScope outer(BufferPool::create());
    const auto outer_pool = BufferPool::current();
    {
      const PoolScope inner(BufferPool::create());
      CHECK(BufferPool::current() != outer_pool);
      survivor = Buffer::allocate(100);
    }
    CHECK(BufferPool::current() == outer_pool);
  }
  std::memset(survivor->mutable_data(), 1, 100);
  survivor = nullptr;
}

TEST_CASE("foreign memory is released once, by whoever lets go last") {
  int releases = 0;
  static constexpr char kText[] = "a text of another owner's memory";
  {
    BufferPtr buffer = Buffer::foreign(kText, sizeof kText, [&] { ++releases; });
    StringBuilder builder(Type::string());
    const uint32_t number = builder.share(buffer);
    CHECK(builder.share(buffer) == number);
    builder.append_shared({kText + 2, 20}, number);
    builder.append_shared({kText, 4}, number);
    buffer = nullptr;
    const ColumnPtr column = builder.finish();
    CHECK(column->string(0) == std::string_view(kText + 2, 20));
    CHECK(column->string(1) == "a te");
    CHECK(releases == 0);
  }
  CHECK(releases == 1);
}

TEST_CASE("threads may share a pool") {
  const auto pool = BufferPool::create();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&pool, t] {
      const PoolScope scope(pool);
      std::vector<BufferPtr> held(16);
      for (size_t i = 0; i < 5000; ++i) {
        BufferPtr& buffer = held[i % held.size()];
        buffer = Buffer::allocate(64 << (i % 7));
        std::memset(buffer->mutable_data(), t, buffer->size());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(pool->bytes_in_use() == 0);
}

TEST_CASE("a steady state allocates nothing") {
  const auto pool = BufferPool::create();
  const PoolScope scope(pool);
  FixedBuilder<int64_t> builder(Type::bigint());
  int64_t cached = 0;
  for (int round = 0; round < 3; ++round) {
    for (int64_t i = 0; i < 10'000; ++i) builder.append(i);
    builder.finish();
    if (round > 0) CHECK(pool->bytes_cached() == cached);
    cached = pool->bytes_cached();
  }
}
