#pragma once
// What the API tells of a run, as JSON.

#include <string>

#include "runtime/exec/engine.h"
#include "runtime/serve/live_state.h"
#include "runtime/sql/sql.h"

namespace flowrun {

std::string status_json(const Engine& engine, const LiveState& state, const std::string& version);
std::string graph_json(const GraphView& graph);
// `rows` is null for a static table.
void append_table_json(const SqlTable& table, const LiveTableSnapshot* rows, std::string& out);
// The last epoch's progress with `edge_rates`, `tables`, `sources_now`, `sinks_now`, `phase` beside
// it.
std::string epoch_json(const Engine& engine, const LiveState& state, const std::string& tables);
std::string log_json(const LiveState& state);

}  // namespace flowrun
