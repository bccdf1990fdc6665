#pragma once
// Transform: a stateless operator. Rows in, rows out, one batch at a time.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runtime/operator/epoch.h"

namespace flowrun {

// What one worker keeps between calls: parsers, buffers. Never anything that changes results.
class Scratch {
 public:
  virtual ~Scratch() = default;
};

// A set of column indices of one schema: element i tells whether column i is in it.
using ColumnSet = std::vector<bool>;

// Life: made by its factory from checked options; bind once, on the planning thread; then
// read_columns and narrow once, in that order; open once; then apply from any number of workers at
// once (hence const), each with a Scratch of its own. bind opens no connection and starts no
// thread; apply may not block.
class Transform {
 public:
  virtual ~Transform() = default;
  virtual Result<PortSchemas> bind(std::span<const InputSchema> inputs) = 0;

  // Which input columns are needed when the columns `wanted` of the main port are read downstream.
  // Default: all of them.
  [[nodiscard]] virtual ColumnSet read_columns(const ColumnSet& wanted, size_t num_inputs) const {
    static_cast<void>(wanted);
    return ColumnSet(num_inputs, true);
  }
  // Tells which columns of the main port are read downstream; the others may be left absent.
  virtual void narrow(const ColumnSet& wanted) { static_cast<void>(wanted); }

  // Once, when the whole graph is right and before the first row: reads what it needs besides its
  // input.
  virtual Status open() { return {}; }
  [[nodiscard]] virtual std::unique_ptr<Scratch> make_scratch() const { return nullptr; }
  virtual Status apply(const RecordBatch& batch, const Epoch& epoch, Scratch* scratch,
                       Emitter& out) const = 0;

  // One line for `explain`: "dropna any".
  [[nodiscard]] virtual std::string describe() const = 0;
  // Warnings for check, such as "there is no column `x` to drop". Called after bind.
  [[nodiscard]] virtual std::vector<std::string> warnings() const { return {}; }
  // Set on a watermark node only: its delay in microseconds and the index of its column.
  struct WatermarkNode {
    int64_t delay;
    size_t column;
  };
  [[nodiscard]] virtual std::optional<WatermarkNode> watermark() const { return std::nullopt; }
  // The conjuncts of a filter or dropna: rows for which one is not true are dropped. Empty for
  // other operators. The engine asks a watermark node to observe only rows that the filters behind
  // it keep (SEMANTICS, Time).
  [[nodiscard]] virtual std::vector<ExpressionPtr> conjuncts() const { return {}; }
  // True if every row of the input gives exactly one row, in the same order (select, with_columns,
  // rename).
  [[nodiscard]] virtual bool keeps_rows() const { return false; }
};

}  // namespace flowrun
