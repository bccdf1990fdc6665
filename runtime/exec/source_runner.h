#pragma once
// SourceRunner: one source, on a thread of its own or step by step on its caller's. Opens it, again
// with growing pauses while its peer is absent, reads while the run lets it, hands chunks over, and
// tells the source what of it is committed, to the end of the run.

#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "runtime/exec/graph.h"
#include "runtime/exec/pauses.h"
#include "runtime/exec/progress.h"

namespace flowrun {

// What a source's thread asks of the run. Every call is thread-safe.
class SourceHost {
 public:
  virtual ~SourceHost() = default;
  // Blocks while the source's part of the epoch is complete or too much is in flight, unless there
  // is something to take_committed(); false: leave.
  virtual bool await_turn(size_t source) = 0;
  // Whether await_turn would let it read now.
  virtual bool may_read(size_t source) = 0;
  // Up to where its rows are committed, if that moved since the last call.
  virtual std::optional<Offset> take_committed(size_t source) = 0;
  // As take_committed, for a source that has ended: blocks. None when the run is over.
  virtual std::optional<Offset> await_committed(size_t source) = 0;
  // Sleeps, unless the run ends meanwhile; false: leave.
  virtual bool pause(int64_t microseconds) = 0;
  virtual void submit(size_t source, Chunk chunk) = 0;
  virtual void set_available(size_t source, bool available) = 0;
  // Nothing more is read. An error fails the run.
  virtual void source_ended(size_t source, Status how) = 0;
  virtual void log(LogEvent::Level level, const std::string& node, std::string message) = 0;
  virtual int64_t monotonic() const = 0;
  virtual std::shared_ptr<BufferPool> pool() const = 0;
};

class SourceRunner {
 public:
  SourceRunner(GraphNode& node, SourceHost& host, bool stepped)
      : node_(node), host_(host), stepped_(stepped) {}
  ~SourceRunner() {
    if (thread_.joinable()) thread_.join();
  }
  SourceRunner(const SourceRunner&) = delete;
  SourceRunner& operator=(const SourceRunner&) = delete;

  void start();
  void cancel() { node_.source->cancel(); }
  [[nodiscard]] const std::string& node_name() const { return node_.name; }
  // In place of start: opens or reads once, without waiting. False if nothing came of it.
  bool step();
  // A stepped source reads nothing more.
  void leave();
  // When the run is over. REQUIRES: cancelled, or ended by itself.
  void finish();

 private:
  void main();
  // What both ways share: once, saying in the log when the next try is.
  Status try_open(int64_t pause);
  Result<Chunk::Mark> read_once(int64_t patience);
  Result<Chunk::Mark> read_beside_fillers();
  void lose_connection(const Error& error);
  void end(Status how);
  bool step_open();
  // Opens, waiting for an absent peer. An empty result: the run ends.
  Status open();
  // Until the stream ends or the run does.
  Status read();

  // What a source that others fill has of its runner; outlives it.
  struct Filling {
    std::mutex reading;              // held from a read to the end of its submit
    SourceRunner* runner = nullptr;  // while the source may be read
    bool read_now();
  };

  GraphNode& node_;
  SourceHost& host_;
  const bool stepped_;
  std::shared_ptr<Filling> filling_;  // null: nobody but its own thread reads the source
  std::optional<Offset> offset_;  // after the last chunk: where to go on after a lost connection
  bool leaving_ = false;
  std::thread thread_;
  // Of a source that is stepped.
  bool opened_ = false;
  bool ended_ = false;
  bool closed_ = false;
  int64_t next_try_ = 0;
  Pauses pauses_;
};

}  // namespace flowrun
