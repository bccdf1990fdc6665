// The event-stream format, by the public cases and by streams that are hard on a reader.
#include "runtime/operator/event_stream.h"

#include <rapidcheck.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "runtime/operator/source.h"
#include "tests/support/json_rows.h"

using namespace flowrun;

namespace {

struct Event {
  std::string type, data, id;
  friend bool operator==(const Event&, const Event&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Event& event) {
    return out << "(" << event.type << ", " << event.data << ", " << event.id << ")";
  }
};

struct Case {
  std::string name, body;
  std::vector<Event> expected;
};

std::string decoded_base64(std::string_view text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  uint32_t bits = 0;
  int have = 0;
  for (const char c : text.substr(0, text.find('='))) {
    bits = bits << 6 | static_cast<uint32_t>(kDigits.find(c));
    have += 6;
    if (have < 8) continue;
    have -= 8;
    out += static_cast<char>(bits >> have & 0xff);
  }
  return out;
}

std::vector<Case> public_cases() {
  const RecordBatch rows = rows_from_json(
      "name string, body_b64 string, "
      "expected array<struct<type string, data string, lastEventId string>>",
      read_whole_file("data/sse-cases.jsonl"));
  std::vector<Case> cases;
  for (int64_t i = 0; i < rows.num_rows(); ++i) {
    Case one{std::string(rows.column(0)->string(i)), decoded_base64(rows.column(1)->string(i)), {}};
    const Column& list = *rows.column(2);
    const Column& event = *list.child(0);
    for (int32_t at = list.list_begin(i); at < list.list_end(i); ++at) {
      one.expected.push_back({std::string(event.child(0)->string(at)),
                              std::string(event.child(1)->string(at)),
                              std::string(event.child(2)->string(at))});
    }
    cases.push_back(std::move(one));
  }
  return cases;
}

struct Reading {
  explicit Reading(int64_t max_record = 1 << 20)
      : stream({.max_record = max_record, .types = true, .ids = true}) {}

  void feed(std::string_view bytes) {
    while (!bytes.empty()) {
      const std::span<char> space = stream.space();
      const size_t size = std::min(space.size(), bytes.size());
      std::copy_n(bytes.data(), size, space.data());
      stream.filled(size);
      bytes.remove_prefix(size);
      take();
    }
  }
  void take() {
    while (true) {
      const EventStream::Events taken = stream.take();
      for (int64_t i = 0; i < taken.num_events; ++i) {
        numbers.push_back(taken.first_event + i);
        events.push_back({std::string(taken.types->string(i)), std::string(taken.data->string(i)),
                          std::string(taken.ids->string(i))});
      }
      too_long.insert(too_long.end(), taken.too_long.begin(), taken.too_long.end());
      if (taken.num_events == 0 && taken.too_long.empty()) return;
    }
  }
  std::vector<std::string> data() const {
    std::vector<std::string> out;
    for (const Event& event : events) out.push_back(event.data);
    return out;
  }

