// A running pipeline over HTTP, by sockets of our own: what clients do, well or badly.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <thread>

#include "operators/register_all.h"
#include "runtime/config/load.h"
#include "runtime/expr/function_registry.h"
#include "runtime/serve/api_client.h"
#include "runtime/serve/metrics.h"
#include "runtime/serve/pipeline_server.h"
#include "runtime/state/aggregate_functions.h"
#include "tests/support/json_rows.h"

using namespace flowrun;

namespace {

constexpr const char* kPipeline = R"yaml(
name: counted
trigger: 100 milliseconds
serve: { listen: "127.0.0.1:0", token: SECRET }
nodes:
  numbers: { source: generate, rows_per_second: 2000 }
  keyed: { from: numbers, with_columns: { k: "value % 5" } }
  counts: { from: keyed, group_by: [k], agg: count }
  table: { from: counts, sink: memory, table: counts, mode: complete, every: 1 millisecond }
  sums: { from: keyed, group_by: [], agg: { rows: "count(*)"
}
}
  total: { from: sums, sink: memory, table: total, mode: complete, every: 1 millisecond }
)yaml";

bool eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (std::chrono::steady_clock::now() < end) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

// A pipeline that runs, and its server.
class Served {
 public:
  explicit Served(const std::string& token = "") {
    register_all_operators(registry_);
    register_all_functions(functions_);
    register_aggregate_functions(functions_);
    std::string text = kPipeline;
    const size_t at = text.find("token: SECRET");
    text.replace(at, 13, token.empty() ? "max_rows: 5000" : "token: " + token);
    LoadedPlan loaded = load_plan_text(text, "counted.yaml", registry_, {});
    REQUIRE(loaded.plan);
    EngineOptions options;
    options.on_progress = [this](const Progress& progress) {
      if (PipelineServer* server = serving_) server->on_progress(progress);
    };
    options.on_log = [this](const LogEvent& event) {
      if (PipelineServer* server = serving_) server->on_log(event);
    };
    Diagnostics diagnostics;
    engine_ = Engine::load(std::move(*loaded.plan), registry_, functions_, std::move(options),
                           diagnostics);
    REQUIRE(engine_);
    auto settings = serve_settings(engine_->plan());
    REQUIRE(settings);
    folder_ =
        std::filesystem::temp_directory_path() / ("flowrun-serve-" + std::to_string(getpid()) +
                                                  "-" + std::to_string(std::random_device{}()));
    std::filesystem::create_directories(folder_);
    settings->http.socket_path = (folder_ / "run.sock").string();
    settings->http.step_seconds = 2;
    settings->http.idle_seconds = 2;
    auto server = PipelineServer::start(*engine_, functions_, *settings);
    REQUIRE(server);
    server_ = std::move(*server);
    serving_ = server_.get();
    server_->set_running();
    thread_ = std::thread([this] { done_ = engine_->run(); });
  }
  ~Served() {
    engine_->stop();
    thread_.join();
    server_->finish(done_);
    server_.reset();
    std::filesystem::remove_all(folder_);
  }
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;

  std::unique_ptr<ApiClient> client() {
    auto made = ApiClient::connect((folder_ / "run.sock").string());
    REQUIRE(made);
    return std::move(*made);
  }
  ApiResponse get(const std::string& target) {
    auto answer = client()->get(target);
    REQUIRE(answer);
    return std::move(*answer);
  }
  ApiResponse sql(const std::string& statement) {
    auto answer = client()->post("/v1/sql", statement, "text/plain");
    REQUIRE(answer);
    return std::move(*answer);
  }
  [[nodiscard]] uint16_t port() const { return server_->port(); }
  Engine& engine() { return *engine_; }

 private:
  Registry registry_;
  FunctionRegistry functions_;
  std::unique_ptr<Engine> engine_;
  std::filesystem::path folder_;
  std::unique_ptr<PipelineServer> server_;
  std::atomic<PipelineServer*> serving_{nullptr};
  Status done_;
  std::thread thread_;
};

