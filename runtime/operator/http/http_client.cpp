#include "runtime/operator/http/http_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <cctype>
#include <charconv>
#include <cstring>
#include <optional>
#include <utility>

#include "runtime/format/json_writer.h"
#include "runtime/operator/http/inflate.h"

namespace flowrun {

namespace {

namespace http = boost::beast::http;
using Parser = http::response_parser<http::buffer_body>;

constexpr size_t kReceive = 128 << 10;    // bytes of one read from the network
constexpr size_t kEncoded = 64 << 10;     // bytes of one read of a compressed body
constexpr uint32_t kMostHead = 64 << 10;  // bytes of a head
constexpr int kMostRedirects = 20;        // as browsers
constexpr int64_t kSecond = 1'000'000;    // microseconds
constexpr int64_t kLongestRetryAfter = 3600 * kSecond;
constexpr std::string_view kUserAgent = "flowrun (streaming dataflow)";

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

bool is_redirect(const HttpHead& head, const std::string& method) {
  if (head.field("Location").empty()) return false;
  if (head.status == 307 || head.status == 308) return true;
  return method == "GET" && (head.status == 301 || head.status == 302 || head.status == 303);
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  out += value;
  out += "\r\n";
}

std::string basic_authorization(const Url& url) {
  std::string value = "Basic ";
  append_base64(url.user_info, value);
  return value;
}

bool has_field(const HttpRequest& request, std::string_view name) {
  const auto is_it = [&](const HttpField& field) { return same_name(field.name, name); };
  return std::ranges::any_of(request.fields, is_it) ||
         std::ranges::any_of(request.private_fields, is_it);
}

// What travels in front of the body.
std::string head_of(const HttpRequest& request, const Url& url, const std::optional<Url>& proxy,
                    bool trusted) {
  const bool through_proxy = proxy && !url.secure;
  std::string out =
      fmt::format("{} {} HTTP/1.1\r\n", request.method, through_proxy ? url.text() : url.target);
  append_field(out, "Host", url.authority());
  if (!has_field(request, "User-Agent")) append_field(out, "User-Agent", kUserAgent);
  if (!has_field(request, "Accept-Encoding")) append_field(out, "Accept-Encoding", "gzip");
  for (const HttpField& field : request.fields) append_field(out, field.name, field.value);
  if (trusted) {
    for (const HttpField& field : request.private_fields)
      append_field(out, field.name, field.value);
    if (!url.user_info.empty() && !has_field(request, "Authorization"))
      append_field(out, "Authorization", basic_authorization(url));
  }
  if (through_proxy && !proxy->user_info.empty())
    append_field(out, "Proxy-Authorization", basic_authorization(*proxy));
  if (!request.body.empty() || request.method != "GET")
    append_field(out, "Content-Length", std::to_string(request.body.size()));
  return out + "\r\n";
}

}  // namespace

std::string_view HttpHead::field(std::string_view name) const {
  for (const HttpField& field : fields) {
    if (same_name(field.name, name)) return field.value;
  }
  return {};
}

std::string HttpHead::answer() const {
  return fmt::format("answers {}{}{}", status, reason.empty() ? "" : " ", reason);
}

bool HttpHead::worth_another_try() const {
  return status == 408 || status == 425 || status == 429 || status >= 500;
}

int64_t HttpHead::retry_after() const {
  const std::string_view text = field("Retry-After");
  int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || seconds < 0) return 0;
  return std::min(seconds, kLongestRetryAfter / kSecond) * kSecond;
}

struct HttpClient::Parts {
  Parts(HttpSettings settings_in, const Wakeup& wakeup_in)
      : settings(std::move(settings_in)), wakeup(wakeup_in), raw(kReceive, '\0') {}

