#pragma once
// EventStream: bytes of a text/event-stream in, columns of whole events out, as the HTML standard
// reads them (section 9.2, Server-sent events), without copying the data.
//
//   EventStream events({.max_record = 16 << 20});
//   std::span<char> space = events.space();
//   events.filled(recv(fd, space.data(), space.size(), 0));
//   EventStream::Events taken = events.take();     // what is complete by now, perhaps nothing
//
// The data of an event points into the very block that was read (small reads are copied to a block
// of their size). Several lines of data are moved together inside the block: what stands between
// them, a line ending and `data:`, is longer than the line feed that joins them. An event that is
// not complete is carried to the next block, and forgotten by restart().
//
// Bytes that are not UTF-8 become U+FFFD. An event whose data, or a line, is longer than the bound
// is rejected as soon as that is known and skipped to its end: it is never buffered whole. Its id
// counts as seen.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/columnar/builder.h"

namespace flowrun {

struct EventStreamOptions {
  int64_t max_record = 16 << 20;
  bool types = false;  // whether Events::types and ids are asked for
  bool ids = false;
};

// Not thread-safe.
class EventStream {
 public:
  static constexpr size_t kBlock = 256 << 10;  // what is read at most before events are handed on

  explicit EventStream(EventStreamOptions options) : options_(options) {}

  // Where the next bytes go; never empty. Valid until the next call of any other function.
  [[nodiscard]] std::span<char> space();
  // REQUIRES: bytes <= space().size().
  void filled(size_t bytes) {
    used_ += bytes;
    fresh_ += bytes;
  }
  // True when a block's worth came since events were taken.
  [[nodiscard]] bool full() const { return fresh_ >= kBlock; }

  struct TooLong {
    int64_t event;
    std::string head;  // the first bytes of its data, Rejection::kKeptBytes at most
  };
  struct Events {
    int64_t num_events = 0;
    ColumnPtr data;           // string; null when there is no event
    ColumnPtr types;          // string: `message` unless the event says otherwise
    ColumnPtr ids;            // string: the last id the server sent, perhaps empty
    int64_t first_event = 0;  // number of the first one, from 1; rejected ones count too
    std::vector<TooLong> too_long;
  };
  // The events completed so far. May stop before one that is too long: call it again until nothing
  // comes.
  Events take();

  // A new connection begins: forgets what was not complete. The last id stays.
  void restart();
  // The id of the last event taken, the value of Last-Event-ID; settable before the first byte.
  [[nodiscard]] const std::string& last_event_id() const { return last_id_; }
  void set_last_event_id(std::string id) { next_id_ = last_id_ = std::move(id); }
  // The reconnection time in milliseconds, if the server set one.
  [[nodiscard]] std::optional<int64_t> retry() const { return retry_; }
  [[nodiscard]] int64_t memory_bytes() const {
    return block_ ? static_cast<int64_t>(block_->capacity()) : 0;
  }

 private:
  // A piece of the block.
  struct Piece {
    size_t begin = 0;
    size_t size = 0;
  };
  // What one take() builds.
  struct Draft {
    StringBuilder data{Type::string()};
    StringBuilder types{Type::string()};
    StringBuilder ids{Type::string()};
    std::optional<uint32_t> shared;  // index of the block in `data`; none: text is copied
  };

  [[nodiscard]] char* bytes() const { return reinterpret_cast<char*>(block_->mutable_data()); }
  [[nodiscard]] std::string_view text(Piece piece) const {
    return {bytes() + piece.begin, piece.size};
  }
  bool skip_byte_order_mark();
  [[nodiscard]] size_t find(char ending, size_t from) const;
  // The next line, without its ending; none while that has not come.
  std::optional<Piece> next_line();
  void read_line(Piece line);
  void read_field(std::string_view name, Piece value);
  void add_data(Piece value);
  void mark_too_long(std::string_view more);
  // An empty line came. False after an event that is too long: numbers of rows must stay
  // consecutive.
  bool dispatch(Draft& draft, Events& events);
  void append_event(Draft& draft);
  void forget_event();
  void drop_long_line();
  void keep_rest(bool shared);

  EventStreamOptions options_;
  BufferPtr block_;
  size_t used_ = 0;        // bytes of block_ that are filled
  size_t fresh_ = 0;       // of them, those that came since the last take
  size_t line_begin_ = 0;  // of the line that is not complete yet
  // The first line feed and carriage return not before line_begin_, or used_ while none is known;
  // what was searched is not searched again.
  size_t line_feed_ = 0;
  size_t carriage_return_ = 0;
  bool at_start_ = true;         // a byte order mark may come
  bool skip_line_feed_ = false;  // the last line ended with a carriage return
  bool skipping_line_ = false;   // the line was longer than the bound

  Piece data_;  // of the current event, as joined so far, with a line feed behind each line
  bool has_data_ = false;
  bool too_long_ = false;
  std::string head_;  // of one that is too long
  std::string type_;
  std::string next_id_;
  std::string last_id_;
  std::string repaired_;  // scratch: text whose malformed UTF-8 was replaced
  std::optional<int64_t> retry_;
  int64_t next_event_ = 1;
  int64_t expected_rows_ = 16;
};

}  // namespace flowrun
