#pragma once
// GraphView: a graph as plain data, for whoever draws it or asks what runs.

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/columnar/type.h"

namespace flowrun {

struct PortView {
  std::string name;  // empty: the main one
  SchemaPtr schema;
};

struct NodeView {
  std::string id;    // unique, but for what is planned twice
  std::string name;  // of the file
  std::string kind;  // source, transform, stateful, sink
  std::string op;    // registered name
  std::string text;  // "socket 127.0.0.1:9999", "group_by gt, count"
  std::string doc;
  std::string state;  // stateful: what bounds it
  bool bounded = true;
  std::string mode;  // of sinks
  int32_t line = 0;  // of the file; 0: none
  std::vector<PortView> ports;
};

struct EdgeView {
  size_t from = 0;  // indices of nodes
  size_t to = 0;
  std::string port;  // of `from`; empty: the main one
  size_t input = 0;  // of `to`: 0, or 0 and 1 for left and right
};

// A source as it stands while the pipeline runs.
struct SourceView {
  std::string node;
  bool available = true;     // its peer answers
  bool ended = false;        // it has nothing more
  int64_t absent_since = 0;  // if not: when that was found out, microseconds since 1970
};

// A sink, which is waited for before anything is read.
struct SinkView {
  std::string node;
  bool available = true;  // its peer answered, or was not looked for yet
  int64_t absent_since = 0;
};

// Nodes stand in topological order. Edges have the numbers that Progress counts them by.
struct GraphView {
  std::vector<NodeView> nodes;
  std::vector<EdgeView> edges;
};

}  // namespace flowrun
