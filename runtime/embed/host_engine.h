#pragma once
// HostEngine: one pipeline inside a host program, from its text to its end. What the C functions of
// include/flowrun/flowrun_c.h stand on.

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "runtime/embed/host_ports.h"
#include "runtime/embed/host_registry.h"
#include "runtime/embed/host_sql.h"
#include "runtime/embed/pipeline.h"

namespace flowrun {

// Clears itself, and can be waited for together with other descriptors.
class WakeDescriptor {
 public:
  WakeDescriptor() = default;
  ~WakeDescriptor();
  WakeDescriptor(const WakeDescriptor&) = delete;
  WakeDescriptor& operator=(const WakeDescriptor&) = delete;

  Status open();
  void wake() const;
  void clear() const;
  // Microseconds; 0 looks only. Woken or not.
  void wait(int64_t timeout) const;
  [[nodiscard]] int get() const { return descriptor_; }

 private:
  int descriptor_ = -1;
};

struct HostSettings {
  PipelineArguments pipeline;
  PluginPath plugin_path;
  EngineOptions engine;
  std::shared_ptr<HostRegistry> registry;  // may be null
  std::unique_ptr<Clock> clock;            // `engine` points to these, if they are there
  std::unique_ptr<Output> console;
};

// Thread-safe. Life: load; then start, wait, stop; or step until it has ended; then destroyed, in
// any state and from any thread but one that is in a callback of this very engine: that aborts.
class HostEngine {
 public:
  enum class State : uint8_t {
    loaded,   // start or step may be called
    running,  // started, or stepped once
    ended,    // to the end of its data, or stopped
    failed,   // outcome() says why
  };

  explicit HostEngine(HostSettings settings);
  ~HostEngine();
  HostEngine(const HostEngine&) = delete;
  HostEngine& operator=(const HostEngine&) = delete;

  // Once, before anything else. False: diagnostics() say why, and only they may be asked for.
  bool load();
  [[nodiscard]] const Diagnostics& diagnostics() const { return pipeline_.diagnostics(); }
  [[nodiscard]] std::string diagnostics_text() const { return pipeline_.diagnostics_text(false); }

  Status start();
  // Until the run is over: its outcome. `unavailable` when the time is over first.
  Status wait(Patience patience);
  void stop();
  // Takes no more pushes, waits until all that was pushed is committed, stops, and waits for the
  // end. When the time is over first, stops all the same and says `unavailable`.
  Status drain(Patience patience);
  // Runs what is there on this thread, after at most `patience` of waiting for something.
  Result<Engine::Step> step(Patience patience);
  [[nodiscard]] int wake_descriptor() const { return wake_->get(); }

  [[nodiscard]] State state() const;
  // Ok while it runs and when it ended well.
  [[nodiscard]] Status outcome() const;
  [[nodiscard]] std::optional<Progress> last_progress() const;

  [[nodiscard]] HostPorts& ports() { return ports_; }
  [[nodiscard]] Engine& engine() { return pipeline_.engine(); }
  [[nodiscard]] const std::string& name() const { return pipeline_.name(); }
  // `invalid` if no node fills such a table, `unavailable` before it is filled for the first time.
  [[nodiscard]] Result<std::shared_ptr<const LiveTableSnapshot>> table(const std::string& name);
  // The first rows of a table or an answer in the frame of show.
  [[nodiscard]] Result<std::string> show(const SchemaPtr& schema,
                                         const std::vector<RecordBatch>& batches, int64_t rows,
                                         int64_t truncate) const;
  // REQUIRES: loaded.
  [[nodiscard]] const HostSql& sql() const { return *sql_; }
  // The node whose name an error's message begins with, and where the node stands.
  struct Place {
    std::string node;
    Position position;
  };
  [[nodiscard]] Place place_of(const Error& error) const;

 private:
  void connect_ports();
  void finish(Status how);
  Result<Engine::Step> step_once();
  Status step_until_settled(const PushPort& port, Patience patience);
  [[nodiscard]] bool on_own_thread() const;

  HostSettings settings_;
  const bool stepped_;
  const std::shared_ptr<BufferPool> pool_;  // marks the engine's threads
  HostPorts ports_;
  Pipeline pipeline_;
  std::unique_ptr<const HostSql> sql_;
  // Shared with the push ports, whose handles may outlive the engine.
  const std::shared_ptr<WakeDescriptor> wake_;
  Status wake_opened_;
  bool polls_ = false;  // a source beside the push sources has to be looked at
  int64_t next_wake_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable changes_;
  State state_ = State::loaded;
  Status outcome_;
  std::optional<Progress> progress_;
  std::thread thread_;
  std::mutex stepping_;
};

}  // namespace flowrun