  Status connect(const Url& url, const std::optional<Url>& proxy, int64_t deadline);
  Status open_tunnel(const Url& url, const Url& proxy, int64_t deadline);
  Status exchange(const std::string& head, std::string_view body, int64_t deadline);
  Result<HttpHead> send(const Url& url, const HttpRequest& request, bool trusted);
  void begin_answer(bool has_body);
  Status read_head(int64_t deadline);
  Result<HttpHead> take_head(const Url& url);
  Result<size_t> receive();
  Result<size_t> parse(std::span<char> space);
  Result<size_t> read_encoded(std::span<char> space);
  Result<size_t> read_decoded(std::span<char> space);
  Status end_of_stream();
  void let_go();

  [[nodiscard]] std::string_view unread() const {
    return std::string_view(raw).substr(raw_begin, raw_end - raw_begin);
  }
  [[nodiscard]] bool body_done() const { return !parser || parser->is_done(); }

  HttpSettings settings;
  const Wakeup& wakeup;
  std::optional<NetStream> stream;
  std::string origin;     // that the connection serves
  std::string peer;       // as it is named in messages
  bool answered = false;  // something came since the request was sent
  std::string raw;        // received: [raw_begin, raw_end) is not parsed yet
  size_t raw_begin = 0;
  size_t raw_end = 0;
  std::optional<Parser> parser;
  std::optional<Inflate> inflate;
  bool inflate_waits = false;  // it filled the space: more may come without input
  std::string encoded;
  std::string_view encoded_rest;
  int64_t bytes_received = 0;
};

void HttpClient::Parts::let_go() {
  stream.reset();
  origin.clear();
  parser.reset();
  inflate.reset();
  inflate_waits = false;
  encoded_rest = {};
  raw_begin = raw_end = 0;
}

Status HttpClient::Parts::connect(const Url& url, const std::optional<Url>& proxy,
                                  int64_t deadline) {
  let_go();
  const Url& first = proxy ? *proxy : url;
  FLOWRUN_TRY(Descriptor socket, tcp_connect({first.host, first.port}, wakeup));
  stream.emplace(std::move(socket));
  if (proxy && url.secure) FLOWRUN_RETURN_IF_ERROR(open_tunnel(url, *proxy, deadline));
  if (url.secure)
    FLOWRUN_RETURN_IF_ERROR(stream->secure(*settings.tls, url.host, wakeup, deadline));
  origin = url.origin();
  return {};
}

Status HttpClient::Parts::open_tunnel(const Url& url, const Url& proxy, int64_t deadline) {
  const std::string host = fmt::format(
      "{}:{}", url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]", url.port);
  std::string head = fmt::format("CONNECT {} HTTP/1.1\r\nHost: {}\r\n", host, host);
  if (!proxy.user_info.empty())
    append_field(head, "Proxy-Authorization", basic_authorization(proxy));
  head += "\r\n";
  peer = "the proxy " + proxy.authority();
  begin_answer(false);
  FLOWRUN_RETURN_IF_ERROR(exchange(head, {}, deadline));
  FLOWRUN_TRY(const HttpHead answer, take_head(proxy));
  if (!answer.ok()) return Error::unavailable(fmt::format("{} {}", peer, answer.answer()));
  parser.reset();
  raw_begin = raw_end = 0;
  return {};
}

void HttpClient::Parts::begin_answer(bool has_body) {
  parser.emplace();
  parser->header_limit(kMostHead);
  parser->body_limit(boost::none);
  parser->skip(!has_body);
  inflate.reset();
  inflate_waits = false;
  encoded_rest = {};
  answered = false;
}

Status HttpClient::Parts::exchange(const std::string& head, std::string_view body,
                                   int64_t deadline) {
  FLOWRUN_RETURN_IF_ERROR(stream->send(head, wakeup, deadline));
  FLOWRUN_RETURN_IF_ERROR(stream->send(body, wakeup, deadline));
  return read_head(deadline);
}

Result<size_t> HttpClient::Parts::receive() {
  if (raw_begin > 0) {
    std::memmove(raw.data(), raw.data() + raw_begin, raw_end - raw_begin);
    raw_end -= raw_begin;
    raw_begin = 0;
  }
  FLOWRUN_TRY(const size_t got, stream->receive({raw.data() + raw_end, raw.size() - raw_end}));
  raw_end += got;
  bytes_received += static_cast<int64_t>(got);
  answered = answered || got > 0;
  return got;
}

