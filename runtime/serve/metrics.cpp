#include "runtime/serve/metrics.h"

#include <fmt/format.h>

#include <initializer_list>
#include <iterator>
#include <map>
#include <utility>

namespace flowrun {

namespace {

constexpr double kSecond = 1e6;

using Labels = std::vector<std::pair<const char*, std::string>>;

std::string escaped(const std::string& value) {
  std::string out;
  for (const char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    out += c == '\n' ? "\\n" : std::string(1, c);
  }
  return out;
}

// Samples by metric, so that those of one metric stand together.
class Samples {
 public:
  void add(const char* name, const Labels& labels, double value) {
    std::string line = name;
    for (size_t i = 0; i < labels.size(); ++i)
      line += fmt::format("{}{}=\"{}\"", i == 0 ? "{" : ",", labels[i].first,
                          escaped(labels[i].second));
    if (!labels.empty()) line += '}';
    fmt::format_to(std::back_inserter(samples_[name]), "{} {}\n", line, value);
  }
  void add(const char* name, const Labels& labels, int64_t value) {
    add(name, labels, static_cast<double>(value));
  }

  [[nodiscard]] std::string text() const {
    std::string out;
    for (const MetricSpec& spec : metric_specs()) {
      const auto found = samples_.find(spec.name);
      if (found == samples_.end()) continue;
      fmt::format_to(std::back_inserter(out), "# HELP {} {}\n# TYPE {} {}\n{}", spec.name,
                     spec.help, spec.name, spec.type, found->second);
    }
    return out;
  }

