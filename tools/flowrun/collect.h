#pragma once
// Collection: a sink put behind one node of a pipeline, which keeps its rows. What `flowrun show`
// and `flowrun new` look through.
//
//   Collection collection({.node = "clean", .rows = 20});
//   pipeline.load(arguments, collection.engine_options(), collection.changes());
//   collection.run(pipeline.engine());          // until there are enough, or nothing more comes
//   collection.rows() ...

#include <mutex>
#include <optional>
#include <string>

#include "runtime/embed/pipeline.h"

namespace flowrun {

struct CollectOptions {
  std::string
      node;  // with .errors, .late or a step's id behind it; empty: what the file reads last
  int64_t rows = 0;  // enough
  OutputMode mode = OutputMode::append;
  std::optional<int64_t> run_for = {};  // microseconds; none: until there are enough rows
};

// Only what the node needs is made and opened, and none of the pipeline's own sinks. Rows are kept
// on the engine's threads and looked at after run().
class Collection {
 public:
  explicit Collection(CollectOptions options) : options_(std::move(options)) {}

  [[nodiscard]] EngineOptions engine_options() const;
  // The engine that is given these must be run by run().
  [[nodiscard]] PipelineChanges changes();
  Status run(Engine& engine);

  [[nodiscard]] const SchemaPtr& schema() const { return schema_; }
  // At most rows + 1 of append; in complete mode the last whole result.
  [[nodiscard]] RecordBatch rows() const;
  [[nodiscard]] const std::string& timezone() const { return timezone_; }

 private:
  friend class CollectingSink;
  Status add_sink(Plan& plan, const Registry& registry);

  CollectOptions options_;
  Registry registry_;
  SchemaPtr schema_;
  std::string timezone_ = "UTC";
  std::vector<RecordBatch> rows_;
  std::mutex mutex_;  // guards engine_
  Engine* engine_ = nullptr;
  bool to_the_end_ = false;  // all sources are files: the last result is the one to see
};

// What `name` (a node, a step, perhaps with a port) stands for in a plan.
Result<PortReference> find_port(const Plan& plan, const Registry& registry,
                                const std::string& name);
// Whether an aggregation stands at the node or before it.
bool behind_aggregation(const Plan& plan, const std::string& node);

}  // namespace flowrun
