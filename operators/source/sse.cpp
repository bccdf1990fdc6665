// source: sse. Server-sent events over HTTP, resumed where they broke off.

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <utility>
#include <vector>

#include "runtime/operator/event_stream.h"
#include "runtime/operator/http/http_options.h"
#include "runtime/operator/option_specs.h"
#include "runtime/operator/registry.h"

namespace flowrun {

namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kSilence = kSecond;  // with once: a server silent for so long has said it all
constexpr int64_t kFirstPause = kSecond;
constexpr int64_t kLongestPause = 30 * kSecond;
constexpr int64_t kLongestRetry = 600 * kSecond;  // whatever the server asks for
constexpr int64_t kMebibyte = 1 << 20;
constexpr uint16_t kSimulatorPort = 10003;

struct SseOptions {
  Url url;
  std::vector<HttpField> headers;
  EventStreamOptions events;
  int64_t heartbeat = 0;  // microseconds; 0: none is expected
};

class SseSource final : public Source {
 public:
  SseSource(SseOptions options, HttpSettings http)
      : options_(std::move(options)),
        client_(std::move(http), wakeup_),
        events_(options_.events),
        schema_(schema_of(options_.events)) {}

  Result<SchemaPtr> bind() override { return schema_; }
  Status open(std::optional<Offset> offset) override;
  Result<Chunk> read(Deadline deadline) override;
  void cancel() override { wakeup_.signal(); }
  void close() override { client_.disconnect(); }
  void stop_at_end() override { stops_at_end_ = true; }
  [[nodiscard]] std::string describe() const override { return "sse " + options_.url.text(); }
  [[nodiscard]] std::string hint() const override;
  [[nodiscard]] std::string guarantee() const override {
    return "at least once, as far back as the server replays";
  }

 private:
  static SchemaPtr schema_of(const EventStreamOptions& options);
  [[nodiscard]] HttpRequest request() const;
  Status judge(const HttpHead& head);
  Status receive();
  std::optional<Chunk> next_chunk();
  Chunk make_chunk(EventStream::Events events);
  [[nodiscard]] Chunk empty_chunk(Chunk::Mark mark) const;
  Result<Chunk> without_events();
  Error lost(Error why);

