// sink: http. Rows as JSON, posted to a web server.

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "runtime/operator/http/http_options.h"
#include "runtime/operator/http/json_template.h"
#include "runtime/operator/option_specs.h"
#include "runtime/operator/registry.h"
#include "runtime/operator/repeated_names.h"

namespace flowrun {

namespace {

constexpr int64_t kFirstPause = 100'000;  // microseconds between tries; doubled each time
constexpr int64_t kLongestPause = 10'000'000;
constexpr int64_t kDefaultBatch = 1000;
constexpr size_t kMostAnswer = 64 << 10;  // bytes of an answer that are read
constexpr size_t kShownAnswer = 300;

enum class Form : uint8_t { object, array, lines };

struct HttpSinkOptions {
  Url url;
  std::string method;
  std::vector<HttpField> headers;
  Form form = Form::object;
  int64_t batch = 1;  // rows of one request
  int64_t retry = 0;  // microseconds
  bool ignore_null_fields = true;
};

class HttpSink final : public Sink {
 public:
  HttpSink(HttpSinkOptions settings, Options options, HttpSettings http, const TimeZone& zone)
      : settings_(std::move(settings)),
        options_(std::move(options)),
        client_(std::move(http), wakeup_),
        zone_(zone) {}

  Status bind(const SinkInput& input) override;
  [[nodiscard]] bool accepts(OutputMode, bool) const override { return true; }
  Status open(std::optional<Token> last_committed) override;
  Status write(EpochId epoch, const RecordBatch& batch) override;
  Result<Token> prepare(EpochId epoch) override;
  Status commit(EpochId, const Token&) override { return {}; }
  Status abort(EpochId) override {
    body_.clear();
    rows_ = 0;
    return {};
  }
  void close() override { client_.disconnect(); }
  Status probe() override;
  void cancel() override { wakeup_.signal(); }
  [[nodiscard]] bool blocking() const override { return true; }
  [[nodiscard]] int64_t memory_bytes() const override {
    return static_cast<int64_t>(body_.capacity());
  }
  // The path may hold a secret: what takes webhooks often puts one there.
  [[nodiscard]] std::string describe() const override {
    return "http " + settings_.url.authority();
  }

 private:
  void append_row(const RecordBatch& batch, int64_t row);
  Status send(EpochId epoch);
  Status send_once(const std::string& key, int64_t& pause_asked);