 private:
  std::map<std::string, std::string> samples_;
};

void add_progress(const Progress& progress, Samples& samples) {
  const std::initializer_list<std::pair<const char*, int64_t>> phases = {
      {"read", progress.read_duration},   {"absorb", progress.absorb_duration},
      {"close", progress.close_duration}, {"commit", progress.commit_duration},
      {"total", progress.total_duration},
  };
  for (const auto& [phase, duration] : phases)
    samples.add("flowrun_epoch_duration_seconds", {{"phase", phase}},
                static_cast<double>(duration) / kSecond);
  samples.add("flowrun_epoch", {}, progress.epoch);
  samples.add("flowrun_epoch_timestamp_seconds", {},
              static_cast<double>(progress.timestamp) / kSecond);
  samples.add("flowrun_lag_seconds", {}, static_cast<double>(progress.lag) / kSecond);
  samples.add("flowrun_memory_bytes", {}, progress.memory_bytes);
  for (const StateProgress& state : progress.states) {
    samples.add("flowrun_state_rows", {{"node", state.node}}, state.rows);
    samples.add("flowrun_state_bytes", {{"node", state.node}}, state.bytes);
  }
}

// Nodes planned twice count together.
void add_nodes(const GraphView& graph, const Progress& progress, Samples& samples) {
  std::map<std::string, int64_t> late;
  std::map<std::string, int64_t> rejected;
  std::map<std::string, int64_t> watermark;
  for (const NodeProgress& node : progress.nodes) {
    late[node.node] += node.late_rows;
    rejected[node.node] += node.rejected_rows;
    if (node.has_watermark) watermark[node.node] = node.watermark;
  }
  for (const auto& [node, rows] : late)
    samples.add("flowrun_late_rows_total", {{"node", node}}, rows);
  for (const auto& [node, rows] : rejected)
    samples.add("flowrun_rejected_rows_total", {{"node", node}}, rows);
  for (const auto& [node, time] : watermark)
    samples.add("flowrun_watermark_timestamp_seconds", {{"node", node}},
                static_cast<double>(time) / kSecond);
  std::map<std::vector<std::string>, int64_t> edges;
  for (size_t i = 0; i < progress.edge_rows.size() && i < graph.edges.size(); ++i) {
    const EdgeView& edge = graph.edges[i];
    edges[{graph.nodes[edge.from].id, edge.port, graph.nodes[edge.to].id}] += progress.edge_rows[i];
  }
  for (const auto& [edge, rows] : edges)
    samples.add("flowrun_edge_rows_total", {{"from", edge[0]}, {"port", edge[1]}, {"to", edge[2]}},
                rows);
}

}  // namespace

const std::vector<MetricSpec>& metric_specs() {
  static const std::vector<MetricSpec> kSpecs = {
      {"flowrun_info", "gauge", "pipeline, version", "Always 1."},
      {"flowrun_up", "gauge", "", "1 while the pipeline runs, 0 before, after and when it failed."},
      {"flowrun_start_timestamp_seconds", "gauge", "", "When the run began, since 1970."},
      {"flowrun_epochs_total", "counter", "", "Epochs that were committed."},
      {"flowrun_epoch", "gauge", "", "The number of the last epoch."},
      {"flowrun_epoch_timestamp_seconds", "gauge", "", "When the last epoch began, since 1970."},
      {"flowrun_epoch_duration_seconds", "gauge", "phase",
       "How long the last epoch took: read, absorb, close, commit, total."},
      {"flowrun_source_rows_total", "counter", "node", "Rows that a source gave."},
      {"flowrun_source_available", "gauge", "node", "1 if the source's peer answers, else 0."},
      {"flowrun_sink_available", "gauge", "node",
       "0 while the run, which has yet to begin, waits for the sink's peer, else 1."},
      {"flowrun_sink_rows_total", "counter", "node", "Rows that a sink was given."},
      {"flowrun_edge_rows_total", "counter", "from, port, to",
       "Rows that passed from one node to the next; the main port has no name."},
      {"flowrun_late_rows_total", "counter", "node", "Rows dropped because they came too late."},
      {"flowrun_rejected_rows_total", "counter", "node", "Records that could not be taken."},
      {"flowrun_lag_seconds", "gauge", "", "How long the oldest unread row has waited."},
      {"flowrun_watermark_timestamp_seconds", "gauge", "node", "The watermark, since 1970."},
      {"flowrun_state_rows", "gauge", "node", "Rows of state."},
      {"flowrun_state_bytes", "gauge", "node", "Bytes of state."},
      {"flowrun_memory_bytes", "gauge", "", "All that counts against the budget."},
      {"flowrun_memory_limit_bytes", "gauge", "", "The budget, `memory:`."},
      {"flowrun_table_rows", "gauge", "table", "Rows of a live table."},
      {"flowrun_table_dropped_rows_total", "counter", "table",
       "Rows that left a live table by `keep_rows` or `keep`."},
      {"flowrun_http_connections", "gauge", "", "Open connections of the API."},
      {"flowrun_http_streams", "gauge", "", "Those of them that are told every epoch."},
  };
  return kSpecs;
}

std::string metrics_text(const MetricSources& sources) {
  Samples samples;
  const Engine& engine = sources.engine;
  samples.add("flowrun_info", {{"pipeline", engine.plan().name}, {"version", sources.version}},
              1.0);
  samples.add("flowrun_up", {}, sources.state.phase() == LiveState::Phase::running ? 1.0 : 0.0);
  samples.add("flowrun_start_timestamp_seconds", {},
              static_cast<double>(sources.state.started()) / kSecond);
  samples.add("flowrun_epochs_total", {}, sources.state.epochs());
  samples.add("flowrun_memory_limit_bytes", {}, engine.memory().value);
  for (const auto& [node, rows] : sources.state.rows_of_sources())
    samples.add("flowrun_source_rows_total", {{"node", node}}, rows);
  for (const auto& [node, rows] : sources.state.rows_of_sinks())
    samples.add("flowrun_sink_rows_total", {{"node", node}}, rows);
  for (const SourceView& source : engine.sources())
    samples.add("flowrun_source_available", {{"node", source.node}}, source.available ? 1.0 : 0.0);
  for (const SinkView& sink : engine.sinks())
    samples.add("flowrun_sink_available", {{"node", sink.node}}, sink.available ? 1.0 : 0.0);
  if (const auto progress = sources.state.progress()) {
    add_progress(*progress, samples);
    add_nodes(engine.graph(), *progress, samples);
  }
  for (const TableView& table : engine.tables()) {
    if (!table.rows) continue;
    int64_t rows = 0;
    for (const RecordBatch& batch : table.rows->batches) rows += batch.num_rows();
    samples.add("flowrun_table_rows", {{"table", table.name}}, rows);
    samples.add("flowrun_table_dropped_rows_total", {{"table", table.name}},
                table.rows->dropped_rows);
  }
  samples.add("flowrun_http_connections", {}, static_cast<double>(sources.connections));
  samples.add("flowrun_http_streams", {}, static_cast<double>(sources.streams));
  return samples.text();
}

std::string metrics_markdown() {
  std::string out = "| metric | type | labels | what it is |\n|---|---|---|---|\n";
  for (const MetricSpec& spec : metric_specs())
    fmt::format_to(std::back_inserter(out), "| `{}` | {} | {} | {} |\n", spec.name, spec.type,
                   spec.labels, spec.help);
  return out;
}

}  // namespace flowrun
