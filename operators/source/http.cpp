// source: http. Lines from a URL that is asked again and again, or from whoever posts them here.

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/columnar/builder.h"
#include "runtime/operator/http/http_options.h"
#include "runtime/operator/http/post_receiver.h"
#include "runtime/operator/line_stream.h"
#include "runtime/operator/option_specs.h"
#include "runtime/operator/registry.h"
#include "runtime/operator/tcp.h"

namespace flowrun {

namespace {

constexpr int64_t kMebibyte = 1 << 20;
constexpr int64_t kSilence = 1'000'000;  // listen, with once: so long without a post is the end

SchemaPtr value_schema() { return Schema::make({{"value", Type::string()}}); }

// Lines of a body that comes in pieces, as chunks; or the whole body as one row.
class Records {
 public:
  Records(bool by_line, int64_t max_record)
      : by_line_(by_line), max_record_(max_record), schema_(value_schema()), lines_(max_record) {}

  // A new body begins.
  void begin(std::string origin) {
    origin_ = std::move(origin);
    lines_ = LineStream(max_record_);
    whole_.clear();
    whole_size_ = 0;
    waits_ = false;
  }
  [[nodiscard]] std::span<char> space() {
    if (by_line_) return lines_.space();
    whole_.resize(whole_size_ + LineStream::kBlock);
    return std::span(whole_).subspan(whole_size_);
  }
  void filled(size_t bytes) {
    if (by_line_) lines_.filled(bytes);
    const auto most = static_cast<size_t>(max_record_) + 1;  // enough to know that it is too long
    if (!by_line_) whole_size_ = std::min(whole_size_ + bytes, most);
    waits_ = true;
  }
  [[nodiscard]] bool full() const { return by_line_ && lines_.full(); }
  // What is complete by now.
  std::optional<Chunk> next() {
    if (!by_line_ || !waits_) return std::nullopt;
    LineStream::Lines lines = lines_.take();
    if (lines.values || !lines.too_long.empty()) return chunk_of(std::move(lines));
    waits_ = false;
    return std::nullopt;
  }
  // What is left when the body has ended. Call next() until it gives nothing before.
  std::optional<Chunk> rest() {
    if (!by_line_) return whole();
    LineStream::Lines lines = lines_.take_rest();
    return lines.values ? std::optional(chunk_of(std::move(lines))) : std::nullopt;
  }

 private:
  Chunk chunk_of(LineStream::Lines lines) {
    Chunk chunk;
    if (lines.values) chunk.rows = batch(std::move(lines.values), lines.first_line);
    for (LineStream::TooLong& record : lines.too_long)
      chunk.rejected.push_back(rejection(record.line, std::move(record.head)));
    return chunk;
  }
  std::optional<Chunk> whole() {
    const std::string_view body = std::string_view(whole_).substr(0, std::exchange(whole_size_, 0));
    if (body.empty()) return std::nullopt;
    Chunk chunk;
    if (body.size() > static_cast<size_t>(max_record_)) {
      chunk.rejected.push_back(rejection(1, std::string(body.substr(0, Rejection::kKeptBytes))));
      return chunk;
    }
    StringBuilder builder(Type::string());
    builder.append(body);
    chunk.rows = batch(builder.finish(), 1);
    return chunk;
  }
  [[nodiscard]] RecordBatch batch(ColumnPtr values, int64_t first_line) const {
    const int64_t rows = values->size();
    return {schema_,
            rows,
            {std::move(values)},
            std::make_shared<const Origin>(Origin{origin_, first_line})};
  }
  [[nodiscard]] Rejection rejection(int64_t line, std::string head) const {
    return {origin_, fmt::format("line {}", line),
            fmt::format("a record is longer than max_record ({} bytes)", max_record_),
            std::move(head)};
  }

  bool by_line_;
  int64_t max_record_;
  SchemaPtr schema_;
  LineStream lines_;
  std::string whole_;
  size_t whole_size_ = 0;
  std::string origin_;
  bool waits_ = false;  // complete lines may be there
};

struct PollOptions {
  Url url;
  std::vector<HttpField> headers;
  int64_t every = 0;  // microseconds
};

// What names one state of the resource: sent back so that it is given only when it has changed.
struct Validators {
  std::string etag;
  std::string last_modified;
  [[nodiscard]] std::string text() const {
    return etag.empty() && last_modified.empty() ? "" : etag + "\n" + last_modified;
  }
  static Validators parse(const std::string& text) {
    const size_t end = std::min(text.find('\n'), text.size());
    return {text.substr(0, end), end < text.size() ? text.substr(end + 1) : ""};
  }
};

class PollSource final : public Source {
 public:
  PollSource(PollOptions options, HttpSettings http, Records records)
      : options_(std::move(options)),
        client_(std::move(http), wakeup_),
        records_(std::move(records)) {}