  EventStream stream;
  std::vector<Event> events;
  std::vector<int64_t> numbers;
  std::vector<EventStream::TooLong> too_long;
};

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("every public case is read as the standard says, split at every byte") {
  const std::vector<Case> cases = public_cases();
  REQUIRE(cases.size() == 26);
  for (const Case& one : cases) {
    INFO(one.name);
    for (size_t split = 0; split <= one.body.size(); ++split) {
      Reading reading;
      reading.feed(std::string_view(one.body).substr(0, split));
      reading.feed(std::string_view(one.body).substr(split));
      if (reading.events != one.expected) {
        INFO("split at byte " << split);
        REQUIRE(reading.events == one.expected);
      }
    }
    Reading bytewise;
    for (const char byte : one.body) bytewise.feed({&byte, 1});
    CHECK(bytewise.events == one.expected);
  }
}

TEST_CASE("the reconnection time is what the last whole number said") {
  Reading reading;
  reading.feed("retry:03000\n");
  CHECK(reading.stream.retry() == 3000);
  reading.feed("retry:1000x\nretry\nretry:\nretry: -1\n");
  CHECK(reading.stream.retry() == 3000);
}

TEST_CASE("an event is given when its empty line has come, whatever the line ending") {
  Reading reading;
  reading.feed("data: a\r\rdata: b\r\n\r\ndata: c\n\ndata: d\r");
  CHECK(reading.data() == Texts{"a", "b", "c"});
  reading.feed("\r");
  CHECK(reading.data() == Texts{"a", "b", "c", "d"});
  reading.feed("\ndata: e\n\n");
  CHECK(reading.data() == Texts{"a", "b", "c", "d", "e"});
}

TEST_CASE("what was not complete when the stream broke off is not given, nor its id") {
  Reading reading;
  reading.feed("id: 1\ndata: a\n\nid: 2\ndata: b\ndata: b2\n");
  reading.stream.restart();
  CHECK(reading.stream.last_event_id() == "1");
  reading.feed(
      "\xef\xbb\xbf"
      "data: c\n\n");
  CHECK(reading.data() == Texts{"a", "c"});
  CHECK(reading.events.back().id == "1");
}

TEST_CASE("a large read is shared, not copied, and a rest is carried to the next block") {
  EventStream stream({.max_record = 1 << 20});
  std::string text;
  const std::string body(1000, 'x');
  for (int i = 0; i < 200; ++i) text += "data: " + body + "\n\n";
  text += "data: last\ndata: of";
  const std::span<char> space = stream.space();
  REQUIRE(space.size() >= text.size());
  std::ranges::copy(text, space.data());
  stream.filled(text.size());
  const EventStream::Events events = stream.take();
  REQUIRE(events.num_events == 200);
  CHECK(events.data->string(0).data() == space.data() + 6);
  const std::string_view rest = " all\n\n";
  std::ranges::copy(rest, stream.space().data());
  stream.filled(rest.size());
  CHECK(stream.take().data->string(0) == "last\nof all");
  CHECK(events.data->string(199) == body);
}

TEST_CASE("an event that is too long is rejected once, and what follows is read on") {
  const std::string pieces =
      GENERATE(as<std::string>(), "one line", "many lines", "a long comment");
  Reading reading(1000);
  std::string longer;
  if (pieces == "one line") longer = "data: " + std::string(5000, 'x') + "\n";
  if (pieces == "a long comment") longer = "data: 5\n:" + std::string(5000, 'x') + "\n";
  for (int i = 0; pieces == "many lines" && i < 100; ++i)
    longer += "data: " + std::string(50, 'x') + "\n";
  const std::string text = "data: 1\n\nid: 7\n" + longer + "\ndata: 3\n\n";
  SECTION("at once") { reading.feed(text); }
  SECTION("byte by byte") {
    for (const char byte : text) reading.feed({&byte, 1});
  }
  if (pieces == "a long comment") {
    CHECK(reading.data() == Texts{"1", "5", "3"});
    CHECK(reading.too_long.empty());
  } else {
    CHECK(reading.data() == Texts{"1", "3"});
    CHECK(reading.numbers == std::vector<int64_t>{1, 3});
    REQUIRE(reading.too_long.size() == 1);
    CHECK(reading.too_long[0].event == 2);
    CHECK(reading.too_long[0].head.substr(0, 40) == std::string(40, 'x'));
  }
  CHECK(reading.stream.last_event_id() == "7");
}

TEST_CASE("a line without an end is not kept") {
  Reading reading(1000);
  for (int i = 0; i < 200; ++i) reading.feed(std::string(100'000, 'x'));
  CHECK(reading.stream.memory_bytes() <= 1 << 20);
}

TEST_CASE("bytes that are not UTF-8 become replacement characters") {
  Reading reading;
  reading.feed("data: a\xff z\n\n");
  CHECK(reading.data() == Texts{"a\xef\xbf\xbd z"});
}

TEST_CASE("how a stream is cut does not change what is read") {
  rc::check("events", [] {
    const auto lines = *rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
        "data: some text", "data", "data:", "", "", ":comment", "event: x", "id: 5", "id",
        "other: 1", std::string("data: ") + std::string(70'000, 'y')));
    std::string text;
    for (const std::string& line : lines)
      text += line + *rc::gen::element<std::string>("\n", "\r", "\r\n");
    Reading whole, cut;
    whole.feed(text);
    for (size_t at = 0; at < text.size();) {
      const size_t size = *rc::gen::element<size_t>(1, 2, 3, 7, 100, 40'000, 100'000);
      cut.feed(std::string_view(text).substr(at, size));
      at += size;
    }
    RC_ASSERT(whole.events == cut.events);
  });
}