// Interim answers (1xx) are passed over.
Status HttpClient::Parts::read_head(int64_t deadline) {
  while (true) {
    if (raw_end > raw_begin) {
      boost::system::error_code error;
      const std::string_view bytes = unread();
      raw_begin += parser->put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
      if (error && error != http::error::need_more) {
        return Error::unavailable(
            fmt::format("what {} sends is no answer of HTTP/1.1 ({})", peer, error.message()));
      }
      if (parser->is_header_done()) {
        if (parser->get().result_int() / 100 != 1) break;
        const bool skipped = parser->skip();
        parser.emplace();
        parser->header_limit(kMostHead);
        parser->body_limit(boost::none);
        parser->skip(skipped);
        continue;
      }
    }
    FLOWRUN_TRY(const size_t got, receive());
    if (got > 0) continue;
    if (stream->closed())
      return Error::unavailable(fmt::format("{} closed the connection without an answer", peer));
    FLOWRUN_TRY(const bool ready, stream->wait(wakeup, deadline));
    if (!ready) return Error::unavailable(fmt::format("{} does not answer", peer));
  }
  parser->eager(true);
  return {};
}

Result<HttpHead> HttpClient::Parts::take_head(const Url& url) {
  const auto& message = parser->get();
  HttpHead head;
  head.status = static_cast<int>(message.result_int());
  head.reason = std::string(message.reason());
  if (head.reason.empty()) head.reason = std::string(http::obsolete_reason(message.result()));
  for (const auto& field : message)
    head.fields.push_back({std::string(field.name_string()), std::string(field.value())});
  head.url = url;
  const std::string_view encoding = head.field("Content-Encoding");
  if (same_name(encoding, "gzip") || same_name(encoding, "x-gzip") ||
      same_name(encoding, "deflate")) {
    inflate.emplace();
  } else if (!encoding.empty() && !same_name(encoding, "identity")) {
    return Error::io(fmt::format("{} sends its answer in the encoding {}, which nobody asked for",
                                 peer, encoding));
  }
  return head;
}

// One request to one place. A kept connection may have been closed meanwhile: then it is sent anew.
Result<HttpHead> HttpClient::Parts::send(const Url& url, const HttpRequest& request, bool trusted) {
  FLOWRUN_TRY(const std::optional<Url> proxy, settings.proxies.proxy_for(url));
  const int64_t deadline = steady_now() + settings.timeout;
  const std::string head = head_of(request, url, proxy, trusted);
  bool kept = stream && origin == url.origin() && body_done() && !inflate_waits && parser &&
              parser->keep_alive() && raw_begin == raw_end;
  while (true) {
    if (!kept) FLOWRUN_RETURN_IF_ERROR(connect(url, proxy, deadline));
    peer = url.authority();
    begin_answer(request.method != "HEAD");
    const Status sent = exchange(head, request.body, deadline);
    if (sent) return take_head(url);
    const bool stale = kept && !answered && sent.error().code == ErrorCode::unavailable;
    let_go();
    if (!stale) return sent.error();
    kept = false;
  }
}

Status HttpClient::Parts::end_of_stream() {
  boost::system::error_code error;
  parser->put_eof(error);
  if (error) {
    return Error::unavailable(
        fmt::format("{} closed the connection in the middle of its answer", peer));
  }
  return {};
}

// What was received already, through the parser; 0 when that is not enough for a byte.
Result<size_t> HttpClient::Parts::parse(std::span<char> space) {
  while (raw_end > raw_begin && !parser->is_done()) {
    auto& body = parser->get().body();
    body.data = space.data();
    body.size = space.size();
    body.more = true;
    boost::system::error_code error;
    const std::string_view bytes = unread();
    const size_t used = parser->put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
    raw_begin += used;
    if (error && error != http::error::need_more && error != http::error::need_buffer) {
      return Error::unavailable(
          fmt::format("what {} sends is no HTTP/1.1 ({})", peer, error.message()));
    }
    const size_t made = space.size() - body.size;
    if (made > 0) return made;
    if (used == 0) break;
  }
  return 0;
}

