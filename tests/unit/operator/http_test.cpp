// The parts of speaking HTTP that need no network: URLs, proxies, gzip, templates.
#include <rapidcheck.h>
#include <zlib.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "runtime/operator/http/inflate.h"
#include "runtime/operator/http/json_template.h"
#include "runtime/operator/http/proxy.h"
#include "tests/support/json_rows.h"

using namespace flowrun;

namespace {

std::string gzipped(std::string text) {
  z_stream z{};
  REQUIRE(deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&z, text.size()), '\0');
  z.next_in = reinterpret_cast<Bytef*>(text.data());
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&z, Z_FINISH) == Z_STREAM_END);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

std::string proxy_text(const ProxySettings& settings, const std::string& url) {
  const auto proxy = settings.proxy_for(*parse_url(url));
  REQUIRE(proxy);
  return *proxy ? (*proxy)->authority() : "none";
}

}  // namespace

TEST_CASE("a URL is taken apart, and shown without the user's password") {
  const auto url = parse_url("https://us%65r:pass%20word@Example.org/a%20b?c=d#e");
  REQUIRE(url);
  CHECK(url->secure);
  CHECK(url->port == 443);
  CHECK(url->target == "/a%20b?c=d");
  CHECK(url->user_info == "user:pass word");
  CHECK(url->text() == "https://Example.org/a%20b?c=d");
  const auto six = parse_url("http://[::1]:8080");
  REQUIRE(six);
  CHECK(six->host == "::1");
  CHECK(six->authority() == "[::1]:8080");
  CHECK(six->target == "/");
}

TEST_CASE("what is no URL of a server is refused without showing a password") {
  for (const char* text : {"", "example.org", "ftp://a/b", "http://", "http:///a", "http://a:0/",
                           "http://a:99999/", "http://a b/", "mailto:a@b"}) {
    INFO(text);
    CHECK_FALSE(parse_url(text));
  }
  const auto refused = parse_url("ftp://me:geheim@a/b");
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().message, !Catch::Contains("geheim"));
}

TEST_CASE("a redirect's place may be relative") {
  const Url base = *parse_url("https://a.example:444/x/y?q");
  CHECK(resolve_url(base, "z")->text() == "https://a.example:444/x/z");
  CHECK(resolve_url(base, "../z?r")->text() == "https://a.example:444/z?r");
  CHECK(resolve_url(base, "//b.example/z")->text() == "https://b.example/z");
  CHECK(resolve_url(base, "http://b.example")->text() == "http://b.example/");
  CHECK_FALSE(resolve_url(base, "javascript:x"));
}

TEST_CASE("the environment's proxies are for hosts that it does not except") {
  const ProxySettings settings{"http://p.example:3128", "q.example:8080",
                               "inner.example, .deep.example,10.0.0.1 ,port.example:8443"};
  CHECK(proxy_text(settings, "http://a.example/") == "p.example:3128");
  CHECK(proxy_text(settings, "https://a.example/") == "q.example:8080");
  CHECK(proxy_text(settings, "http://inner.example/") == "none");
  CHECK(proxy_text(settings, "http://x.INNER.example/") == "none");
  CHECK(proxy_text(settings, "http://winner.example/") == "p.example:3128");
  CHECK(proxy_text(settings, "http://x.deep.example/") == "none");
  CHECK(proxy_text(settings, "http://10.0.0.1/") == "none");
  CHECK(proxy_text(settings, "https://port.example:8443/") == "none");
  CHECK(proxy_text(settings, "https://port.example/") == "q.example:8080");
  CHECK(proxy_text(settings, "http://127.0.0.1/") == "none");
  CHECK(proxy_text(settings, "http://localhost/") == "none");
  CHECK(proxy_text({"p.example:1", "", "*"}, "http://a.example/") == "none");
  CHECK(proxy_text({}, "http://a.example/") == "none");
  CHECK_FALSE(ProxySettings{"socks5://x", "", ""}.proxy_for(*parse_url("http://a.example/")));
}

TEST_CASE("gzip is undone however it and the space are cut") {
  rc::check("inflate", [] {
    const auto words = *rc::gen::arbitrary<std::vector<std::string>>();
    std::string text;
    for (const std::string& word : words) text += word + " and again " + word;
    const std::string packed = gzipped(text) + gzipped("the end");
    Inflate inflate;
    std::string out, space(*rc::gen::inRange<size_t>(1, 100), '\0');
    for (size_t at = 0; at < packed.size();) {
      const size_t size = *rc::gen::inRange<size_t>(1, 50);
      std::string_view input = std::string_view(packed).substr(at, size);
      at += size;
      for (size_t made = 1; made > 0 || !input.empty();) {
        made = *inflate.read(input, space);
        out.append(space, 0, made);
      }
    }
    RC_ASSERT(out == text + "the end");
    RC_ASSERT(inflate.at_end());
  });
}

TEST_CASE("gzip that is broken gives what stands before, then says so") {
  std::string packed = gzipped("whole text");
  packed[packed.size() - 6] = static_cast<char>(~packed[packed.size() - 6]);
  Inflate inflate;
  std::string space(100, '\0');
  std::string_view input = packed;
  const auto made = inflate.read(input, space);
  REQUIRE(made);
  CHECK(space.substr(0, *made) == "whole text");
  REQUIRE(inflate.failed());
  const auto after = inflate.read(input, space);
  REQUIRE_FALSE(after);
  CHECK(after.error().code == ErrorCode::data);
}

TEST_CASE("a template's values never change its form") {
  const RecordBatch rows = rows_from_json("s string, n bigint, l array<string>",
                                          R"({"s": "a\"b\\\n", "n": 5, "l": ["x"]}
{})");
  const auto compiled = JsonTemplate::compile(
      R"({"text": "<{{s}}> {{ n }} \"{{l}}\"", "s": {{s}}, "all": [{{n}}, {{l}}]})", rows.schema(),
      {});
  REQUIRE(compiled);
  std::string out;
  compiled->append(rows, 0, out);
  CHECK(out == R"({"text": "<a\"b\\\n> 5 \"[\"x\"]\"", "s": "a\"b\\\n", "all": [5, ["x"]]})");
  out.clear();
  compiled->append(rows, 1, out);
  CHECK(out == R"({"text": "<>  \"\"", "s": null, "all": [null, null]})");
}

TEST_CASE("a template that cannot become JSON, or names no column, is refused") {
  const SchemaPtr schema = rows_from_json("s string", "").schema();
  for (const char* text :
       {"{{s}", "{\"a\": {{s}}", "{{s}} {{s}}", "{\"a\": \"{{s}}}", "{{nosuch}}"}) {
    INFO(text);
    CHECK_FALSE(JsonTemplate::compile(text, schema, {}));
  }
  CHECK(JsonTemplate::compile("{{s}}", schema, {}));
  CHECK(JsonTemplate::compile("{}", schema, {}));
}
