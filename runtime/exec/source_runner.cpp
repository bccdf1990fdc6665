#include "runtime/exec/source_runner.h"

namespace flowrun {

namespace {

// How long a read may wait before the source looks around, in microseconds.
constexpr int64_t kReadPatience = 100'000;

}  // namespace

void SourceRunner::start() {
  const auto filling = std::make_shared<Filling>();
  if (node_.source->let_fill([filling] { return filling->read_now(); })) filling_ = filling;
  thread_ = std::thread([this] { main(); });
}

// On the thread of whoever filled the source. The run's own threads may hold what submit needs.
bool SourceRunner::Filling::read_now() {
  const std::unique_lock lock(reading, std::try_to_lock);
  if (!lock || !runner) return false;
  SourceHost& host = runner->host_;
  if (BufferPool::current() == host.pool() || !host.may_read(runner->node_.source_index))
    return false;
  const PoolScope scope(host.pool());
  return runner->read_once(0).has_value();
}

Result<Chunk::Mark> SourceRunner::read_beside_fillers() {
  node_.source->await(Deadline{host_.monotonic() + kReadPatience});
  const std::lock_guard lock(filling_->reading);
  filling_->runner = this;
  return read_once(0);
}

void SourceRunner::main() {
  const PoolScope scope(host_.pool());
  Status how = ok_status();
  while (!leaving_) {
    how = open();
    if (!how || leaving_) break;
    how = read();
    if (how || how.error().code != ErrorCode::unavailable) break;
    lose_connection(how.error());
    if (!host_.pause(Pauses::kFirst)) leaving_ = true;
  }
  end(std::move(how));
  while (const auto offset = host_.await_committed(node_.source_index))
    node_.source->committed(*offset);
  node_.source->close();
}

void SourceRunner::end(Status how) {
  if (!how && (how.error().code == ErrorCode::cancelled || leaving_)) how = ok_status();
  if (!how) how = std::move(how.error()).within(node_.name);
  if (filling_) {
    const std::lock_guard lock(filling_->reading);
    filling_->runner = nullptr;
  }
  host_.source_ended(node_.source_index, std::move(how));
}

void SourceRunner::lose_connection(const Error& error) {
  host_.set_available(node_.source_index, false);
  host_.log(LogEvent::Level::warning, node_.name, error.message);
  node_.source->close();
}

Status SourceRunner::try_open(int64_t pause) {
  Status opened = node_.source->open(offset_);
  host_.set_available(node_.source_index, opened.has_value());
  if (opened || opened.error().code != ErrorCode::unavailable) return opened;
  host_.log(LogEvent::Level::warning, node_.name,
            next_try_text(opened.error(), pause, node_.source->hint()));
  return opened;
}

Status SourceRunner::open() {
  for (Pauses pauses;;) {
    const int64_t pause = pauses.next();
    Status opened = try_open(pause);
    if (opened || opened.error().code != ErrorCode::unavailable) return opened;
    if (!host_.pause(pause)) {
      leaving_ = true;
      return ok_status();
    }
  }
}

Result<Chunk::Mark> SourceRunner::read_once(int64_t patience) {
  auto chunk = node_.source->read(Deadline{host_.monotonic() + patience});
  if (!chunk) return std::move(chunk.error());
  const Chunk::Mark mark = chunk->mark;
  if (!chunk->offset.text.empty()) offset_ = chunk->offset;
  host_.submit(node_.source_index, std::move(*chunk));
  return mark;
}

Status SourceRunner::read() {
  while (host_.await_turn(node_.source_index)) {
    if (const auto offset = host_.take_committed(node_.source_index)) {
      node_.source->committed(*offset);
      continue;
    }
    FLOWRUN_TRY(const Chunk::Mark mark,
                filling_ ? read_beside_fillers() : read_once(kReadPatience));
    if (mark == Chunk::Mark::stream_ends) return ok_status();
  }
  leaving_ = true;
  return ok_status();
}

bool SourceRunner::step() {
  if (const auto offset = host_.take_committed(node_.source_index))
    node_.source->committed(*offset);
  if (ended_ || !host_.may_read(node_.source_index)) return false;
  if (!opened_ && !step_open()) return false;
  const auto mark = read_once(0);
  if (mark) {
    if (*mark != Chunk::Mark::stream_ends) return *mark != Chunk::Mark::idle;
    ended_ = true;
    end(ok_status());
    return true;
  }
  if (mark.error().code == ErrorCode::unavailable) {
    lose_connection(mark.error());
    opened_ = false;
    next_try_ = host_.monotonic() + Pauses::kFirst;
    return false;
  }
  ended_ = true;
  end(mark.error());
  return true;
}

// True when the source is open.
bool SourceRunner::step_open() {
  if (host_.monotonic() < next_try_) return false;
  const int64_t pause = pauses_.next();
  Status opened = try_open(pause);
  opened_ = opened.has_value();
  if (opened_) {
    pauses_.reset();
  } else if (opened.error().code == ErrorCode::unavailable) {
    next_try_ = host_.monotonic() + pause;
  } else {
    ended_ = true;
    end(std::move(opened));
  }
  return opened_;
}

void SourceRunner::leave() {
  if (!stepped_ || ended_) return;
  ended_ = true;
  end(ok_status());
}

void SourceRunner::finish() {
  if (thread_.joinable()) thread_.join();
  if (!stepped_ || closed_) return;
  leave();
  if (const auto offset = host_.take_committed(node_.source_index))
    node_.source->committed(*offset);
  node_.source->close();
  closed_ = true;
}

}  // namespace flowrun