Result<size_t> HttpClient::Parts::read_encoded(std::span<char> space) {
  while (!body_done()) {
    FLOWRUN_TRY(const size_t made, parse(space));
    if (made > 0) return made;
    if (body_done()) break;
    FLOWRUN_TRY(const size_t got, receive());
    if (got > 0) continue;
    if (stream->closed()) FLOWRUN_RETURN_IF_ERROR(end_of_stream());
    break;
  }
  return 0;
}

Result<size_t> HttpClient::Parts::read_decoded(std::span<char> space) {
  while (true) {
    if (inflate_waits || !encoded_rest.empty() || inflate->failed()) {
      FLOWRUN_TRY(const size_t made, inflate->read(encoded_rest, space));
      inflate_waits = made == space.size();
      if (made > 0) return made;
    }
    encoded.resize(kEncoded);
    FLOWRUN_TRY(const size_t got, read_encoded(encoded));
    if (got == 0) {
      if (body_done() && !inflate->at_end()) {
        return Error::unavailable(
            fmt::format("{} ended its answer in the middle of the gzip stream", peer));
      }
      return 0;
    }
    encoded_rest = std::string_view(encoded).substr(0, got);
  }
}

HttpClient::HttpClient(HttpSettings settings, const Wakeup& wakeup)
    : parts_(std::make_unique<Parts>(std::move(settings), wakeup)) {}
HttpClient::~HttpClient() = default;

Result<HttpHead> HttpClient::start(const Url& url, const HttpRequest& request) {
  Url to = url;
  for (int redirects = 0; redirects <= kMostRedirects; ++redirects) {
    FLOWRUN_TRY(HttpHead head, parts_->send(to, request, to.origin() == url.origin()));
    if (!is_redirect(head, request.method)) return head;
    auto resolved = resolve_url(to, head.field("Location"));
    if (!resolved) return Error::io(to.text() + " redirects to what is no URL of a server");
    Url next = std::move(*resolved);
    if (to.secure && !next.secure) {
      return Error::io(
          fmt::format("{} redirects from https to {}, which is not safe", to.text(), next.text()));
    }
    to = std::move(next);
    to.user_info = to.origin() == url.origin() ? url.user_info : "";
    disconnect();
  }
  return Error::io(fmt::format("{} redirects without end", url.text()));
}

Result<size_t> HttpClient::read(std::span<char> space) {
  return parts_->inflate ? parts_->read_decoded(space) : parts_->read_encoded(space);
}

bool HttpClient::ended() const {
  const bool unpacked = !parts_->inflate_waits && parts_->encoded_rest.empty() &&
                        !(parts_->inflate && parts_->inflate->failed());
  return parts_->body_done() && unpacked;
}

Result<bool> HttpClient::wait(int64_t deadline) {
  return parts_->stream->wait(parts_->wakeup, deadline);
}

Result<std::string> HttpClient::read_all(size_t most) {
  const int64_t deadline = steady_now() + parts_->settings.timeout;
  std::string body;
  size_t size = 0;
  while (true) {
    body.resize(std::min(size + kEncoded, most + 1));
    FLOWRUN_TRY(const size_t got, read(std::span(body).subspan(size)));
    size += got;
    if (size > most) return Error::data(fmt::format("the answer is longer than {} bytes", most));
    if (got > 0) continue;
    if (ended()) break;
    FLOWRUN_TRY(const bool ready, wait(deadline));
    if (!ready) return Error::unavailable(fmt::format("{} is too slow", parts_->peer));
  }
  body.resize(size);
  return body;
}

int64_t HttpClient::take_bytes_received() { return std::exchange(parts_->bytes_received, 0); }

void HttpClient::disconnect() { parts_->let_go(); }

}  // namespace flowrun
