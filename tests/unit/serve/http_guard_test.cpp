#include "runtime/serve/http_guard.h"

#include <catch2/catch.hpp>

using namespace flowrun;

namespace {

HttpGuard guard(std::string token = "", std::vector<std::string> hosts = {},
                std::vector<std::string> origins = {}) {
  ListenAddress address = *parse_listen_address("127.0.0.1:8080");
  return HttpGuard({address, std::move(token), std::move(hosts), std::move(origins)});
}

ApiRequest request(std::map<std::string, std::string> headers, std::string path = "/v1/tables") {
  ApiRequest made;
  made.method = "GET";
  made.path = std::move(path);
  made.headers = std::move(headers);
  return made;
}

int refusal(const HttpGuard& guard, const ApiRequest& request) {
  const auto refused = guard.refuse(request);
  return refused ? refused->status : 0;
}

}  // namespace

TEST_CASE("addresses are taken apart, and those of this machine known") {
  CHECK(parse_listen_address("127.0.0.1:8080")->loopback);
  CHECK(parse_listen_address("localhost:0")->loopback);
  CHECK(parse_listen_address("[::1]:80")->host == "::1");
  CHECK(parse_listen_address("[::1]:80")->loopback);
  CHECK(parse_listen_address("8080")->host == "127.0.0.1");
  CHECK(!parse_listen_address("0.0.0.0:8080")->loopback);
  CHECK(!parse_listen_address("127.evil.example:8080")->loopback);
  for (const char* wrong : {"", "here", "127.0.0.1:x", "127.0.0.1:70000", "::1:80", "a:1:2"})
    CHECK(!parse_listen_address(wrong));
}

TEST_CASE("only the names of this server are answered to") {
  CHECK(refusal(guard(), request({{"host", "127.0.0.1:8080"}})) == 0);
  CHECK(refusal(guard(), request({{"host", "localhost:8080"}})) == 0);
  CHECK(refusal(guard(), request({{"host", "rebound.example:8080"}})) == 403);
  CHECK(refusal(guard(), request({{"host", "localhost:9090"}})) == 403);
  CHECK(refusal(guard(), request({})) == 403);
  CHECK(refusal(guard("", {"flow.example"}), request({{"host", "flow.example"}})) == 0);
}

TEST_CASE("pages of other origins are refused unless they are allowed") {
  const std::string host = "127.0.0.1:8080";
  CHECK(refusal(guard(), request({{"host", host}, {"origin", "http://" + host}})) == 0);
  CHECK(refusal(guard(), request({{"host", host}, {"origin", "http://evil.example"}})) == 403);
  CHECK(refusal(guard(), request({{"host", host}, {"origin", "null"}})) == 403);
  const HttpGuard open = guard("", {}, {"https://board.example"});
  const ApiRequest asked = request({{"host", host}, {"origin", "https://board.example"}});
  CHECK(refusal(open, asked) == 0);
  CHECK(open.allowed_origin(asked) == "https://board.example");
  CHECK(guard().allowed_origin(asked).empty());
}

TEST_CASE("with a token all but the page and health need it") {
  const HttpGuard closed = guard("0123456789abcdef");
  const std::string host = "127.0.0.1:8080";
  CHECK(refusal(closed, request({{"host", host}})) == 401);
  CHECK(refusal(closed, request({{"host", host}, {"authorization", "Bearer 0123456789abcdeX"}})) ==
        401);
  CHECK(refusal(closed, request({{"host", host}, {"authorization", "Bearer "}})) == 401);
  CHECK(refusal(closed, request({{"host", host}, {"authorization", "Basic 0123456789abcdef"}})) ==
        401);
  CHECK(refusal(closed, request({{"host", host}, {"authorization", "Bearer 0123456789abcdef"}})) ==
        0);
  CHECK(refusal(closed, request({{"host", host}}, "/healthz")) == 0);
  CHECK(refusal(closed, request({{"host", host}}, "/dashboard/main.js")) == 0);
  CHECK(refusal(closed, request({{"host", host}}, "/metrics")) == 401);
}

TEST_CASE("a certificate of a client stands for the token") {
  const std::string host = "127.0.0.1:8080";
  const ListenAddress address = *parse_listen_address(host);
  ApiRequest certified = request({{"host", host}});
  certified.certified = true;
  for (const char* token : {"", "0123456789abcdef"}) {
    const HttpGuard closed({address, token, {}, {}, true, true});
    CHECK(refusal(closed, certified) == 0);
    CHECK(refusal(closed, request({{"host", host}})) == 401);
    CHECK(refusal(closed, request({{"host", host}}, "/healthz")) == 0);
  }
  certified.headers["origin"] = "http://evil.example";
  CHECK(refusal(HttpGuard({address, "", {}, {}, true, true}), certified) == 403);
}

TEST_CASE("over TLS a page of this server has its origin") {
  const std::string host = "127.0.0.1:8080";
  const HttpGuard safe({*parse_listen_address(host), "", {}, {}, true, false});
  CHECK(refusal(safe, request({{"host", host}, {"origin", "https://" + host}})) == 0);
  CHECK(refusal(safe, request({{"host", host}, {"origin", "http://" + host}})) == 403);
}

TEST_CASE("targets are split and decoded") {
  ApiRequest made;
  REQUIRE(split_target("/v1/tables/a%20b?limit=5&order=x+desc&empty&=1", made));
  CHECK(made.path == "/v1/tables/a b");
  CHECK(made.query.at("limit") == "5");
  CHECK(made.query.at("order") == "x desc");
  CHECK(made.query.contains("empty"));
  CHECK(!split_target("/%zz", made));
  CHECK(!split_target("/%2", made));
  CHECK(percent_encoded("a b/ü") == "a%20b%2F%C3%BC");
}
