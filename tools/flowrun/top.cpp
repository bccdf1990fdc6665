// flowrun top: a running pipeline at the terminal, node by node, redrawn every second.

#include <fmt/format.h>
#include <rapidjson/document.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <thread>

#include "tools/flowrun/commands.h"
#include "tools/flowrun/running.h"
#include "tools/flowrun/text.h"

namespace flowrun {
namespace {

struct NodeRow {
  std::string name;
  std::string what;
  int64_t in = 0;  // rows a second
  int64_t out = 0;
  int64_t total_in = 0;
  int64_t late = 0;
  int64_t rejected = 0;
  std::string watermark;
  std::string state;
};

std::vector<NodeRow> rows_of(const rapidjson::Document& graph, const rapidjson::Document& status) {
  std::vector<NodeRow> rows;
  const auto& progress = status["progress"];
  const auto& nodes = graph["nodes"].GetArray();
  for (const auto& node : nodes)
    rows.push_back({node["id"].GetString(), node["operator"].GetString(), 0, 0, 0, 0, 0, "", ""});
  if (!progress.IsObject()) return rows;
  const auto& edges = graph["edges"].GetArray();
  const auto& passed = progress["edge_rows"].GetArray();
  const auto& rates = status["edge_rates"].GetArray();
  for (rapidjson::SizeType i = 0; i < passed.Size() && i < edges.Size() && i < rates.Size(); ++i) {
    const int64_t rate = std::llround(rates[i].GetDouble());
    rows[edges[i]["from"].GetUint64()].out += rate;
    rows[edges[i]["to"].GetUint64()].in += rate;
    rows[edges[i]["to"].GetUint64()].total_in += passed[i].GetInt64();
  }
  const auto& by_node = progress["nodes"].GetArray();
  for (rapidjson::SizeType i = 0; i < by_node.Size() && i < rows.size(); ++i) {
    rows[i].late = by_node[i]["late_rows"].GetInt64();
    rows[i].rejected = by_node[i]["rejected_rows"].GetInt64();
    if (by_node[i]["watermark"].IsString())
      rows[i].watermark = std::string(by_node[i]["watermark"].GetString()).substr(11, 8);
  }
  for (const auto& state : progress["states"].GetArray()) {
    for (NodeRow& row : rows) {
      if (row.name == state["node"].GetString() && state["rows"].GetInt64() > 0)
        row.state = with_separators(state["rows"].GetInt64()) + " rows, " +
                    size_text(state["bytes"].GetInt64());
    }
  }
  return rows;
}

std::string picture(const rapidjson::Document& status, const std::vector<NodeRow>& rows) {
  std::string out = fmt::format("{} · {}", status["name"].GetString(), status["phase"].GetString());
  const auto& progress = status["progress"];
  if (progress.IsObject()) {
    out += fmt::format(" · epoch {} · {} rec/s · lag {} · late {} · rejected {} · {}",
                       with_separators(progress["epoch"].GetInt64()),
                       with_separators(std::llround(progress["input_rows_per_second"].GetDouble())),
                       seconds_text(progress["lag_us"].GetInt64()),
                       with_separators(progress["late_rows"].GetInt64()),
                       with_separators(progress["rejected_rows"].GetInt64()),
                       size_text(progress["memory_bytes"].GetInt64()));
  }
  out += "\n\n";
  constexpr size_t kLeastName = 8;
  size_t width = kLeastName;
  for (const NodeRow& row : rows) width = std::max(width, row.name.size());
  out += fmt::format("{:<{}} {:<14} {:>12} {:>12} {:>12} {:>8} {:>8} {:>9}  {}\n", "node", width,
                     "", "in/s", "out/s", "rows in", "late", "rejected", "watermark", "state");
  for (const NodeRow& row : rows)
    out += fmt::format("{:<{}} {:<14} {:>12} {:>12} {:>12} {:>8} {:>8} {:>9}  {}\n", row.name,
                       width, row.what, with_separators(row.in), with_separators(row.out),
                       with_separators(row.total_in), with_separators(row.late),
                       with_separators(row.rejected), row.watermark, row.state);
  for (const auto& [node, since] : absent_peers(status))
    out += fmt::format("\n{}: its peer does not answer{}{}\n", node,
                       since.empty() ? "" : ", since ", since);
  return out;
}

}  // namespace

int execute(const TopCommand& command) {
  auto client = connect_to_run(command.file);
  if (!client)
    return complain("error: " + client.error().message,
                    client.error().code == ErrorCode::invalid ? kExitRefused : kExitFailed);
  const auto wiring = (*client)->get("/v1/graph");
  if (!wiring) return complain("error: " + wiring.error().message, kExitFailed);
  rapidjson::Document graph;
  graph.Parse(wiring->body.data(), wiring->body.size());
  const bool redraw = isatty(STDOUT_FILENO) == 1 && !command.once;
  while (true) {
    const auto answer = (*client)->get("/v1/status");
    if (!answer) {
      std::fputs("the run has ended\n", stdout);
      return kExitDone;
    }
    rapidjson::Document status;
    status.Parse(answer->body.data(), answer->body.size());
    const std::string text = picture(status, rows_of(graph, status));
    std::fputs(((redraw ? "\x1b[H\x1b[2J" : "") + text).c_str(), stdout);
    std::fflush(stdout);
    if (command.once) return kExitDone;
    std::this_thread::sleep_for(std::chrono::microseconds(command.every));
  }
}

}  // namespace flowrun
