#pragma once
// EventLog: records as server-sent events with ids, and those of late for whoever comes back.
//
//   EventLog log;
//   log.append("{\"a\":1}\n", out);               // event: message, id: [...], data: {"a":1}
//   log.append_after(last_event_id, out);         // what followed that event

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace flowrun::simulate {

// Ids are written as Wikimedia's are, a JSON array that says how far each topic was read. Not
// thread-safe.
class EventLog {
 public:
  // Offsets of ids begin here; one that is greater than those of an earlier run lets clients of
  // that run go on with what is new.
  explicit EventLog(int64_t first_offset) : next_(first_offset) {}

  // Each line as an event, which is kept.
  void append(std::string_view lines, std::string& out);
  // The kept events that follow the one of this id: all if it is older than they are, none if it is
  // no id of ours.
  void append_after(std::string_view id, std::string& out) const;
  // Bytes of the newest event as it was written.
  [[nodiscard]] size_t newest_size() const { return kept_.empty() ? 0 : kept_.back().size(); }

  static constexpr size_t kKept = 20'000;  // events

 private:
  int64_t next_;
  std::deque<std::string> kept_;  // the last one has the offset next_ - 1
};

}  // namespace flowrun::simulate
