#include "runtime/operator/event_stream.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "runtime/format/utf8.h"
#include "runtime/operator/source.h"

namespace flowrun {

namespace {

constexpr size_t kLeastSpace = 64 << 10;  // a read is offered at least this much
constexpr size_t kShared = 64 << 10;      // from here on data points into the block that was read
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::string_view kDefaultType = "message";

}  // namespace

std::span<char> EventStream::space() {
  if (!block_) {
    block_ = Buffer::allocate(kBlock);
  } else if (block_->capacity() - used_ < kLeastSpace) {
    const BufferPtr grown = Buffer::allocate(std::max(kBlock, 2 * used_ + kLeastSpace));
    std::memcpy(grown->mutable_data(), block_->data(), used_);
    block_ = grown;
  }
  return {bytes() + used_, block_->capacity() - used_};
}

EventStream::Events EventStream::take() {
  Events events;
  fresh_ = 0;
  if (used_ == 0 || !skip_byte_order_mark()) return events;
  Draft draft;
  if (used_ >= kShared) {
    draft.shared = draft.data.share(block_);
    draft.data.reserve(expected_rows_);
  }
  events.first_event = next_event_;
  bool going = true;
  while (going) {
    const std::optional<Piece> line = next_line();
    if (!line) break;
    if (line->size == 0 && !skipping_line_) {
      going = dispatch(draft, events);
    } else {
      read_line(*line);
    }
  }
  if (going) drop_long_line();
  events.num_events = draft.data.size();
  if (events.num_events > 0) {
    expected_rows_ = std::max<int64_t>(16, events.num_events);
    events.data = draft.data.finish();
    if (options_.types) events.types = draft.types.finish();
    if (options_.ids) events.ids = draft.ids.finish();
  }
  keep_rest(draft.shared && events.num_events > 0);
  return events;
}

bool EventStream::skip_byte_order_mark() {
  if (!at_start_) return true;
  const size_t size = std::min(used_, kByteOrderMark.size());
  const bool fits = text({0, size}) == kByteOrderMark.substr(0, size);
  if (fits && size < kByteOrderMark.size()) return false;
  at_start_ = false;
  if (fits) line_begin_ = size;
  return true;
}

size_t EventStream::find(char ending, size_t from) const {
  from = std::max(from, line_begin_);
  const void* found = std::memchr(bytes() + from, ending, used_ - from);
  return found ? static_cast<size_t>(static_cast<const char*>(found) - bytes()) : used_;
}

std::optional<EventStream::Piece> EventStream::next_line() {
  if (skip_line_feed_ && line_begin_ < used_) {
    if (bytes()[line_begin_] == '\n') ++line_begin_;
    skip_line_feed_ = false;
  }
  line_feed_ = find('\n', line_feed_);
  carriage_return_ = find('\r', carriage_return_);
  const size_t end = std::min(line_feed_, carriage_return_);
  if (end == used_) return std::nullopt;
  const Piece line{line_begin_, end - line_begin_};
  skip_line_feed_ = end == carriage_return_;
  line_begin_ = end + 1;
  return line;
}

void EventStream::read_line(Piece line) {
  if (skipping_line_) {
    skipping_line_ = false;
    return;
  }
  const std::string_view all = text(line);
  const size_t colon = all.find(':');
  if (colon == 0) return;
  if (colon == std::string_view::npos) return read_field(all, {line.begin + line.size, 0});
  const size_t value = colon + 1 < all.size() && all[colon + 1] == ' ' ? colon + 2 : colon + 1;
  read_field(all.substr(0, colon), {line.begin + value, line.size - value});
}

void EventStream::read_field(std::string_view name, Piece value) {
  const std::string_view given = text(value);
  if (name == "data") {
    add_data(value);
  } else if (name == "event") {
    type_ = given;
  } else if (name == "id") {
    if (given.find('\0') == std::string_view::npos) next_id_ = given;
  } else if (name == "retry") {
    int64_t milliseconds = 0;
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (given.empty() || !std::ranges::all_of(given, is_digit)) return;
    const auto read = std::from_chars(given.data(), given.data() + given.size(), milliseconds);
    if (read.ec == std::errc()) retry_ = milliseconds;
  }
}

void EventStream::add_data(Piece value) {
  if (too_long_) return;
  if (!has_data_) data_ = {value.begin, 0};
  has_data_ = true;
  if (data_.size + value.size > static_cast<size_t>(options_.max_record)) {
    return mark_too_long(text(value));
  }
  if (data_.size > 0) {
    std::memmove(bytes() + data_.begin + data_.size, bytes() + value.begin, value.size);
  }
  data_.size += value.size;
  bytes()[data_.begin + data_.size++] = '\n';
}

void EventStream::mark_too_long(std::string_view more) {
  too_long_ = has_data_ = true;
  head_ = text(data_).substr(0, Rejection::kKeptBytes);
  head_ += more.substr(0, Rejection::kKeptBytes - head_.size());
  data_ = {};
}

bool EventStream::dispatch(Draft& draft, Events& events) {
  last_id_ = next_id_;
  const bool rejected = too_long_;
  if (rejected) {
    events.too_long.push_back({next_event_, std::move(head_)});
  } else if (has_data_) {
    append_event(draft);
  }
  if (has_data_) ++next_event_;
  forget_event();
  return !rejected;
}

void EventStream::append_event(Draft& draft) {
  const std::string_view data = text({data_.begin, data_.size - 1});
  const auto repaired = [&](std::string_view from) -> std::string_view {
    if (is_valid_utf8(from)) return from;
    repaired_.clear();
    append_replacing_invalid_utf8(from, repaired_);
    return repaired_;
  };
  const std::string_view given = repaired(data);
  if (draft.shared && given.data() == data.data()) {
    draft.data.append_shared(data, *draft.shared);
  } else {
    draft.data.append(given);
  }
  if (options_.types) draft.types.append(type_.empty() ? kDefaultType : repaired(type_));
  if (options_.ids) draft.ids.append(repaired(last_id_));
}

void EventStream::forget_event() {
  data_ = {};
  has_data_ = too_long_ = false;
  head_.clear();
  type_.clear();
}

// A line that outgrows the bound before its end came is skipped; of a comment nothing is missed.
void EventStream::drop_long_line() {
  constexpr std::string_view kData = "data:";
  if (used_ - line_begin_ <= static_cast<size_t>(options_.max_record) + kData.size() + 1) return;
  const std::string_view line = text({line_begin_, used_ - line_begin_});
  if (!skipping_line_ && !too_long_ && line.starts_with(kData)) {
    const std::string_view value = line.substr(kData.size());
    mark_too_long(value.starts_with(' ') ? value.substr(1) : value);
  }
  skipping_line_ = true;
  line_begin_ = used_;
}

// The rest goes to a block of its own once columns share this one, else to its front.
void EventStream::keep_rest(bool shared) {
  const size_t begin = has_data_ && !too_long_ ? data_.begin : line_begin_;
  const size_t rest = used_ - begin;
  if (shared) {
    const BufferPtr fresh = Buffer::allocate(std::max(kBlock, rest + kLeastSpace));
    std::memcpy(fresh->mutable_data(), bytes() + begin, rest);
    block_->set_size(begin);  // what columns that share it keep alive
    block_ = fresh;
  } else if (begin > 0) {
    std::memmove(bytes(), bytes() + begin, rest);
  }
  used_ = rest;
  line_begin_ -= begin;
  line_feed_ -= std::min(line_feed_, begin);
  carriage_return_ -= std::min(carriage_return_, begin);
  data_.begin = has_data_ && !too_long_ ? 0 : data_.begin;
}

void EventStream::restart() {
  used_ = fresh_ = line_begin_ = line_feed_ = carriage_return_ = 0;
  at_start_ = true;
  skip_line_feed_ = skipping_line_ = false;
  next_id_ = last_id_;
  forget_event();
}

}  // namespace flowrun