  Result<SchemaPtr> bind() override { return value_schema(); }
  Status open(std::optional<Offset> offset) override;
  Result<Chunk> read(Deadline deadline) override;
  void cancel() override { wakeup_.signal(); }
  void close() override {
    client_.disconnect();
    reading_ = false;
  }
  Status probe() override;
  void stop_at_end() override { stops_at_end_ = true; }
  [[nodiscard]] std::string describe() const override { return "http " + options_.url.text(); }
  [[nodiscard]] std::string hint() const override {
    return fmt::format("is a server listening on port {} of {}?", options_.url.port,
                       options_.url.host);
  }

 private:
  Status ask();
  Result<Chunk> read_body(int64_t deadline);
  Chunk with_offset(Chunk chunk, Chunk::Mark mark) const {
    chunk.offset = Offset{seen_.text()};
    chunk.mark = mark;
    return chunk;
  }

  PollOptions options_;
  Wakeup wakeup_;
  HttpClient client_;
  Records records_;
  bool stops_at_end_ = false;
  bool asked_ = false;    // at least once, with an answer
  bool reading_ = false;  // an answer is being read
  Validators seen_;       // of what was given whole
  Validators coming_;     // of what is being read
  int64_t next_ = 0;      // when to ask again
  int64_t heard_at_ = 0;
};

Status PollSource::open(std::optional<Offset> offset) {
  if (wakeup_.signalled()) return Error::cancelled();
  if (offset && !asked_) seen_ = Validators::parse(offset->text);
  if (next_ > steady_now()) FLOWRUN_RETURN_IF_ERROR(wait_for_wakeup(wakeup_, next_));
  return ask();
}

// Asks for the head alone; of a server that does not give one it looks at the answer's head.
Status PollSource::probe() {
  HttpRequest request;
  request.method = "HEAD";
  request.private_fields = options_.headers;
  const auto head = client_.start(options_.url, request);
  client_.disconnect();
  if (!head) return Error(head.error());
  if (head->ok()) return {};
  Status asked = ask();
  close();
  return asked;
}

Status PollSource::ask() {
  constexpr int kNotModified = 304;
  HttpRequest request;
  if (!seen_.etag.empty()) request.fields.push_back({"If-None-Match", seen_.etag});
  if (!seen_.last_modified.empty())
    request.fields.push_back({"If-Modified-Since", seen_.last_modified});
  request.private_fields = options_.headers;
  const int64_t started = steady_now();
  FLOWRUN_TRY(const HttpHead head, client_.start(options_.url, request));
  next_ = std::max(started + options_.every, steady_now() + head.retry_after());
  if (head.worth_another_try()) {
    next_ = steady_now() + head.retry_after();
    return Error::unavailable(fmt::format("{} {}", head.url.text(), head.answer()));
  }
  if (!head.ok() && head.status != kNotModified)
    return Error::io(fmt::format("{} {}", head.url.text(), head.answer()));
  asked_ = true;
  reading_ = head.ok();
  heard_at_ = steady_now();
  coming_ = {std::string(head.field("ETag")), std::string(head.field("Last-Modified"))};
  records_.begin(head.url.text());
  return {};
}

Result<Chunk> PollSource::read(Deadline deadline) {
  while (true) {
    if (reading_) return read_body(deadline.monotonic);
    if (stops_at_end_) return with_offset({}, Chunk::Mark::stream_ends);
    const int64_t until = std::min(next_, deadline.monotonic);
    FLOWRUN_RETURN_IF_ERROR(wait_for_wakeup(wakeup_, until));
    if (steady_now() < next_) return with_offset({}, Chunk::Mark::idle);
    FLOWRUN_RETURN_IF_ERROR(ask());
  }
}

Result<Chunk> PollSource::read_body(int64_t deadline) {
  while (true) {
    if (auto chunk = records_.next()) return with_offset(std::move(*chunk), Chunk::Mark::more);
    if (client_.ended()) {
      reading_ = false;
      auto chunk = records_.rest();
      seen_ = coming_;
      return with_offset(chunk ? std::move(*chunk) : Chunk{},
                         chunk ? Chunk::Mark::more : Chunk::Mark::idle);
    }
    size_t got = 0;
    do {
      FLOWRUN_TRY(got, client_.read(records_.space()));
      records_.filled(got);
      if (got > 0) heard_at_ = steady_now();
    } while (got > 0 && !records_.full());
    if (records_.full() || client_.ended()) continue;
    FLOWRUN_TRY(const bool ready, client_.wait(deadline));
    constexpr int64_t kPatience = 60'000'000;
    if (ready) continue;
    if (steady_now() - heard_at_ > kPatience)
      return Error::unavailable(options_.url.authority() + " stopped in the middle of its answer");
    if (auto chunk = records_.next()) return with_offset(std::move(*chunk), Chunk::Mark::more);
    return with_offset({}, Chunk::Mark::idle);
  }
}

class ListenSource final : public Source {
 public:
  ListenSource(PostReceiverOptions options, Records records)
      : options_(std::move(options)), records_(std::move(records)) {}

