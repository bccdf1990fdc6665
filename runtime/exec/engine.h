#pragma once
// Engine: runs one Plan. What `flowrun run`, embedding hosts and tests call.
//
//   Diagnostics diagnostics;
//   auto engine = Engine::load(plan, registry, functions, options, diagnostics);   // nothing is
//   opened if (!engine) ...                       // refused: every error is in diagnostics Status
//   done = engine->run();           // blocks; stop() from another thread ends it

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/config/plan.h"
#include "runtime/exec/edge_traffic.h"
#include "runtime/exec/graph_view.h"
#include "runtime/exec/limits.h"
#include "runtime/exec/progress.h"
#include "runtime/operator/registry.h"

namespace flowrun {

// Between two epochs of a run that goes from one time to the next.
struct Moment {
  int64_t now = 0;             // monotonic, of the run's clock
  std::optional<int64_t> due;  // when something happens without input: a watermark moved, a sink's
                               // turn, a source found idle; none: nothing will
  Trigger trigger;
};

struct EngineOptions {
  std::optional<int64_t> threads;    // over the plan's; default: granted CPUs
  std::optional<int64_t> memory;     // bytes
  std::optional<int64_t> in_flight;  // bytes
  std::optional<int64_t> epochs;     // stop after so many
  std::optional<int64_t> run_for;    // microseconds
  std::vector<std::string> only;     // sinks to run; empty: all
  std::string capture;               // folder for what every sink was given; empty: none
  std::optional<uint64_t> chunking;  // seed: cut every chunk at random places (tests)
  bool restart_state = false;        // save and restore all state after every epoch (tests)
  bool stepped = false;  // no threads: step() runs everything on its caller's, `threads` is 1
  std::shared_ptr<BufferPool> pool;  // of the run's threads; default: one of its own
  bool allow_exec = false;           // let `sink: exec` start the programs that the file names
  const Clock* clock = nullptr;      // default: the machine's
  // In place of the trigger, for tests and replays in virtual time: asked between two epochs. It
  // moves `clock`; then every source gives what it has for that time and ends its part
  // (Chunk::Mark::epoch_ends, also without rows) or the stream. False stops the run.
  std::function<bool(const Moment&)> next_time;
  Output* console = nullptr;  // where console sinks print; default: standard output
  // Told from the engine's threads; must not block. `node` may be empty.
  std::function<void(const LogEvent&)> on_log;
  std::function<void(const Progress&)> on_progress;  // after each epoch
  // All that a source gave up to this offset is committed in every sink. Told beside
  // Source::committed, and at once, for whoever cannot wait until the source's thread comes around.
  std::function<void(const std::string& node, const std::string& offset)> on_committed;
  // An operator was told to end and has not come back for kStuckPatience: run() cannot return. What
  // is committed stays committed. Whoever cannot wait must end the process.
  std::function<void(const std::string& node)> on_stuck;
};

// A table as a query sees it.
struct TableView {
  std::string name;
  bool live = true;
  // As of the last epoch that every sink has committed; null for a static table.
  std::shared_ptr<const LiveTableSnapshot> rows;
  StaticTable* file = nullptr;  // of a static table; lives as long as the engine
};

// What passes between nodes, asked for by name.
struct TapRequest {
  std::string node;    // as in the file, or a node's id
  std::string port;    // what leaves by it; empty: the main one
  bool input = false;  // what enters the node instead
  int64_t limit = 20;
};

class Engine {
 public:
  // Checks the whole graph: operators are made and bound, schemas, modes and required columns
  // inferred. All errors and warnings are appended to `diagnostics`; null if there was an error.
  // Opens nothing.
  static std::unique_ptr<Engine> load(Plan plan, const Registry& registry,
                                      const FunctionRegistry& functions, EngineOptions options,
                                      Diagnostics& diagnostics);
  virtual ~Engine() = default;

  // Runs to the end of the data, to stop() or to a failure. Call once.
  virtual Status run() = 0;
  // In place of run(), with EngineOptions::stepped: reads all that is there now, ends the epoch if
  // one is due, and comes back without having waited for input. One call at a time. An error is
  // the run's, which is over then.
  struct Step {
    bool made_epoch = false;
    bool ended = false;     // the run is over: do not call again
    int64_t next_wake = 0;  // on the clock's monotonic time: call again then, whatever comes
  };
  virtual Result<Step> step() = 0;
  // Ends the epoch, commits, and lets run() return. From any thread, any number of times.
  virtual void stop() = 0;

  // The graph as text, for `flowrun explain`; of one node its schema as printSchema prints it.
  [[nodiscard]] virtual std::string explain() const = 0;
  [[nodiscard]] virtual Result<std::string> explain_schema(std::string_view node) const = 0;
  // Each stateful node and what bounds its state, or that nothing does.
  struct StateBound {
    std::string node;
    std::string text;  // "one row per k, no bound but the number of keys"
    bool bounded = false;
  };
  [[nodiscard]] virtual std::vector<StateBound> state_bounds() const = 0;
  // Whether every source and sink can be opened: all at once, each on a thread of its own, and
  // those that do not answer within `patience` microseconds given up. Reads, writes and makes
  // nothing. In place of run().
  struct Probe {
    std::string node;
    std::string what;  // "socket 127.0.0.1:9999"
    Status result;
    std::string skipped;  // why it was not tried; empty: it was
  };
  [[nodiscard]] virtual std::vector<Probe> probe(int64_t patience) = 0;
  // The live table of that name; null if there is none. Good during and after run().
  [[nodiscard]] virtual const LiveTable* table(std::string_view name) const = 0;
  // Every table, live ones as of one epoch, by name. From any thread.
  [[nodiscard]] virtual std::vector<TableView> tables() const = 0;
  [[nodiscard]] virtual GraphView graph() const = 0;
  // Both empty before run(). From any thread.
  [[nodiscard]] virtual std::vector<SourceView> sources() const = 0;
  [[nodiscard]] virtual std::vector<SinkView> sinks() const = 0;
  // A sample of the rows that pass from now on. It must not outlive the engine. From any thread.
  [[nodiscard]] virtual Result<std::shared_ptr<Tap>> tap(const TapRequest& request) = 0;
  [[nodiscard]] virtual const Plan& plan() const = 0;
  [[nodiscard]] virtual Chosen threads() const = 0;
  [[nodiscard]] virtual Chosen memory() const = 0;
  [[nodiscard]] virtual size_t num_nodes() const = 0;
  [[nodiscard]] virtual size_t num_sinks() const = 0;
};

}  // namespace flowrun