  HttpSinkOptions settings_;
  Options options_;
  Wakeup wakeup_;
  HttpClient client_;
  const TimeZone& zone_;
  std::optional<JsonRowWriter> writer_;
  std::optional<JsonTemplate> template_;
  std::string run_;  // what keys begin with
  std::string body_;
  int64_t rows_ = 0;         // in body_
  int64_t part_ = 0;         // requests of this epoch
  EpochId part_epoch_ = -1;  // that part_ counts in
};

Status HttpSink::bind(const SinkInput& input) {
  if (const auto repeated = repeated_names(*input.schema); !repeated.empty()) {
    return Error::invalid(fmt::format("two columns are called `{}` — rename one", repeated[0]));
  }
  JsonWriteOptions json;
  json.ignore_null_fields = settings_.ignore_null_fields;
  json.zone = &zone_;
  if (const OptionValue* text = options_.find("body")) {
    auto compiled = JsonTemplate::compile(text->text, input.schema, json);
    if (!compiled) return text->place(std::move(compiled.error()));
    if (settings_.form == Form::lines && text->text.find('\n') != std::string::npos) {
      return Error::invalid("with `format: ndjson` a row is one line — write `body` on one line")
          .at(text->position);
    }
    template_ = std::move(*compiled);
  }
  writer_.emplace(input.schema, std::move(json));
  return {};
}

// A run has keys of its own, unless it goes on with an earlier one.
Status HttpSink::open(std::optional<Token> last_committed) {
  if (last_committed && !last_committed->text.empty()) {
    run_ = last_committed->text;
    return {};
  }
  std::random_device device;
  run_ = fmt::format("{:08x}{:08x}", device(), device());
  return {};
}

// Asks what may be done, which changes nothing; a server that does not take the question is there.
Status HttpSink::probe() {
  constexpr int kUnauthorized = 401, kForbidden = 403, kNotFound = 404, kBadGateway = 502,
                kGatewayTimeout = 504;
  HttpRequest request;
  request.method = "OPTIONS";
  request.private_fields = settings_.headers;
  const auto head = client_.start(settings_.url, request);
  client_.disconnect();
  if (!head) return Error(head.error());
  if (head->status == kUnauthorized || head->status == kForbidden || head->status == kNotFound ||
      (head->status >= kBadGateway && head->status <= kGatewayTimeout))
    return Error::io(fmt::format("{} {}", settings_.url.authority(), head->answer()));
  return {};
}

Status HttpSink::write(EpochId epoch, const RecordBatch& batch) {
  for (int64_t row = 0; row < batch.num_rows(); ++row) {
    append_row(batch, row);
    if (++rows_ >= settings_.batch) FLOWRUN_RETURN_IF_ERROR(send(epoch));
  }
  return {};
}

void HttpSink::append_row(const RecordBatch& batch, int64_t row) {
  if (settings_.form == Form::array) body_ += rows_ == 0 ? '[' : ',';
  if (template_) {
    template_->append(batch, row, body_);
  } else {
    writer_->append_row(batch, row, body_);
  }
  if (settings_.form == Form::lines) body_ += '\n';
}

Result<Token> HttpSink::prepare(EpochId epoch) {
  if (rows_ > 0) FLOWRUN_RETURN_IF_ERROR(send(epoch));
  return Token{run_};
}

Status HttpSink::send(EpochId epoch) {
  if (settings_.form == Form::array) body_ += ']';
  if (part_epoch_ != epoch) part_ = 0;
  part_epoch_ = epoch;
  const std::string key = fmt::format("{}-{}-{}", run_, epoch, part_++);
  const int64_t give_up_at = steady_now() + settings_.retry;
  int64_t next_pause = kFirstPause;
  while (true) {
    int64_t asked = 0;
    Status sent = send_once(key, asked);
    if (sent) break;
    if (sent.error().code != ErrorCode::unavailable) return sent;
    const int64_t pause = std::max(next_pause, asked);
    if (steady_now() + pause > give_up_at) {
      return std::move(sent.error())
          .within(fmt::format("cannot post to {}", settings_.url.authority()));
    }
    FLOWRUN_RETURN_IF_ERROR(wait_for_wakeup(wakeup_, steady_now() + pause));
    next_pause = std::min(2 * next_pause, kLongestPause);
  }
  body_.clear();
  rows_ = 0;
  return {};
}

Status HttpSink::send_once(const std::string& key, int64_t& pause_asked) {
  HttpRequest request;
  request.method = settings_.method;
  request.fields = {
      {"Content-Type", settings_.form == Form::lines ? "application/x-ndjson" : "application/json"},
      {"Idempotency-Key", key}};
  request.private_fields = settings_.headers;
  request.body = body_;
  FLOWRUN_TRY(const HttpHead head, client_.start(settings_.url, request));
  const auto answer = client_.read_all(kMostAnswer);
  if (!answer) client_.disconnect();
  if (head.ok()) return {};
  std::string message = fmt::format("{} {}", head.url.authority(), head.answer());
  if (answer && !answer->empty()) message += ": " + answer->substr(0, kShownAnswer);
  while (message.ends_with('\n')) message.pop_back();
  if (!head.worth_another_try()) return Error::io(std::move(message));
  pause_asked = head.retry_after();
  return Error::unavailable(std::move(message));
}

OperatorSpec spec() {
  using namespace option;
  OperatorSpec spec;
  spec.name = "http";
  spec.summary = "Posts rows as JSON to a web server: a request per row, or per batch of rows.";
  spec.doc =
      "A row is sent as an object with its columns, or as `body` says: JSON in which `{{column}}` "
      "stands for a value, between quotes as text and elsewhere as JSON. So a value can never "
      "change "
      "the form of what is sent.\n\n"
      "Each request has an `Idempotency-Key` of the run, the epoch and its number in that, which "
      "is "
      "the same when it is sent again: a server that keeps keys takes each request once. A server "
      "that is absent, or answers 408, 425, 429 or 5xx, is tried again after growing pauses, and "
      "after `Retry-After`, for as long as `retry` says; any other refusal ends the run. Redirects "
      "307 and 308 are followed; proxies and certificates are treated as by `source: sse`.\n\n"
      "Rows are sent as the epoch runs, the last ones when it ends. Guarantee: at least once as "
      "long "
      "as the run lasts; exactly once at a server that keeps keys.";
  spec.options = together({
      {required(secret(text("url", "Where to post to, http or https. Shown without its path."))),
       word("method", {"POST", "PUT", "PATCH"}, "The request's method.").with_default("POST"),
       text("body", "A row's JSON, with `{{column}}` for values; without it, all columns."),
       word("format", {"object", "array", "ndjson"},
            "object: a request per row; array: rows as a JSON array; ndjson: rows as lines.")
           .with_default("object"),
       integer("batch", "array, ndjson: rows of one request at most; 1000 unless written.")
           .between(1, 1'000'000),
       boolean("ignore_null_fields", "Without `body`: a null field is left out.")
           .with_default("true"),
       duration("retry", "How long a request that fails is tried again.")
           .with_default("30 seconds")},
      http_client_option_specs(),
  });
  spec.examples = {
      {"A message for each row",
       "lines: { source: socket, port: 9999 }\n"
       "alerts: { from: lines, filter: \"value like '%error%'\" }\n"
       "hook: { from: alerts, sink: http, url: \"${env:HOOK:-http://127.0.0.1:8080/hook}\", body: "
       "'{\"text\": \"{{value}}\"}' }\n"},
      {"Rows in batches, with a token",
       "lines: { source: socket, port: 9999 }\n"
       "store: { from: lines, sink: http, url: https://store.example.org/rows, format: ndjson, "
       "batch: 500, headers: { Authorization: Bearer 1234 } }\n"},
  };
  return spec;
}

Result<std::unique_ptr<Sink>> make(const Options& options, const MakeContext& context) {
  HttpSinkOptions settings;
  FLOWRUN_TRY(settings.url, read_url(options));
  FLOWRUN_TRY(settings.headers, read_headers(options));
  FLOWRUN_TRY(HttpSettings http, read_http_settings(options));
  settings.method = options.text_or("method", "POST");
  const std::string format = options.text_or("format", "object");
  settings.form = format == "object" ? Form::object : format == "array" ? Form::array : Form::lines;
  const OptionValue* batch = options.find("batch");
  if (batch && settings.form == Form::object && batch->integer > 1) {
    return Error::invalid(
               "`format: object` is a request per row — write `format: array` or `format: ndjson` "
               "to send several")
        .at(batch->position);
  }
  settings.batch = settings.form == Form::object ? 1 : batch ? batch->integer : kDefaultBatch;
  settings.retry = options.integer_or("retry", 30'000'000);
  settings.ignore_null_fields = options.boolean_or("ignore_null_fields", true);
  FLOWRUN_TRY(const TimeZone* zone, find_time_zone(context.expressions->timezone));
  return std::make_unique<HttpSink>(std::move(settings), options, std::move(http), *zone);
}

}  // namespace

void register_http_sink(Registry& registry) { registry.add_sink(spec(), make); }

}  // namespace flowrun
