#include "runtime/exec/progress.h"

#include <fmt/format.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "runtime/format/utc_text.h"

namespace flowrun {

namespace {

using Writer = rapidjson::Writer<rapidjson::StringBuffer>;

void text(Writer& writer, const char* key, const std::string& value) {
  writer.Key(key);
  writer.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
}

void count(Writer& writer, const char* key, int64_t value) {
  writer.Key(key);
  writer.Int64(value);
}

void rate(Writer& writer, const char* key, double value) {
  writer.Key(key);
  writer.Double(value);
}

template <class Item, class Body>
void list(Writer& writer, const char* key, const std::vector<Item>& items, Body body) {
  writer.Key(key);
  writer.StartArray();
  for (const Item& item : items) {
    writer.StartObject();
    text(writer, "node", item.node);
    body(item);
    writer.EndObject();
  }
  writer.EndArray();
}

void durations(Writer& writer, const Progress& progress) {
  writer.Key("duration_us");
  writer.StartObject();
  count(writer, "read", progress.read_duration);
  count(writer, "absorb", progress.absorb_duration);
  count(writer, "close", progress.close_duration);
  count(writer, "commit", progress.commit_duration);
  count(writer, "total", progress.total_duration);
  writer.EndObject();
}

}  // namespace

std::string progress_json(const Progress& progress) {
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  writer.SetMaxDecimalPlaces(3);
  writer.StartObject();
  text(writer, "name", progress.name);
  count(writer, "epoch", progress.epoch);
  text(writer, "timestamp", utc_text(progress.timestamp));
  count(writer, "input_rows", progress.input_rows);
  rate(writer, "input_rows_per_second", progress.input_rows_per_second);
  rate(writer, "processed_rows_per_second", progress.processed_rows_per_second);
  durations(writer, progress);
  writer.Key("watermark");
  progress.has_watermark ? writer.String(utc_text(progress.watermark).c_str()) : writer.Null();
  count(writer, "late_rows", progress.late_rows);
  count(writer, "rejected_rows", progress.rejected_rows);
  count(writer, "state_rows", progress.state_rows);
  count(writer, "state_bytes", progress.state_bytes);
  count(writer, "memory_bytes", progress.memory_bytes);
  count(writer, "lag_us", progress.lag);
  list(writer, "sources", progress.sources, [&](const SourceProgress& source) {
    text(writer, "offset", source.offset);
    count(writer, "input_rows", source.input_rows);
    count(writer, "input_bytes", source.input_bytes);
    rate(writer, "input_rows_per_second", source.input_rows_per_second);
    rate(writer, "processed_rows_per_second", source.processed_rows_per_second);
    writer.Key("available");
    writer.Bool(source.available);
  });
  list(writer, "states", progress.states, [&](const StateProgress& state) {
    count(writer, "rows", state.rows);
    count(writer, "bytes", state.bytes);
    count(writer, "late_rows", state.late_rows);
  });
  list(writer, "sinks", progress.sinks,
       [&](const SinkProgress& sink) { count(writer, "output_rows", sink.output_rows); });
  list(writer, "nodes", progress.nodes, [&](const NodeProgress& node) {
    count(writer, "late_rows", node.late_rows);
    count(writer, "rejected_rows", node.rejected_rows);
    writer.Key("watermark");
    node.has_watermark ? writer.String(utc_text(node.watermark).c_str()) : writer.Null();
  });
  writer.Key("edge_rows");
  writer.StartArray();
  for (const int64_t rows : progress.edge_rows) writer.Int64(rows);
  writer.EndArray();
  writer.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace flowrun
