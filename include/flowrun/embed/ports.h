// Push and Pull: rows of the program's own into a running pipeline, and out of it.
#ifndef FLOWRUN_EMBED_PORTS_H
#define FLOWRUN_EMBED_PORTS_H

#include <functional>
#include <future>
#include <memory>

#include "rows.h"

namespace flowrun {
inline namespace api_v1 {

// What became of a batch that was pushed. Copies are of the same batch.
class Ticket {
 public:
  Ticket(std::shared_ptr<flowrun_push> push, int64_t number)
      : push_(std::move(push)), number_(number) {}
  int64_t number() const { return number_; }
  bool is_committed() const { return flowrun_push_committed(push_.get()) >= number_; }
  // Until it is committed in every sink; or why it never will be.
  Status wait(Wait patience = kForever) const {
    detail::Failure failure;
    return failure.status(flowrun_push_wait(push_.get(), number_, patience.count(), failure.get()));
  }
  // The same as a future.
  std::future<Status> committed() const {
    auto promise = std::make_shared<std::promise<Status>>();
    std::future<Status> future = promise->get_future();
    on_committed([promise](const Status& status) { promise->set_value(status); });
    return future;
  }
  // The same as a call: at once if it is known, else from an engine's thread, where it must not
  // block.
  void on_committed(std::function<void(const Status&)> call) const {
    flowrun_push_on_settled(
        push_.get(), number_,
        [](void* context, int64_t, const flowrun_failure* why) {
          const std::unique_ptr<std::function<void(const Status&)>> owned(
              static_cast<std::function<void(const Status&)>*>(context));
          (*owned)(why ? Status::of(why->code, *why) : Status());
        },
        new std::function<void(const Status&)>(std::move(call)));
  }

 private:
  std::shared_ptr<flowrun_push> push_;
  int64_t number_;
};

// A `source: push`. Copies are the same one.
class Push {
 public:
  explicit Push(flowrun_push* push) : push_(push, flowrun_push_release) {
    ArrowSchema raw{};
    flowrun_push_schema(push, &raw);
    schema_ = Schema(&raw);
  }
  const Schema& schema() const { return schema_; }
  // Waits for room. Without room in time the batch stays as it is.
  Result<Ticket> push(Batch& batch, Wait patience = kForever) const {
    return push(batch.schema().get(), batch.get(), patience);
  }
  Result<Ticket> push(Batch&& batch, Wait patience = kForever) const {
    return push(batch, patience);
  }
  Result<Ticket> try_push(Batch& batch) const { return push(batch, kNow); }
  Result<Ticket> push_until(std::chrono::steady_clock::time_point deadline, Batch& batch) const {
    return push(batch, until(deadline));
  }
  // Of any other owner; a null schema: exactly schema().
  Result<Ticket> push(const ArrowSchema* schema, ArrowArray* batch, Wait patience) const {
    detail::Failure failure;
    int64_t ticket = 0;
    const flowrun_code code =
        flowrun_push_batch(push_.get(), schema, batch, patience.count(), &ticket, failure.get());
    if (code != FLOWRUN_OK) return failure.status(code);
    return Ticket(push_, ticket);
  }
  // Nothing more comes: the source ends.
  void finish() const { flowrun_push_finish(push_.get()); }

  static Wait until(std::chrono::steady_clock::time_point deadline) {
    const auto left = std::chrono::duration_cast<Wait>(deadline - std::chrono::steady_clock::now());
    return left > kNow ? left : kNow;
  }

 private:
  std::shared_ptr<flowrun_push> push_;
  Schema schema_;
};

// A `source: push` that takes structs or tuples.
template <class Row>
class RowPush {
 public:
  static Result<RowPush> of(Push push) {
    const auto places = detail::places_of<Row>(push.schema());
    if (!places) return places.status();
    constexpr size_t kMembers = std::tuple_size_v<decltype(detail::columns_of<Row>())>;
    if (push.schema().num_columns() != static_cast<int64_t>(kMembers))
      return Status(Code::invalid, "the push source's `schema` has " +
                                       std::to_string(push.schema().num_columns()) +
                                       " columns, the row has " + std::to_string(kMembers));
    auto copy = places;
    for (size_t i = 0; i < kMembers; ++i) {
      if ((*copy)[i] != static_cast<int64_t>(i))
        return Status(Code::invalid,
                      "the row's members are in another order than the push source's `schema`");
    }
    return RowPush(std::move(push));
  }
  Result<Ticket> push(const Row& row, Wait patience = kForever) const {
    return push(std::span<const Row>(&row, 1), patience);
  }
  Result<Ticket> push(std::span<const Row> rows, Wait patience = kForever) const {
    ArrowArray array = detail::build_rows(rows);
    auto ticket = push_.push(nullptr, &array, patience);
    if (array.release) array.release(&array);
    return ticket;
  }
  Result<Ticket> try_push(const Row& row) const { return push(row, kNow); }
  Result<Ticket> push_until(std::chrono::steady_clock::time_point deadline, const Row& row) const {
    return push(row, Push::until(deadline));
  }
  void finish() const { push_.finish(); }

 private:
  explicit RowPush(Push push) : push_(std::move(push)) {}
  Push push_;
};

struct Pulled {
  Batch batch;
  int64_t epoch = 0;
  bool last_of_epoch = false;
};

// A `sink: pull`. Copies are the same one.
class Pull {
 public:
  explicit Pull(flowrun_pull* pull) : pull_(pull, flowrun_pull_release) {
    ArrowSchema raw{};
    flowrun_pull_schema(pull, &raw);
    schema_ = Schema(&raw);
  }
  const Schema& schema() const { return schema_; }
  // The next batch of a committed epoch. Code::ended: there is nothing more; Code::timeout: not
  // yet.
  Result<Pulled> pull(Wait patience = kForever) const {
    detail::Failure failure;
    ArrowArray array{};
    flowrun_pull_info info{};
    info.size = sizeof(info);
    const flowrun_code code =
        flowrun_pull_batch(pull_.get(), patience.count(), &array, &info, failure.get());
    if (code != FLOWRUN_OK) return failure.status(code);
    return Pulled{Batch(schema_, &array), info.epoch, info.last_of_epoch != 0};
  }

 private:
  std::shared_ptr<flowrun_pull> pull_;
  Schema schema_;
};

// A `sink: pull` that gives structs or tuples.
template <class Row>
class RowPull {
 public:
  static Result<RowPull> of(Pull pull) {
    const auto places = detail::places_of<Row>(pull.schema());
    if (!places) return places.status();
    return RowPull(std::move(pull));
  }
  Result<std::vector<Row>> pull(Wait patience = kForever) const {
    auto pulled = pull_.pull(patience);
    if (!pulled) return pulled.status();
    return rows_of<Row>(pulled->batch);
  }

 private:
  explicit RowPull(Pull pull) : pull_(std::move(pull)) {}
  Pull pull_;
};

}  // namespace api_v1
}  // namespace flowrun

#endif
