#pragma once
// Plan: a pipeline file as plain data, checked against the specs. What exec/ makes a graph of.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/config/diagnostic.h"
#include "runtime/operator/spec.h"

namespace flowrun {

struct PortReference {
  std::string node;  // a plan node's id
  std::string port;  // empty: the main one; "errors", "late", "late_left", "late_right"
  Position position;
};

enum class ErrorPolicy : uint8_t { keep, drop, fail, route };

// One operator. A chain is unrolled: its last step has the node's name, the others "node.step",
// where step is the step's id or operator kind and ordinal ("with_columns_1"); state is keyed by
// these ids.
struct PlanNode {
  std::string id;
  std::string name;   // the node of the file, for messages and qualifiers
  Position position;  // of the node's key
  OperatorKind kind = OperatorKind::transform;
  std::string op;        // registered name; "select" of `*` for a node that only unites its inputs
  Position op_position;  // of the operator key's value (or of source/sink's word)
  Options options;  // primary value under the operator's name; sinks have "mode" and "every" too
  std::vector<PortReference> inputs;  // several: union in this order, or left and right
  bool sides = false;                 // inputs are left, right
  bool union_by_name = false;
  std::optional<ErrorPolicy> on_error;
  std::string doc;
};

struct PlanTable {
  std::string name;
  Position position;
  Options options;  // by the spec of table_spec()
};

struct Trigger {
  enum class Kind : uint8_t { asap, period, once, available_now } kind = Kind::asap;
  int64_t period = 0;  // microseconds
};

// `serve:` of the file.
struct PlanServe {
  Position position;
  Options options;  // by serve_specs()
};

struct Plan {
  std::string file;  // as given
  std::string name;
  std::string doc;
  Trigger trigger;
  std::optional<int64_t> threads;
  std::optional<int64_t> memory;     // bytes
  std::optional<int64_t> in_flight;  // bytes
  std::string timezone = "UTC";
  bool watermark_policy_max = false;
  std::optional<PlanServe> serve;
  std::vector<PlanTable> tables;
  std::vector<PlanNode> nodes;  // in the order of the file; edges come from `inputs` alone
};

}  // namespace flowrun
