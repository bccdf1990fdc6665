// flowrun status, tap and stop of other runs: what runs, and what passes through it.

#include <fmt/format.h>
#include <rapidjson/document.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "runtime/serve/pipeline_server.h"
#include "tools/flowrun/commands.h"
#include "tools/flowrun/running.h"
#include "tools/flowrun/text.h"

namespace flowrun {
namespace {

// One line: "iot  running  epoch 12  1,024 rec/s  pipelines/iot.yaml  pid 77".
std::string line_of(const rapidjson::Document& status) {
  std::string line = fmt::format("{}  {}", status["name"].GetString(), status["phase"].GetString());
  const auto& progress = status["progress"];
  if (progress.IsObject()) {
    line +=
        fmt::format("  epoch {}  {} rec/s  {}", with_separators(progress["epoch"].GetInt64()),
                    with_separators(std::llround(progress["input_rows_per_second"].GetDouble())),
                    size_text(progress["memory_bytes"].GetInt64()));
  } else {
    line += "  no epoch yet";
  }
  for (const auto& [node, since] : absent_peers(status))
    line +=
        fmt::format("  ({} waits for its peer{}{})", node, since.empty() ? "" : " since ", since);
  return line + fmt::format("  {}  pid {}", status["file"].GetString(), status["pid"].GetInt64());
}

}  // namespace

int execute(const StatusCommand& command) {
  std::vector<std::string> paths;
  if (command.file.empty()) {
    paths = sockets_of_runs("");
  } else {
    paths = sockets_of_runs(command.file);
    if (paths.empty()) paths.push_back(command.file);
  }
  size_t found = 0;
  for (const std::string& path : paths) {
    const bool named = !command.file.empty() && path == command.file;
    auto client = named ? connect_to_run(path) : ApiClient::connect(path);
    // What a killed run left behind is no run.
    if (!client) {
      if (named) return complain("error: " + client.error().message, kExitFailed);
      continue;
    }
    const auto answer = (*client)->get("/v1/status");
    if (!answer || answer->status != 200) continue;
    ++found;
    if (command.json) {
      std::fputs(answer->body.c_str(), stdout);
      continue;
    }
    rapidjson::Document status;
    status.Parse(answer->body.data(), answer->body.size());
    std::fputs((line_of(status) + "\n").c_str(), stdout);
  }
  if (found == 0 && !command.file.empty())
    return complain("error: " + command.file + " does not run", kExitFailed);
  if (found == 0 && !command.json) std::fputs("nothing runs\n", stdout);
  return kExitDone;
}

// What the rows lack is said beside them.
void tell_columns_not_read(const ApiResponse& answer) {
  const auto header = std::ranges::find(answer.headers, lower_name(kColumnsNotRead),
                                        &std::pair<std::string, std::string>::first);
  if (header == answer.headers.end()) return;
  std::string names;
  for (const char c : header->second) names += c == ',' ? std::string(", ") : std::string(1, c);
  const auto decoded = percent_decoded(names, false);
  std::fputs(
      ("not shown, for nobody downstream reads them: " + decoded.value_or(names) + "\n").c_str(),
      stderr);
}

int execute(const TapCommand& command) {
  auto client = connect_to_run(command.file);
  if (!client)
    return complain("error: " + client.error().message,
                    client.error().code == ErrorCode::invalid ? kExitRefused : kExitFailed);
  std::string node = command.node;
  std::string port;
  // `readings.errors` is a port, unless a step of a chain has that id.
  std::string target =
      fmt::format("/v1/nodes/{}/tap?limit={}&wait_ms={}&input={}&format={}", percent_encoded(node),
                  command.limit, command.wait / 1000, command.input ? "true" : "false",
                  command.format == "table"  ? "text"
                  : command.format == "json" ? "ndjson"
                                             : command.format);
  target += fmt::format("&rows={}&truncate=false", command.limit);
  auto answer = (*client)->get(target + "&port=" + percent_encoded(command.port));
  const size_t dot = node.rfind('.');
  if (answer && answer->status == 404 && dot != std::string::npos) {
    const std::string head = "/v1/nodes/" + percent_encoded(node);
    target.replace(0, head.size(), "/v1/nodes/" + percent_encoded(node.substr(0, dot)));
    answer = (*client)->get(target + "&port=" + percent_encoded(node.substr(dot + 1)));
  }
  if (!answer) return complain("error: " + answer.error().message, kExitFailed);
  if (answer->status != 200) return complain(error_of(*answer), kExitRefused);
  std::fwrite(answer->body.data(), 1, answer->body.size(), stdout);
  tell_columns_not_read(*answer);
  return kExitDone;
}

}  // namespace flowrun
