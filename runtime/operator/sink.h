#pragma once
// Sink: where rows go. Calls to one sink are serial.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runtime/operator/epoch.h"

namespace flowrun {

// Names what prepare made durable, so that a restart can commit it again or discard it.
struct Token {
  std::string text;
};

// What a sink is bound to.
struct SinkInput {
  SchemaPtr schema;
  OutputMode mode = OutputMode::append;
  bool aggregation = false;                // rows come from an aggregation
  std::span<const std::string> keys = {};  // its grouping columns; of a global one there are none
  // At least so many microseconds from one of its turns to the next, by `every` or the trigger; 0:
  // a turn whenever an epoch ends.
  int64_t pace = 0;
};

// Life: bind on the planning thread; open before the first epoch; then for each epoch N in which it
// is due: write(N)*, prepare(N), commit(N), serial, from any thread unless blocking() is true (then
// from a thread of its own). abort in place of commit when the run fails. close at the end, after
// the last commit.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual Status bind(const SinkInput& input) = 0;
  // Modes this sink can take of rows that come from an aggregation, or not; the engine refuses the
  // others.
  [[nodiscard]] virtual bool accepts(OutputMode mode, bool aggregation) const = 0;
  // `unavailable` if the peer is absent: it is called again, after growing pauses, until there is
  // something to stop the run; nothing is read meanwhile.
  virtual Status open(std::optional<Token> last_committed) = 0;
  // In complete mode after an aggregation the first write of an epoch begins a new result; without
  // one every row is new, and the sink keeps the result.
  virtual Status write(EpochId epoch, const RecordBatch& batch) = 0;
  // Durable, not visible.
  virtual Result<Token> prepare(EpochId epoch) = 0;
  // Visible. Idempotent.
  virtual Status commit(EpochId epoch, const Token& token) = 0;
  virtual Status abort(EpochId epoch) = 0;
  virtual void close() {}
  // Whether open would succeed, in place of it: after bind, on any thread; writes and makes
  // nothing, and leaves nothing open. A sink whose open does more overrides it. `cancelled` with a
  // text: it cannot tell without changing something outside.
  virtual Status probe() {
    Status opened = open(std::nullopt);
    close();
    return opened;
  }
  virtual void cancel() {}  // from any thread; makes a blocked write or open return

  [[nodiscard]] virtual bool blocking() const { return false; }
  // The pace it has under `trigger: asap` when the file sets no `every`, in microseconds; 0: every
  // epoch.
  [[nodiscard]] virtual int64_t default_pace(OutputMode mode) const {
    static_cast<void>(mode);
    return 0;
  }
  // Bytes it holds that count against `memory:` (rows of the open epoch, memory tables). Asked
  // between its other calls, on their thread.
  [[nodiscard]] virtual int64_t memory_bytes() const { return 0; }
  [[nodiscard]] virtual std::string describe() const = 0;
  // Warnings for check: "grows without a bound — add `keep_rows:`". Called after bind.
  [[nodiscard]] virtual std::vector<std::string> warnings() const { return {}; }
};

}  // namespace flowrun
