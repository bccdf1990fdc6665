#include "runtime/serve/view_json.h"

#include <fmt/format.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <unistd.h>

#include "runtime/format/json_writer.h"
#include "runtime/format/utc_text.h"

namespace flowrun {

namespace {

using Writer = rapidjson::Writer<rapidjson::StringBuffer>;

void key(Writer& writer, const char* name) { writer.Key(name); }
void string(Writer& writer, std::string_view value) {
  writer.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
}
void text(Writer& writer, const char* name, std::string_view value) {
  key(writer, name);
  string(writer, value);
}
void number(Writer& writer, const char* name, int64_t value) {
  key(writer, name);
  writer.Int64(value);
}
void flag(Writer& writer, const char* name, bool value) {
  key(writer, name);
  writer.Bool(value);
}

std::string taken(const rapidjson::StringBuffer& buffer) {
  return {buffer.GetString(), buffer.GetSize()};
}

void write_columns(Writer& writer, const Schema& schema) {
  writer.StartArray();
  for (const Field& field : schema.fields()) {
    writer.StartObject();
    text(writer, "name", field.name);
    text(writer, "type", field.type.simple_string());
    writer.EndObject();
  }
  writer.EndArray();
}

void write_node(Writer& writer, const NodeView& node) {
  writer.StartObject();
  text(writer, "id", node.id);
  text(writer, "name", node.name);
  text(writer, "kind", node.kind);
  text(writer, "operator", node.op);
  text(writer, "text", node.text);
  text(writer, "doc", node.doc);
  text(writer, "state", node.state);
  flag(writer, "bounded", node.bounded);
  text(writer, "mode", node.mode);
  number(writer, "line", node.line);
  key(writer, "ports");
  writer.StartArray();
  for (const PortView& port : node.ports) {
    writer.StartObject();
    text(writer, "name", port.name);
    key(writer, "columns");
    write_columns(writer, *port.schema);
    writer.EndObject();
  }
  writer.EndArray();
  writer.EndObject();
}

// Of sources or of sinks.
template <class View>
void write_ends(Writer& writer, const std::vector<View>& views) {
  writer.StartArray();
  for (const View& view : views) {
    writer.StartObject();
    text(writer, "node", view.node);
    flag(writer, "available", view.available);
    if (!view.available) text(writer, "absent_since", utc_text(view.absent_since));
    if constexpr (requires { view.ended; }) flag(writer, "ended", view.ended);
    writer.EndObject();
  }
  writer.EndArray();
}

void write_rates(Writer& writer, const LiveState& state) {
  key(writer, "edge_rates");
  writer.StartArray();
  for (const double rate : state.edge_rates()) writer.Double(rate);
  writer.EndArray();
}

}  // namespace

std::string status_json(const Engine& engine, const LiveState& state, const std::string& version) {
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  writer.SetMaxDecimalPlaces(3);
  const auto progress = state.progress();
  writer.StartObject();
  text(writer, "name", engine.plan().name);
  text(writer, "file", engine.plan().file);
  text(writer, "doc", engine.plan().doc);
  text(writer, "version", version);
  number(writer, "pid", getpid());
  text(writer, "started", utc_text(state.started()));
  text(writer, "phase", phase_name(state.phase()));
  text(writer, "failure", state.failure());
  text(writer, "timezone", engine.plan().timezone);
  number(writer, "threads", engine.threads().value);
  number(writer, "memory_limit_bytes", engine.memory().value);
  number(writer, "nodes", static_cast<int64_t>(engine.num_nodes()));
  number(writer, "sinks", static_cast<int64_t>(engine.num_sinks()));
  number(writer, "epochs", state.epochs());
  write_rates(writer, state);
  key(writer, "sources");
  write_ends(writer, engine.sources());
  key(writer, "sinks_now");
  write_ends(writer, engine.sinks());
  key(writer, "progress");
  if (progress) {
    const std::string json = progress_json(*progress);
    writer.RawValue(json.data(), json.size(), rapidjson::kObjectType);
  } else {
    writer.Null();
  }
  writer.EndObject();
  return taken(buffer) + "\n";
}

std::string graph_json(const GraphView& graph) {
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  writer.StartObject();
  key(writer, "nodes");
  writer.StartArray();
  for (const NodeView& node : graph.nodes) write_node(writer, node);
  writer.EndArray();
  key(writer, "edges");
  writer.StartArray();
  for (const EdgeView& edge : graph.edges) {
    writer.StartObject();
    number(writer, "from", static_cast<int64_t>(edge.from));
    number(writer, "to", static_cast<int64_t>(edge.to));
    text(writer, "port", edge.port);
    number(writer, "input", static_cast<int64_t>(edge.input));
    writer.EndObject();
  }
  writer.EndArray();
  writer.EndObject();
  return taken(buffer);
}

void append_table_json(const SqlTable& table, const LiveTableSnapshot* rows, std::string& out) {
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  writer.StartObject();
  text(writer, "name", table.name);
  text(writer, "kind", table.kind);
  key(writer, "columns");
  write_columns(writer, *table.schema);
  if (rows) {
    int64_t num_rows = 0;
    for (const RecordBatch& batch : rows->batches) num_rows += batch.num_rows();
    number(writer, "rows", num_rows);
    number(writer, "epoch", rows->epoch);
    number(writer, "dropped_rows", rows->dropped_rows);
  }
  writer.EndObject();
  out += taken(buffer);
}

std::string epoch_json(const Engine& engine, const LiveState& state, const std::string& tables) {
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  writer.SetMaxDecimalPlaces(3);
  writer.StartObject();
  text(writer, "phase", phase_name(state.phase()));
  text(writer, "failure", state.failure());
  number(writer, "epochs", state.epochs());
  write_rates(writer, state);
  key(writer, "sources_now");
  write_ends(writer, engine.sources());
  key(writer, "sinks_now");
  write_ends(writer, engine.sinks());
  key(writer, "tables");
  writer.RawValue(tables.data(), tables.size(), rapidjson::kArrayType);
  key(writer, "progress");
  if (const auto progress = state.progress()) {
    const std::string json = progress_json(*progress);
    writer.RawValue(json.data(), json.size(), rapidjson::kObjectType);
  } else {
    writer.Null();
  }
  writer.EndObject();
  return taken(buffer);
}

std::string log_json(const LiveState& state) {
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  static constexpr const char* kLevels[] = {"info", "warning", "error"};
  writer.StartObject();
  key(writer, "lines");
  writer.StartArray();
  for (const LoggedEvent& logged : state.log()) {
    writer.StartObject();
    text(writer, "time", utc_text(logged.time));
    text(writer, "level", kLevels[static_cast<size_t>(logged.event.level)]);
    text(writer, "node", logged.event.node);
    text(writer, "message", logged.event.message);
    number(writer, "repeated", logged.repeated);
    writer.EndObject();
  }
  writer.EndArray();
  writer.EndObject();
  return taken(buffer);
}

}  // namespace flowrun
