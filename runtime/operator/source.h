#pragma once
// Source: where rows come from. Has a thread of its own and may block in read.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/operator/epoch.h"
#include "runtime/operator/transform.h"

namespace flowrun {

// A place in a source's stream, opaque to the engine: what open() is given after a restart.
struct Offset {
  std::string text;
};

// Absolute, in the engine's monotonic microseconds (steady_clock).
struct Deadline {
  int64_t monotonic = 0;
};

// A record that the source itself could not take: longer than its bound, or cut off by a lost
// connection. The engine counts it as rejected, logs the reason and offers it on `.errors` where
// that port exists.
struct Rejection {
  std::string source;  // the peer or the file
  std::string offset;  // where in it: "line 17"
  std::string reason;
  std::string raw;  // the bytes, or the first kKeptBytes of them
  static constexpr size_t kKeptBytes = 64 << 10;
};

struct Chunk {
  // What the engine does after this chunk.
  enum class Mark : uint8_t {
    more,         // read again
    epoch_ends,   // this source's part of the epoch is complete; not read until every source has
                  // ended its part
    stream_ends,  // nothing will come any more
    idle,         // the deadline passed without rows; read again when it suits
  };
  RecordBatch rows;  // may have no columns and rows when there are none
  Offset offset;     // after these rows
  Mark mark = Mark::more;
  int64_t bytes = 0;  // what was read from outside for it, for metrics
  std::vector<Rejection> rejected = {};
};

// Reads a source there and then, on the thread that calls it, which holds no lock that the source
// needs. False: not now; whoever waits in Source::await is to be woken.
using ReadNow = std::function<bool()>;

// Life: bind on the planning thread (may read the head of a file to infer a schema, else opens
// nothing); open, read, committed and close on the source's own thread; cancel from any thread, at
// any time.
class Source {
 public:
  virtual ~Source() = default;
  virtual Result<SchemaPtr> bind() = 0;
  // From the offset, else from where the options say. `unavailable` if the peer is absent: it is
  // called again, after growing pauses, until cancelled.
  virtual Status open(std::optional<Offset> offset) = 0;
  // Blocks until rows are there, or the deadline. An `unavailable` error means the connection was
  // lost: the engine calls open again.
  virtual Result<Chunk> read(Deadline deadline) = 0;
  // A source that this process fills may be read by the thread that fills it, which saves a row two
  // changes of threads. Such a source keeps `read_now`, calls it when it was filled, and gives
  // true, once, before open. Then read comes from any thread, one at a time, with a deadline that
  // is over, and the source's own thread waits in await.
  virtual bool let_fill(ReadNow read_now) {
    static_cast<void>(read_now);
    return false;
  }
  // Blocks until there is something to read, or the deadline, or cancel.
  virtual void await(Deadline deadline) { static_cast<void>(deadline); }
  virtual void committed(const Offset& offset) { static_cast<void>(offset); }
  // Makes a blocked read or open return soon with `cancelled`.
  virtual void cancel() = 0;
  virtual void close() {}
  // Whether open would succeed, in place of it: after bind, on any thread; reads no row, changes
  // nothing outside, and leaves nothing open. A source whose open does more overrides it.
  virtual Status probe() {
    Status opened = open(std::nullopt);
    close();
    return opened;
  }

  // Tells which columns are read downstream; the others may be left absent.
  virtual void narrow(const ColumnSet& wanted) { static_cast<void>(wanted); }
  [[nodiscard]] virtual std::string describe() const = 0;  // "socket 127.0.0.1:9999"
  // Said when the source is unavailable: "is `flowrun simulate watches --port 9999` running?"
  [[nodiscard]] virtual std::string hint() const { return {}; }
  // With trigger once or available_now: read only what is there now, then stream_ends. Called
  // before open.
  virtual void stop_at_end() {}
  // True when it decides itself what an epoch is (max_files): it marks epoch_ends.
  [[nodiscard]] virtual bool marks_epochs() const { return false; }
  // False for a watched folder, a socket: such a source never ends by itself.
  [[nodiscard]] virtual bool finite() const { return false; }
  // "at most once", "replayable": for explain.
  [[nodiscard]] virtual std::string guarantee() const { return "at most once"; }
};

}  // namespace flowrun
