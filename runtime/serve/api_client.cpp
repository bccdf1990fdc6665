#include "runtime/serve/api_client.h"

#include <sys/socket.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "runtime/columnar/type.h"

namespace flowrun {

namespace {

namespace net = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr uint64_t kMostBytes = uint64_t{1} << 30;

class BeastClient final : public ApiClient {
 public:
  explicit BeastClient(std::string path) : path_(std::move(path)), socket_(io_) {}

  Status open(int64_t patience_seconds) {
    error_code failure;
    if (path_.size() >= sizeof(sockaddr_un::sun_path))
      return Error::invalid("the socket's path is too long: " + path_);
    socket_.connect(net::local::stream_protocol::endpoint(path_), failure);
    if (failure) return gone(failure);
    const timeval patience{patience_seconds, 0};
    setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(socket_.native_handle(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    return ok_status();
  }

  Result<ApiResponse> get(const std::string& target) override {
    return ask(http::verb::get, target, "", "");
  }
  Result<ApiResponse> post(const std::string& target, const std::string& body,
                           const std::string& content_type) override {
    return ask(http::verb::post, target, body, content_type);
  }

 private:
  Error gone(const error_code& failure) const {
    return Error::unavailable("no run answers at " + path_ + ": " + failure.message());
  }

  Result<ApiResponse> ask(http::verb method, const std::string& target, const std::string& body,
                          const std::string& content_type) {
    http::request<http::string_body> request(method, target, 11, body);
    request.set(http::field::host, "localhost");
    if (!content_type.empty()) request.set(http::field::content_type, content_type);
    request.prepare_payload();
    error_code failure;
    http::write(socket_, request, failure);
    if (failure) return gone(failure);
    http::response_parser<http::string_body> parser;
    parser.body_limit(kMostBytes);
    http::read(socket_, buffer_, parser, failure);
    if (failure) return gone(failure);
    ApiResponse response;
    response.status = static_cast<int>(parser.get().result_int());
    response.content_type = std::string(parser.get()[http::field::content_type]);
    for (const auto& field : parser.get())
      response.headers.emplace_back(
          lower_name({field.name_string().data(), field.name_string().size()}),
          std::string(field.value()));
    response.body = std::move(parser.get().body());
    return response;
  }

  std::string path_;
  net::io_context io_;
  net::local::stream_protocol::socket socket_;
  boost::beast::flat_buffer buffer_;
};

}  // namespace

Result<std::unique_ptr<ApiClient>> ApiClient::connect(const std::string& socket_path,
                                                      int64_t patience_seconds) {
  auto client = std::make_unique<BeastClient>(socket_path);
  FLOWRUN_RETURN_IF_ERROR(client->open(patience_seconds));
  return std::unique_ptr<ApiClient>(std::move(client));
}

}  // namespace flowrun