// A plain TCP connection to the server.
class Peer {
 public:
  explicit Peer(uint16_t port) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    const timeval patience{30, 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  ~Peer() { close(socket_); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  bool send(const std::string& text) {
    return connected_ && ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL) ==
                             static_cast<ssize_t>(text.size());
  }
  // What comes until `mark` does, or the end.
  std::string receive(const std::string& mark = "") {
    std::string text;
    char piece[4096];
    while (mark.empty() || text.find(mark) == std::string::npos) {
      const ssize_t got = recv(socket_, piece, sizeof piece, 0);
      if (got <= 0) break;
      text.append(piece, static_cast<size_t>(got));
    }
    return text;
  }

 private:
  int socket_;
  bool connected_ = false;
};

std::string request(uint16_t port, const std::string& target, const std::string& more = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) + "\r\n" + more +
         "\r\n";
}

}  // namespace

TEST_CASE("every address answers while the pipeline runs") {
  Served served;
  REQUIRE(eventually(
      [&] { return served.get("/v1/tables/counts").body.find("[4,") != std::string::npos; }));
  for (const char* target :
       {"/v1/status", "/v1/tables", "/v1/words", "/v1/graph", "/v1/log", "/metrics", "/healthz",
        "/readyz", "/openapi.json", "/", "/dashboard/main.js", "/dashboard/dashboard.css"}) {
    INFO(target);
    CHECK(served.get(target).status == 200);
  }
  CHECK(served.get("/v1/nothing").status == 404);
  CHECK(served.get("/v1/tables/cuonts").body.find("did you mean `counts`?") != std::string::npos);
  CHECK(served.get("/v1/sql").status == 405);
  CHECK(served.get("/v1/tables/counts?limit=x").status == 400);
  CHECK(served.get("/v1/tables/counts?format=csv&order=k%20desc&limit=1")
            .body.starts_with("k,count\n4,"));
  CHECK(served.sql("select nosuch from counts").body.find("\"offset\":7") != std::string::npos);
}

TEST_CASE("tables of one statement are of one epoch") {
  Served served;
  for (int i = 0; i < 50; ++i) {
    const ApiResponse answer = served.sql(
        "select (select coalesce(sum(count), 0) from counts) = "
        "(select coalesce(sum(rows), 0) from total) as same");
    INFO(answer.body);
    CHECK(answer.body.find("\"rows\":[[1]]") != std::string::npos);
  }
}

TEST_CASE("a tap shows rows that pass, and names what is wrong with a question") {
  Served served;
  const ApiResponse rows = served.get("/v1/nodes/keyed/tap?limit=3&format=ndjson");
  CHECK(rows.status == 200);
  CHECK(std::count(rows.body.begin(), rows.body.end(), '\n') == 3);
  CHECK(rows.body.find("\"k\":") != std::string::npos);
  CHECK(served.get("/v1/nodes/table/tap?input=true&limit=1").body.find("count") !=
        std::string::npos);
  CHECK(served.get("/v1/nodes/kyed/tap").status == 404);
  CHECK(served.get("/v1/nodes/table/tap").status == 400);
  CHECK(served.get("/v1/nodes/keyed/tap?limit=0").status == 400);
}

TEST_CASE("a stream of events tells of epochs") {
  Served served;
  Peer peer(served.port());
  REQUIRE(peer.send(request(served.port(), "/v1/events")));
  const std::string head = peer.receive("event: epoch");
  CHECK(head.starts_with("HTTP/1.1 200"));
  CHECK(head.find("text/event-stream") != std::string::npos);
  CHECK(peer.receive("\"edge_rates\"").find("data: {") != std::string::npos);
}

TEST_CASE("over TCP strangers are refused") {
  Served served("0123456789abcdef");
  Peer nobody(served.port());
  REQUIRE(nobody.send(request(served.port(), "/v1/tables", "Connection: close\r\n")));
  CHECK(nobody.receive().starts_with("HTTP/1.1 401"));
  Peer friendly(served.port());
  REQUIRE(
      friendly.send(request(served.port(), "/v1/tables",
                            "Connection: close\r\nAuthorization: Bearer 0123456789abcdef\r\n")));
  CHECK(friendly.receive().starts_with("HTTP/1.1 200"));
  Peer rebound(served.port());
  REQUIRE(rebound.send("GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"));
  CHECK(rebound.receive().starts_with("HTTP/1.1 403"));
  CHECK(served.get("/v1/status").body.find("0123456789abcdef") == std::string::npos);
}

