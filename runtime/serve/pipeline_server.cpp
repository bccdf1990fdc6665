#include "runtime/serve/pipeline_server.h"

#include <fmt/format.h>
#include <pthread.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>

namespace flowrun {

namespace fs = std::filesystem;

namespace {

constexpr std::chrono::milliseconds kBetweenEvents{100};  // epochs closer together share an event
constexpr std::chrono::milliseconds kBetweenLooks{500};   // at sources that come and go
constexpr size_t kLeastToken = 16;

std::string home_folder() {
  if (const char* home = std::getenv("HOME"); home && *home) return home;
  const passwd* user = getpwuid(getuid());
  return user ? user->pw_dir : "/tmp";
}

fs::path runtime_folder() {
  const char* given = std::getenv("XDG_RUNTIME_DIR");
  if (given && *given) return fs::path(given) / "flowrun";
  return fs::path(home_folder()) / ".local/state/flowrun";
}

// "iot-1f2e3d4c": which file it is, whatever the way to it.
std::string name_of_run(const std::string& pipeline_file) {
  std::error_code ignored;
  fs::path path = fs::weakly_canonical(pipeline_file, ignored);
  if (ignored) path = pipeline_file;
  // FNV-1a: the same in every build, unlike the hashes of tables.
  uint32_t hash = 2166136261;
  for (const char c : path.string()) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619;
  std::string stem = path.stem().string().substr(0, 32);
  for (char& c : stem) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return fmt::format("{}-{:08x}", stem, hash);
}

// Sockets of processes that were killed before they could take them away.
void remove_left_over(const fs::path& folder) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.path().extension() != ".sock") continue;
    const std::string name = entry.path().stem().string();
    const size_t dash = name.rfind('-');
    if (dash == std::string::npos) continue;
    const long process = std::strtol(name.c_str() + dash + 1, nullptr, 10);
    const bool gone = process > 0 && kill(static_cast<pid_t>(process), 0) != 0 && errno == ESRCH;
    if (gone) fs::remove(entry.path(), ignored);
  }
}

// REQUIRES: `serve` has the group `tls`.
TlsFiles tls_files(const Options& serve) {
  const Options tls = serve.group("tls");
  return {tls.text("certificate"), tls.text("key"), tls.text_or("client_ca", "")};
}

}  // namespace

Result<std::string> default_socket_path(const std::string& pipeline_file) {
  const fs::path folder = runtime_folder();
  std::error_code failure;
  fs::create_directories(folder, failure);
  if (failure)
    return Error::io(fmt::format("cannot make {}: {}", folder.string(), failure.message()));
  if (chmod(folder.c_str(), S_IRWXU) != 0)
    return Error::from_errno("cannot close " + folder.string() + " to others", errno);
  remove_left_over(folder);
  return (folder / fmt::format("{}-{}.sock", name_of_run(pipeline_file), getpid())).string();
}

std::vector<std::string> sockets_of_runs(const std::string& pipeline_file) {
  std::vector<std::pair<fs::file_time_type, std::string>> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(runtime_folder(), ignored)) {
    const std::string name = entry.path().filename().string();
    if (entry.path().extension() != ".sock") continue;
    if (!pipeline_file.empty() && !name.starts_with(name_of_run(pipeline_file) + "-")) continue;
    found.emplace_back(entry.last_write_time(ignored), entry.path().string());
  }
  std::ranges::sort(found, std::greater());
  std::vector<std::string> paths;
  for (auto& [time, path] : found) paths.push_back(std::move(path));
  return paths;
}

