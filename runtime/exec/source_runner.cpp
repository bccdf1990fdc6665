#include "runtime/exec/source_runner.h"

#include <fmt/format.h>

#include <algorithm>

namespace flowrun {

namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kFirstPause = kSecond / 4;
constexpr int64_t kLongestPause = 30 * kSecond;
constexpr int64_t kReadPatience =
    kSecond / 10;  // how long a read may wait before the source looks around

std::string seconds_text(int64_t pause) {
  return pause % kSecond == 0 ? fmt::format("{} s", pause / kSecond)
                              : fmt::format("{:.2g} s", static_cast<double>(pause) / kSecond);
}

}  // namespace

void SourceRunner::main() {
  const PoolScope scope(host_.pool());
  Status how = ok_status();
  while (!leaving_) {
    how = open();
    if (!how || leaving_) break;
    how = read();
    if (how || how.error().code != ErrorCode::unavailable) break;
    host_.set_available(node_.source_index, false);
    host_.log(LogEvent::Level::warning, node_.name, how.error().message);
    node_.source->close();
    if (!host_.pause(kFirstPause)) leaving_ = true;
  }
  if (!how && (how.error().code == ErrorCode::cancelled || leaving_)) how = ok_status();
  if (!how) how = std::move(how.error()).within(node_.name);
  host_.source_ended(node_.source_index, std::move(how));
  while (const auto offset = host_.await_committed(node_.source_index))
    node_.source->committed(*offset);
  node_.source->close();
}

Status SourceRunner::open() {
  for (int64_t pause = kFirstPause;; pause = std::min(pause * 2, kLongestPause)) {
    Status opened = node_.source->open(offset_);
    if (opened || opened.error().code != ErrorCode::unavailable) {
      host_.set_available(node_.source_index, opened.has_value());
      return opened;
    }
    host_.set_available(node_.source_index, false);
    const std::string hint = node_.source->hint();
    host_.log(LogEvent::Level::warning, node_.name,
              fmt::format("{}; next try in {}{}", opened.error().message, seconds_text(pause),
                          hint.empty() ? "" : " (" + hint + ")"));
    if (!host_.pause(pause)) {
      leaving_ = true;
      return ok_status();
    }
  }
}

Status SourceRunner::read() {
  while (host_.await_turn(node_.source_index)) {
    if (const auto offset = host_.take_committed(node_.source_index)) {
      node_.source->committed(*offset);
      continue;
    }
    auto chunk = node_.source->read(Deadline{host_.monotonic() + kReadPatience});
    if (!chunk) return std::move(chunk.error());
    const Chunk::Mark mark = chunk->mark;
    if (!chunk->offset.text.empty()) offset_ = chunk->offset;
    host_.submit(node_.source_index, std::move(*chunk));
    if (mark == Chunk::Mark::stream_ends) return ok_status();
  }
  leaving_ = true;
  return ok_status();
}

}  // namespace flowrun