TEST_CASE("what is no HTTP, or too much of it, is told and ends the connection") {
  Served served;
  Peer nonsense(served.port());
  REQUIRE(nonsense.send("hello\r\n\r\n"));
  CHECK(nonsense.receive().starts_with("HTTP/1.1 400"));
  Peer large(served.port());
  REQUIRE(large.send(request(served.port(), "/", "X-Much: " + std::string(20'000, 'x') + "\r\n")));
  CHECK(large.receive().starts_with("HTTP/1.1 431"));
  Peer body(served.port());
  REQUIRE(body.send("POST /v1/sql HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(served.port()) +
                    "\r\nContent-Length: 9000000\r\n\r\n"));
  CHECK(body.receive().starts_with("HTTP/1.1 413"));
}

TEST_CASE("a connection that says nothing is closed after a while") {
  Served served;
  Peer silent(served.port());
  Peer slow(served.port());
  REQUIRE(slow.send("GET / HT"));
  CHECK(silent.receive().empty());
  CHECK(slow.receive().empty());
}

TEST_CASE("two hundred clients that come and go, read slowly or hang up do no harm") {
  Served served;
  std::vector<std::thread> clients;
  std::atomic<int> answered{0};
  constexpr int kThreads = 20, kClients = 10;
  for (int t = 0; t < kThreads; ++t) {
    clients.emplace_back([&, t] {
      for (int i = 0; i < kClients; ++i) {
        Peer peer(served.port());
        switch ((t + i) % 5) {
          case 0:  // half a request
            peer.send("GET /v1/tab");
            break;
          case 1:  // asks and hangs up
            peer.send(request(served.port(), "/v1/tables/counts"));
            break;
          case 2:  // a stream that is left at once
            peer.send(request(served.port(), "/v1/events"));
            peer.receive("retry");
            break;
          case 3:  // a stream that is not read for a while
            peer.send(request(served.port(), "/v1/events"));
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
            break;
          default:
            peer.send(request(served.port(), "/v1/tables/counts", "Connection: close\r\n"));
            if (peer.receive().starts_with("HTTP/1.1 ")) ++answered;
        }
      }
    });
  }
  for (std::thread& client : clients) client.join();
  CHECK(answered == kThreads * kClients / 5);
  CHECK(served.get("/healthz").status == 200);
}

TEST_CASE("stopping by HTTP ends the run") {
  Served served;
  auto answer = served.client()->post("/v1/stop", "", "text/plain");
  REQUIRE(answer);
  CHECK(answer->status == 202);
}

TEST_CASE("serving asks for a token where others can reach it") {
  Registry registry;
  register_all_operators(registry);
  const auto settings = [&](const std::string& serve) {
    const std::string text =
        "serve: { " + serve +
        " }\nnodes: { n: { source: generate }, o: { from: n, sink: memory, table: t } }\n";
    LoadedPlan loaded = load_plan_text(text, "p.yaml", registry, {});
    REQUIRE(loaded.plan);
    return serve_settings(*loaded.plan);
  };
  const auto open = settings("listen: 0.0.0.0:8080");
  REQUIRE(!open);
  CHECK(open.error().message.find("token") != std::string::npos);
  CHECK(open.error().position.line == 1);
  CHECK(!settings("listen: 0.0.0.0:8080, token: short"));
  CHECK(settings("listen: 0.0.0.0:8080, token: 0123456789abcdef"));
  CHECK(!settings("listen: nowhere"));
}

TEST_CASE("every metric is in docs/operations.md, and nothing else") {
  CHECK(read_whole_file("docs/operations.md").find(metrics_markdown()) != std::string::npos);
  Served served;
  REQUIRE(eventually(
      [&] { return served.get("/metrics").body.find("flowrun_table_rows") != std::string::npos; }));
  std::istringstream lines(served.get("/metrics").body);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("#")) continue;
    const std::string name = line.substr(0, line.find_first_of("{ "));
    INFO(line);
    CHECK(std::ranges::any_of(metric_specs(),
                              [&](const MetricSpec& spec) { return spec.name == name; }));
  }
}