Result<ServeSettings> serve_settings(const Plan& plan) {
  ServeSettings settings;
  settings.sql.time_limit_name = "`time_limit` under `serve:`";
  if (!plan.serve) return settings;
  const Options& options = plan.serve->options;
  settings.sql.time_limit = options.integer("time_limit");
  settings.sql.max_rows = options.integer("max_rows");
  settings.http.max_connections = static_cast<size_t>(options.integer("max_connections"));
  settings.http.socket_path = options.text_or("socket", "");
  const OptionValue* listen = options.find("listen");
  if (!listen) return settings;
  auto address = parse_listen_address(listen->text);
  if (!address) return std::move(address.error()).at(listen->position);
  const std::string token = options.text_or("token", "");
  const OptionValue* tls = options.find("tls");
  const TlsFiles files = tls ? tls_files(options) : TlsFiles{};
  if (!address->loopback && token.empty() && files.client_ca.empty())
    return Error::invalid("others can reach " + listen->text +
                          " — set `token: ${env:TOKEN}` or `tls: { client_ca: FILE, ... }`, or "
                          "listen on 127.0.0.1")
        .at(listen->position);
  if (!token.empty() && token.size() < kLeastToken)
    return Error::invalid(
               fmt::format("the token is too short — {} characters at least", kLeastToken))
        .at(options.at("token").position);
  if (tls) {
    auto certificates = TlsCertificates::read(files);
    if (!certificates) return std::move(certificates.error()).at(tls->position);
    settings.http.tls = std::move(*certificates);
  }
  settings.http.tcp = HttpGuard::Options{*address,
                                         token,
                                         options.texts("hosts"),
                                         options.texts("origins"),
                                         tls != nullptr,
                                         !files.client_ca.empty()};
  return settings;
}

PipelineServer::PipelineServer(Engine& engine, const FunctionRegistry& functions,
                               const ServeSettings& settings)
    : engine_(engine),
      api_(engine, functions, state_,
           {settings.sql, settings.version,
            [this] {
              const HttpServer* server = listening_;
              return server ? server->connections() : 0;
            },
            [this] {
              const HttpServer* server = listening_;
              return server ? server->streams() : 0;
            },
            settings.http.tcp && settings.http.tcp->client_certificates}) {}

Result<std::unique_ptr<PipelineServer>> PipelineServer::start(Engine& engine,
                                                              const FunctionRegistry& functions,
                                                              const ServeSettings& settings) {
  std::unique_ptr<PipelineServer> server(new PipelineServer(engine, functions, settings));
  PipelineServer* self = server.get();
  HttpServerOptions http = settings.http;
  http.on_log = [self, tell = settings.on_log](const LogEvent& event) {
    self->on_log(event);
    if (tell) tell(event);
  };
  FLOWRUN_TRY(server->http_, HttpServer::start(std::move(http), [self](const ApiRequest& request) {
                return self->api_.answer(request);
              }));
  server->listening_ = server->http_.get();
  server->teller_ = std::thread([self] {
    pthread_setname_np(pthread_self(), "serve");
    self->tell_streams();
  });
  return server;
}

PipelineServer::~PipelineServer() {
  stop_telling();
  if (http_) http_->stop();
}

void PipelineServer::on_progress(const Progress& progress) {
  state_.on_progress(progress);
  news_.notify_one();
}

void PipelineServer::on_log(const LogEvent& event) {
  state_.on_log(event);
  news_.notify_one();
}

// One event for what happened since the last, and nothing while nobody listens.
void PipelineServer::tell_streams() {
  int64_t told = -1;
  std::string sources;
  std::unique_lock lock(mutex_);
  while (!ending_) {
    news_.wait_for(lock, kBetweenLooks, [&] { return ending_ || state_.version() != told; });
    if (ending_) return;
    lock.unlock();
    if (http_ && http_->streams() > 0) {
      std::string now;
      for (const SourceView& source : engine_.sources())
        now += source.available ? (source.ended ? 'e' : 'a') : 'u';
      for (const SinkView& sink : engine_.sinks()) now += sink.available ? 'a' : 'u';
      const int64_t version = state_.version();
      if (version != told || now != sources) tell_once(true);
      told = version;
      sources = std::move(now);
    } else {
      told = state_.version();
    }
    lock.lock();
    news_.wait_for(lock, kBetweenEvents, [this] { return ending_; });
  }
}

void PipelineServer::tell_once(bool with_log) {
  std::string event = "event: epoch\ndata: " + api_.epoch_json() + "\n\n";
  if (with_log) event += "event: log\ndata: " + api_.log_json() + "\n\n";
  http_->publish(std::move(event));
}

void PipelineServer::stop_telling() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  news_.notify_all();
  if (teller_.joinable()) teller_.join();
}

void PipelineServer::finish(const Status& done) {
  const bool failed = !done && done.error().code != ErrorCode::cancelled;
  state_.set_phase(failed ? LiveState::Phase::failed : LiveState::Phase::ended,
                   failed ? done.error().message : "");
  if (failed) state_.on_log({LogEvent::Level::error, {}, done.error().message});
  stop_telling();
  tell_once(true);
  http_->stop();
}

}  // namespace flowrun