  SseOptions options_;
  Wakeup wakeup_;
  HttpClient client_;
  EventStream events_;
  SchemaPtr schema_;
  bool stops_at_end_ = false;
  bool was_open_ = false;
  bool finished_ = false;        // the server said that nothing more will come
  bool unsplit_ = false;         // complete events may wait in events_
  bool got_events_ = false;      // on this connection
  std::optional<Error> broken_;  // why the connection ended; told when its events were given
  int64_t heard_at_ = 0;
  int64_t pause_ = 0;       // between connections that give nothing
  int64_t not_before_ = 0;  // when to connect again
};

SchemaPtr SseSource::schema_of(const EventStreamOptions& options) {
  std::vector<Field> fields = {{"value", Type::string()}};
  if (options.types) fields.push_back({"event", Type::string()});
  if (options.ids) fields.push_back({"id", Type::string()});
  return Schema::make(std::move(fields));
}

HttpRequest SseSource::request() const {
  HttpRequest request;
  request.fields = {{"Accept", "text/event-stream"}, {"Cache-Control", "no-store"}};
  if (!events_.last_event_id().empty())
    request.fields.push_back({"Last-Event-ID", events_.last_event_id()});
  request.private_fields = options_.headers;
  return request;
}

Status SseSource::open(std::optional<Offset> offset) {
  if (wakeup_.signalled()) return Error::cancelled();
  if (offset && !was_open_) events_.set_last_event_id(offset->text);
  if (not_before_ > steady_now()) {
    FLOWRUN_RETURN_IF_ERROR(wait_for_wakeup(wakeup_, not_before_));
  }
  events_.restart();
  unsplit_ = got_events_ = false;
  broken_.reset();
  FLOWRUN_TRY(const HttpHead head, client_.start(options_.url, request()));
  FLOWRUN_RETURN_IF_ERROR(judge(head));
  was_open_ = true;
  heard_at_ = steady_now();
  return {};
}

Status SseSource::judge(const HttpHead& head) {
  constexpr int kNoContent = 204;
  if (head.status == kNoContent) {
    finished_ = true;
    return {};
  }
  const std::string where = head.url.text();
  if (head.worth_another_try()) {
    not_before_ = steady_now() + head.retry_after();
    return Error::unavailable(fmt::format("{} {}", where, head.answer()));
  }
  if (head.status != 200) return Error::io(fmt::format("{} {}", where, head.answer()));
  std::string type(head.field("Content-Type").substr(0, head.field("Content-Type").find(';')));
  while (type.ends_with(' ')) type.pop_back();
  std::ranges::transform(type, type.begin(), [](unsigned char c) { return std::tolower(c); });
  if (type == "text/event-stream") return {};
  return Error::io(
      fmt::format("{} sends {}, not text/event-stream — is it the URL of an event stream?", where,
                  type.empty() ? "no content type" : "`" + type + "`"));
}

Result<Chunk> SseSource::read(Deadline deadline) {
  while (true) {
    if (std::optional<Chunk> chunk = next_chunk()) return std::move(*chunk);
    if (broken_) return lost(std::move(*broken_));
    if (finished_ || client_.ended()) return without_events();
    FLOWRUN_RETURN_IF_ERROR(receive());
    if (unsplit_ || broken_ || client_.ended()) continue;
    int64_t until = deadline.monotonic;
    if (options_.heartbeat > 0) until = std::min(until, heard_at_ + options_.heartbeat);
    if (stops_at_end_) until = std::min(until, heard_at_ + kSilence);
    FLOWRUN_TRY(const bool ready, client_.wait(until));
    if (ready) continue;
    const int64_t silence = steady_now() - heard_at_;
    if (stops_at_end_ && silence >= kSilence) return empty_chunk(Chunk::Mark::stream_ends);
    if (options_.heartbeat > 0 && silence >= options_.heartbeat) {
      return lost(Error::unavailable(
          fmt::format("{} sent nothing for {} s", options_.url.authority(), silence / kSecond)));
    }
    return empty_chunk(Chunk::Mark::idle);
  }
}

// Reads until a block is full or nothing more is there: little under a trickle, much under load.
Status SseSource::receive() {
  while (!events_.full()) {
    auto got = client_.read(events_.space());
    if (!got) {
      if (got.error().code == ErrorCode::cancelled) return std::move(got.error());
      broken_ = std::move(got.error());
      return {};
    }
    if (*got == 0) return {};
    heard_at_ = steady_now();
    events_.filled(*got);
    unsplit_ = true;
  }
  return {};
}

std::optional<Chunk> SseSource::next_chunk() {
  if (unsplit_) {
    EventStream::Events events = events_.take();
    if (events.num_events > 0 || !events.too_long.empty()) return make_chunk(std::move(events));
    unsplit_ = false;
  }
  if (broken_ && broken_->code == ErrorCode::data) {
    // What was compressed cannot be had again from here; the server may send it whole next time.
    Chunk chunk = empty_chunk(Chunk::Mark::more);
    chunk.rejected.push_back({options_.url.text(), "", broken_->message, ""});
    broken_->code = ErrorCode::unavailable;
    return chunk;
  }
  return std::nullopt;
}

Chunk SseSource::make_chunk(EventStream::Events events) {
  got_events_ = true;
  pause_ = 0;
  Chunk chunk = empty_chunk(Chunk::Mark::more);
  if (events.num_events > 0) {
    std::vector<ColumnPtr> columns = {std::move(events.data)};
    if (options_.events.types) columns.push_back(std::move(events.types));
    if (options_.events.ids) columns.push_back(std::move(events.ids));
    chunk.rows = RecordBatch(
        schema_, events.num_events, std::move(columns),
        std::make_shared<const Origin>(Origin{options_.url.text(), events.first_event}));
  }
  for (EventStream::TooLong& event : events.too_long) {
    chunk.rejected.push_back(
        {options_.url.text(), fmt::format("event {}", event.event),
         fmt::format("an event is longer than max_record ({} bytes)", options_.events.max_record),
         std::move(event.head)});
  }
  chunk.bytes = client_.take_bytes_received();
  return chunk;
}

Chunk SseSource::empty_chunk(Chunk::Mark mark) const {
  Chunk chunk;
  chunk.offset = Offset{events_.last_event_id()};
  chunk.mark = mark;
  return chunk;
}

Result<Chunk> SseSource::without_events() {
  if (finished_ || stops_at_end_) return empty_chunk(Chunk::Mark::stream_ends);
  return lost(Error::unavailable(fmt::format("{} ended the stream", options_.url.authority())));
}

// The next connection waits as long as the server asked for, and ever longer while they give
// nothing.
Error SseSource::lost(Error why) {
  if (why.code != ErrorCode::unavailable) return why;
  const int64_t asked = std::min(events_.retry().value_or(0), kLongestRetry / 1000) * 1000;
  pause_ = got_events_ ? 0 : std::clamp(2 * pause_, kFirstPause, kLongestPause);
  const int64_t pause = std::max(asked, pause_);
  not_before_ = steady_now() + pause;
  if (pause > 0)
    why.message += fmt::format("; next try in {:.2g} s", static_cast<double>(pause) / kSecond);
  return why;
}

std::string SseSource::hint() const {
  if (options_.url.host == "127.0.0.1" && options_.url.port == kSimulatorPort)
    return fmt::format("is `flowrun simulate wikimedia --port {}` running?", kSimulatorPort);
  return fmt::format("is a server listening on port {} of {}?", options_.url.port,
                     options_.url.host);
}

OperatorSpec spec() {
  using namespace option;
  OperatorSpec spec;
  spec.name = "sse";
  spec.summary = "Server-sent events: a stream of text/event-stream over HTTP or HTTPS.";
  spec.doc =
      "Gives a row per event: `value: string` holds its data, and `columns` adds `event`, its "
      "type, "
      "and `id`, the last id the server sent. The stream is read as the HTML standard says: lines "
      "end with LF, CRLF or CR, several lines of data are joined, comments are passed over, and "
      "what is not complete when the stream ends is not given. Bytes that are not UTF-8 become "
      "U+FFFD. An event longer than `max_record` is rejected and skipped.\n\n"
      "When the connection ends or nothing comes for `heartbeat`, it connects again, with the last "
      "id in `Last-Event-ID`, after the time that the server set with `retry` and after growing "
      "pauses while nothing is given. So does it when the server answers 408, 425, 429 or 5xx; "
      "`Retry-After` is kept to. 204 means that the stream has ended for good. Any other answer "
      "ends the run, and so does a certificate that is not trusted. Redirects are followed, 20 at "
      "most, never from https to http. Answers compressed with gzip are read.\n\n"
      "`HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` of the environment are kept to; this machine is "
      "never reached through a proxy.\n\n"
      "With trigger `once` or `available_now` it ends when the server ends the stream, or after a "
      "second without data.\n\n"
      "Guarantee: at least once, as far back as the server replays by `Last-Event-ID`; a `dedup` "
      "on "
      "an id of the events makes it exactly once. A server that sends no ids replays nothing.";
  spec.options = together({
      {required(text("url", "The stream's URL, http or https.")),
       list_of(word("columns", {"event", "id"},
                    "Columns beside `value`: the event's type, the last "
                    "id."))},
      http_client_option_specs(),
      {duration("heartbeat",
                "After so long without a byte the connection counts as lost; 0: never.")
           .with_default("2 minutes"),
       bytes("max_record", "A longer event is rejected and skipped.")
           .with_default("16 MiB")
           .between(1, 1024 * kMebibyte)},
  });
  spec.ports = {"errors"};
  spec.examples = {
      {"Edits of Wikipedia and its sisters as they are made",
       "changes: { source: sse, url: https://stream.wikimedia.org/v2/stream/recentchange }\n"
       "edits: { from: changes, parse: json, schema: \"wiki string, title string\" }\n"
       "out: { from: edits, sink: console }\n"},
      {"With a token, each event once",
       "events: { source: sse, url: https://events.example.org/feed, columns: [id], headers: { "
       "Authorization: Bearer 1234 } }\n"
       "once: { from: events, dedup: [id] }\n"
       "out: { from: once, sink: console }\n"},
  };
  return spec;
}

Result<MadeSource> make(const Options& options, const MakeContext&) {
  SseOptions settings;
  FLOWRUN_TRY(settings.url, read_url(options));
  FLOWRUN_TRY(settings.headers, read_headers(options));
  FLOWRUN_TRY(HttpSettings http, read_http_settings(options));
  const std::vector<std::string> columns = options.texts("columns");
  settings.events.types = std::ranges::count(columns, "event") > 0;
  settings.events.ids = std::ranges::count(columns, "id") > 0;
  settings.events.max_record = options.integer_or("max_record", 16 * kMebibyte);
  settings.heartbeat = options.integer_or("heartbeat", 120 * kSecond);
  MadeSource made;
  made.source = std::make_unique<SseSource>(std::move(settings), std::move(http));
  return made;
}

}  // namespace

void register_sse_source(Registry& registry) { registry.add_source(spec(), make); }

}  // namespace flowrun
