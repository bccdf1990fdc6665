#include "runtime/operator/line_stream.h"

#include <algorithm>
#include <cstring>

#include "runtime/columnar/builder.h"
#include "runtime/operator/source.h"

namespace flowrun {

namespace {

constexpr size_t kLeastSpace = 64 << 10;  // a read is offered at least this much
constexpr size_t kShared = 64 << 10;      // from here on lines point into the block that was read

BufferPtr copy_of(const char* bytes, size_t size, size_t capacity) {
  BufferPtr copy = Buffer::allocate(capacity);
  std::memcpy(copy->mutable_data(), bytes, size);
  return copy;
}

}  // namespace

std::span<char> LineStream::space() {
  if (!block_) {
    block_ = Buffer::allocate(kBlock);
  } else if (block_->capacity() - used_ < kLeastSpace) {
    block_ = copy_of(data(), used_, std::max(kBlock, 2 * used_ + kLeastSpace));
  }
  return {reinterpret_cast<char*>(block_->mutable_data()) + used_, block_->capacity() - used_};
}

LineStream::Lines LineStream::take() {
  Lines lines;
  lines.first_line = next_line_;
  fresh_ = 0;
  if (used_ == 0 || !skip_rejected()) return lines;
  const auto* last = static_cast<const char*>(memrchr(data() + scanned_, '\n', used_ - scanned_));
  if (last && !split(static_cast<size_t>(last - data()) + 1, lines)) return lines;
  scanned_ = used_;
  if (used_ > max_record_) {
    reject({data(), used_}, lines);
    skipping_ = true;
    used_ = scanned_ = 0;
  }
  return lines;
}

bool LineStream::skip_rejected() {
  if (!skipping_) return true;
  const auto* end = static_cast<const char*>(std::memchr(data(), '\n', used_));
  if (!end) {
    used_ = scanned_ = 0;
    return false;
  }
  skipping_ = false;
  keep_rest(static_cast<size_t>(end - data()) + 1);
  return used_ > 0;
}

bool LineStream::split(size_t end, Lines& lines) {
  const bool shared = end >= kShared;
  const BufferPtr text = shared ? block_ : copy_of(data(), end, end);
  StringBuilder builder(Type::string());
  builder.reserve(expected_rows_);
  const uint32_t index = builder.share(text);
  const char* const begin = reinterpret_cast<const char*>(text->data());
  const char* at = begin;
  bool whole = true;
  for (const char* const stop = at + end; at < stop;) {
    const auto* ending =
        static_cast<const char*>(std::memchr(at, '\n', static_cast<size_t>(stop - at)));
    size_t size = static_cast<size_t>(ending - at);
    if (size > 0 && at[size - 1] == '\r') --size;
    if (size <= max_record_) {
      builder.append_shared({at, size}, index);
      ++next_line_;
    } else if (builder.size() > 0) {
      whole =
          false;  // rows of one column have consecutive numbers: the rest waits for the next take
      break;
    } else {
      reject({at, size}, lines);
      lines.first_line = next_line_;
    }
    at = ending + 1;
  }
  expected_rows_ = std::max<int64_t>(16, builder.size());
  if (builder.size() > 0) lines.values = builder.finish();
  keep_rest(static_cast<size_t>(at - begin));
  return whole;
}

void LineStream::keep_rest(size_t begin) {
  const size_t rest = used_ - begin;
  BufferPtr kept = rest > 0 ? copy_of(data() + begin, rest, rest) : nullptr;
  block_->set_size(begin);  // what columns that share it keep alive
  block_ = std::move(kept);
  used_ = rest;
  scanned_ = 0;
}

void LineStream::reject(std::string_view text, Lines& lines) {
  lines.too_long.push_back({next_line_++, std::string(text.substr(0, Rejection::kKeptBytes))});
}

LineStream::Lines LineStream::take_rest() {
  Lines lines = take();
  if (used_ == 0 || skipping_) return lines;
  FLOWRUN_DCHECK(!lines.values, "take() was called before");
  StringBuilder builder(Type::string());
  builder.append({data(), used_});
  lines.values = builder.finish();
  lines.first_line = next_line_++;
  used_ = scanned_ = 0;
  return lines;
}

std::string LineStream::drop_rest() {
  std::string rest;
  if (used_ > 0 && !skipping_) rest.assign(data(), std::min(used_, Rejection::kKeptBytes));
  used_ = scanned_ = 0;
  return rest;
}

}  // namespace flowrun
