#include "tools/flowrun/running.h"

#include <cstdio>
#include <filesystem>

#include "operators/register_all.h"
#include "runtime/config/load.h"
#include "runtime/serve/pipeline_server.h"

namespace flowrun {

namespace {

// `serve: { socket: PATH }` of the file, if it can be read and says so.
std::string named_socket(const std::string& file) {
  Registry registry;
  register_all_operators(registry);
  LoadedPlan loaded = load_plan(file, registry, {});
  if (!loaded.plan || !loaded.plan->serve) return "";
  return loaded.plan->serve->options.text_or("socket", "");
}

}  // namespace

Result<std::unique_ptr<ApiClient>> connect_to_run(const std::string& file) {
  std::error_code ignored;
  if (std::filesystem::is_socket(file, ignored)) return ApiClient::connect(file);
  if (!std::filesystem::exists(file, ignored))
    return Error::invalid("there is no " + file +
                          " — name the pipeline's file, or the socket of a run");
  for (const std::string& path : sockets_of_runs(file)) {
    if (auto client = ApiClient::connect(path)) return client;
  }
  if (const std::string named = named_socket(file); !named.empty()) {
    if (auto client = ApiClient::connect(named)) return client;
  }
  return Error::unavailable(file + " does not run — start it with `flowrun " + file + "`");
}

std::vector<std::pair<std::string, std::string>> absent_peers(const rapidjson::Document& status) {
  std::vector<std::pair<std::string, std::string>> absent;
  // The run may be of another version of flowrun.
  for (const char* list : {"sources", "sinks_now"}) {
    if (!status.HasMember(list)) continue;
    for (const auto& node : status[list].GetArray()) {
      if (node["available"].GetBool()) continue;
      absent.emplace_back(node["node"].GetString(),
                          node.HasMember("absent_since") ? node["absent_since"].GetString() : "");
    }
  }
  return absent;
}

std::string error_of(const ApiResponse& response) {
  rapidjson::Document document;
  document.Parse(response.body.data(), response.body.size());
  if (document.HasParseError() || !document.IsObject() || !document.HasMember("error"))
    return "error: " + response.body;
  const auto& error = document["error"];
  if (error.HasMember("text")) return error["text"].GetString();
  return std::string("error: ") + error["message"].GetString();
}

int complain(const std::string& message, int exit_code) {
  std::fprintf(stderr, "%s\n", message.c_str());
  return exit_code;
}

}  // namespace flowrun