  Result<SchemaPtr> bind() override { return value_schema(); }
  Status open(std::optional<Offset> offset) override;
  Result<Chunk> read(Deadline deadline) override;
  void cancel() override { wakeup_.signal(); }
  void close() override { receiver_.reset(); }
  Status probe() override { return tcp_may_listen(options_.address); }
  void stop_at_end() override { stops_at_end_ = true; }
  [[nodiscard]] std::string describe() const override {
    return "http listening on " + options_.address.text();
  }

 private:
  Chunk with_offset(Chunk chunk, Chunk::Mark mark) const {
    chunk.offset = Offset{std::to_string(bodies_)};
    chunk.mark = mark;
    return chunk;
  }

  PostReceiverOptions options_;
  Records records_;
  Wakeup wakeup_;
  std::unique_ptr<PostReceiver> receiver_;
  bool stops_at_end_ = false;
  std::string body_;  // the post that is being given out
  size_t given_ = 0;
  bool reading_ = false;
  int64_t bodies_ = 0;
  int64_t heard_at_ = 0;
};

Status ListenSource::open(std::optional<Offset> offset) {
  // What was posted is gone for good: only the count goes on.
  if (offset) bodies_ = std::max<int64_t>(bodies_, std::atoll(offset->text.c_str()));
  if (receiver_) return {};
  auto receiver = std::make_unique<PostReceiver>(options_);
  FLOWRUN_RETURN_IF_ERROR(receiver->open());
  receiver_ = std::move(receiver);
  return {};
}

Result<Chunk> ListenSource::read(Deadline deadline) {
  while (true) {
    if (auto chunk = records_.next()) return with_offset(std::move(*chunk), Chunk::Mark::more);
    if (reading_ && given_ < body_.size()) {
      const std::span<char> space = records_.space();
      const size_t size = std::min(space.size(), body_.size() - given_);
      std::copy_n(body_.data() + given_, size, space.data());
      given_ += size;
      records_.filled(size);
      continue;
    }
    if (std::exchange(reading_, false)) {
      ++bodies_;
      Chunk chunk = records_.rest().value_or(Chunk{});
      chunk.bytes = static_cast<int64_t>(body_.size());
      return with_offset(std::move(chunk), Chunk::Mark::more);
    }
    int64_t until = deadline.monotonic;
    const bool may_end = stops_at_end_ && heard_at_ > 0;
    if (may_end) until = std::min(until, heard_at_ + kSilence);
    FLOWRUN_TRY(auto posted, receiver_->take(wakeup_, until));
    if (!posted) {
      const bool ends = may_end && steady_now() >= heard_at_ + kSilence;
      return with_offset({}, ends ? Chunk::Mark::stream_ends : Chunk::Mark::idle);
    }
    heard_at_ = steady_now();
    body_ = std::move(posted->body);
    given_ = 0;
    reading_ = true;
    records_.begin(posted->peer);
  }
}

OperatorSpec spec() {
  using namespace option;
  OperatorSpec spec;
  spec.name = "http";
  spec.summary = "Lines from a URL that is asked every so often, or from whoever posts them here.";
  spec.doc =
      "Gives one column, `value: string`: a row per line, or with `record: body` one per answer or "
      "post.\n\n"
      "**`url` and `poll`**: sends GET every so often. `ETag` and `Last-Modified` of the last "
      "answer "
      "are sent back, so that a server that knows them answers 304 while nothing has changed, "
      "which "
      "gives no row; a server that does not gives everything each time. 408, 425, 429 and 5xx are "
      "tried again after growing pauses, and `Retry-After` is kept to; any other refusal ends the "
      "run. Redirects, proxies and certificates are treated as by `source: sse`. With trigger "
      "`once` "
      "or `available_now` it asks once.\n\n"
      "**`listen`**: takes POST, plain or gzip, from any number of clients at a time. A post is "
      "taken whole or not at all: 202 says that it was. 429 with `Retry-After` says that `buffer` "
      "is "
      "full because the pipeline is behind, 413 that the body is longer than `max_body`. Only this "
      "machine can connect unless a host is written, and any other host needs a `token`; without a "
      "token a request that a web page makes (one with `Origin`) is refused. With trigger `once` "
      "or "
      "`available_now` it ends after a second without a post.\n\n"
      "A line longer than `max_record` is rejected and skipped.\n\n"
      "Guarantee: at most once. What was answered with 202 and not committed is lost with the "
      "process; a poll sees only the state at the time of asking.";
  spec.options = together({
      {text("url", "Where to GET from, http or https."),
       duration("poll", "With `url`: how often to ask.").at_least(1000),
       text("listen",
            "In place of `url`: where clients post to, a port or host:port. Without a host only "
            "this "
            "machine can connect."),
       text("path", "listen: the path that is posted to.").with_default("/"),
       secret(text("token", "listen: what clients must send as `Authorization: Bearer TOKEN`.")),
       bytes("max_body", "listen: a longer body is refused.")
           .with_default("8 MiB")
           .between(1, 1024 * kMebibyte),
       bytes("buffer", "listen: so much may wait for the pipeline.")
           .with_default("32 MiB")
           .between(1, 1024 * kMebibyte),
       word("record", {"line", "body"}, "What is a row.").with_default("line"),
       bytes("max_record", "A longer row is rejected and skipped.")
           .with_default("16 MiB")
           .between(1, 1024 * kMebibyte)},
      http_client_option_specs(),
  });
  spec.ports = {"errors"};
  spec.examples = {
      {"The state of a service, twice a minute",
       "states: { source: http, url: https://status.example.org/api.json, poll: 30 seconds, "
       "record: "
       "body }\n"
       "parsed: { from: states, parse: json, schema: \"name string, healthy boolean\" }\n"
       "out: { from: parsed, sink: console }\n"},
      {"Lines that programs on this machine post",
       "lines: { source: http, listen: \"8081\", path: /events }\n"
       "out: { from: lines, sink: console }\n"},
  };
  return spec;
}

// Which of the two forms is written, and that nothing of the other is.
Result<bool> listens(const Options& options) {
  const OptionValue* listen = options.find("listen");
  const OptionValue* url = options.find("url");
  const OptionValue* poll = options.find("poll");
  if (listen && (url || poll)) {
    return Error::invalid(
               "`listen` stands alone — write `url` and `poll` to ask a server, or `listen` to be "
               "one")
        .at(listen->position);
  }
  if (!listen && !url)
    return Error::invalid("write `url` and `poll` to ask a server, or `listen` to be one");
  if (!listen && !poll)
    return Error::invalid("`poll` is missing — write how often to ask: `poll: 30 seconds`")
        .at(url->position);
  return listen != nullptr;
}

Result<std::unique_ptr<Source>> make_listening(const Options& options, Records records) {
  PostReceiverOptions settings;
  const OptionValue& listen = options.at("listen");
  auto address = parse_tcp_address(listen.text);
  if (!address) return listen.place(std::move(address.error()));
  settings.address = std::move(*address);
  settings.path = options.text_or("path", settings.path);
  settings.token = options.text_or("token", "");
  settings.most_body = options.integer_or("max_body", settings.most_body);
  settings.most_buffered = options.integer_or("buffer", settings.most_buffered);
  const std::string& host = settings.address.host;
  const bool local = host == "localhost" || host == "::1" || host.starts_with("127.");
  if (!local && settings.token.empty()) {
    return Error::invalid(
               fmt::format("everybody who reaches {} could post — add `token:`, or listen on "
                           "127.0.0.1",
                           host))
        .at(listen.position);
  }
  return std::make_unique<ListenSource>(std::move(settings), std::move(records));
}

Result<MadeSource> make(const Options& options, const MakeContext&) {
  FLOWRUN_TRY(const bool is_server, listens(options));
  Records records(options.text_or("record", "line") == "line",
                  options.integer_or("max_record", 16 * kMebibyte));
  MadeSource made;
  if (is_server) {
    FLOWRUN_TRY(made.source, make_listening(options, std::move(records)));
    return made;
  }
  PollOptions settings;
  FLOWRUN_TRY(settings.url, read_url(options));
  FLOWRUN_TRY(settings.headers, read_headers(options));
  FLOWRUN_TRY(HttpSettings http, read_http_settings(options));
  settings.every = options.at("poll").integer;
  made.source =
      std::make_unique<PollSource>(std::move(settings), std::move(http), std::move(records));
  return made;
}

}  // namespace

void register_http_source(Registry& registry) { registry.add_source(spec(), make); }

}  // namespace flowrun
