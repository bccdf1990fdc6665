#pragma once
// What an epoch is to an operator, and what an operator gives back through its Emitter.

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/columnar/record_batch.h"
#include "runtime/expr/expression.h"

namespace flowrun {

using EpochId = int64_t;

enum class OutputMode : uint8_t { append, update, complete };
std::string_view output_mode_name(OutputMode mode);

inline constexpr int64_t kNoTime = 0;  // W(0): 1970-01-01, before any event time was seen
inline constexpr int64_t kEndOfTime = std::numeric_limits<int64_t>::max();  // every window closes

// One epoch as one operator sees it. Times in microseconds.
struct Epoch {
  EpochId id = 0;
  int64_t watermark = kNoTime;       // W(N): emit and evict by this
  int64_t late_watermark = kNoTime;  // W(N-1): rows not after this are late
  EvaluationContext context;         // the epoch's clock and the session's zone
};

// A port's name and what comes out of it. Port 0 is the main one, without a name.
struct PortSchema {
  std::string name;
  SchemaPtr schema;
};
using PortSchemas = std::vector<PortSchema>;

// An input as it stands when the operator is bound.
struct InputSchema {
  SchemaPtr schema;
  std::string name;  // the node it comes from: the qualifier of its columns in joins
};

enum class Metric : uint8_t {
  rejected,    // records that a reader could not take
  late,        // rows dropped because they came too late
  far_future,  // rows whose time did not move the watermark because it is too far ahead
};

// Where an operator puts what it makes. Belongs to the caller; used only during the call.
class Emitter {
 public:
  virtual ~Emitter() = default;
  // Passes a batch on; empty ones are swallowed. An error stops the operator: return it.
  [[nodiscard]] virtual Status emit(size_t port, RecordBatch batch) = 0;
  // True if anybody reads the port: what nobody reads need not be built.
  [[nodiscard]] virtual bool wanted(size_t port) const = 0;
  virtual void count(Metric metric, int64_t rows) = 0;
  // The greatest event time of the rows seen, in a watermark node. The engine subtracts the delay.
  virtual void observe(int64_t event_time) = 0;
  // Reports a record that was refused, for the log: repeated reasons are folded by the engine.
  virtual void warn(std::string_view reason) = 0;
};

}  // namespace flowrun
