#pragma once
// AggregateFunction: what an aggregate is to the binder (its types) and to keyed state (its code).
//
// States are columnar: one GroupStates object holds the states of all groups of one call, indexed
// by dense group numbers, so that an update is one loop over a batch without a virtual call per
// row.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/columnar/column.h"

namespace flowrun {

// Where a row stands in the input, for first, last, any_value and collect_list.
struct RowOrder {
  int64_t sequence;  // of the chunk
  int64_t row;       // within it
  friend auto operator<=>(const RowOrder&, const RowOrder&) = default;
};

// One item of ORDER BY.
struct SortDirection {
  bool descending = false;
  bool nulls_first = true;
};

// Not thread-safe; each worker's local and each partition of the state has its own.
class GroupStates {
 public:
  virtual ~GroupStates() = default;
  // Groups [old size, groups) begin empty.
  virtual void resize(size_t groups) = 0;
  // Row i of the batch goes to group groups[i]; arguments are as long as `groups`. When `selected`
  // is not empty only the rows it names count (a FILTER clause). `sequence` orders batches.
  virtual Status update(std::span<const uint32_t> groups, std::span<const ColumnPtr> arguments,
                        std::span<const int32_t> selected, int64_t sequence) = 0;
  // Group from_groups[i] of `from` is added to group groups[i] of this. REQUIRES: same call.
  virtual Status merge(std::span<const uint32_t> groups, const GroupStates& from,
                       std::span<const uint32_t> from_groups) = 0;
  // Whether merge may be given this very object as `from`: pairs are then merged one after the
  // other, each seeing what those before it did.
  [[nodiscard]] virtual bool merges_itself() const { return false; }
  // One row per named group.
  [[nodiscard]] virtual Result<ColumnPtr> result(std::span<const uint32_t> groups) const = 0;
  // Keeps the named groups, renumbered 0, 1, ... in that order: how evicted groups leave.
  virtual void keep(std::span<const uint32_t> groups) = 0;
  // No groups; capacity stays.
  virtual void clear() = 0;
  [[nodiscard]] virtual int64_t memory_bytes() const = 0;
  // The states of the named groups as columns, and back (appended as new groups): for snapshots.
  [[nodiscard]] virtual Result<std::vector<ColumnPtr>> save(
      std::span<const uint32_t> groups) const = 0;
  virtual Status load(std::span<const ColumnPtr> columns) = 0;
};

// One entry per function; several names may share one. Immutable once registered.
class AggregateFunction {
 public:
  struct Signature {
    std::vector<Type> arguments;  // what each argument is cast to
    Type result;
    bool nullable = true;
    std::vector<SortDirection> order = {};  // of WITHIN GROUP (ORDER BY ...), as it was written
  };
  // What WITHIN GROUP (ORDER BY ...) is to the function.
  enum class OrderUse : uint8_t {
    none,   // refused
    value,  // must be there, with one item: what is aggregated, given as the first argument
    rows,   // may be there: how the rows are ordered; its items are the last arguments
  };

  virtual ~AggregateFunction() = default;
  [[nodiscard]] virtual const std::string& name() const = 0;  // lower case, as registered
  [[nodiscard]] virtual const std::string& doc()
      const = 0;  // "avg(x): the mean of the non-null values."
  [[nodiscard]] virtual OrderUse order_use() const { return OrderUse::none; }
  // Spark's types for these arguments, or an error in Spark's sense. `constants` holds the value (a
  // column of one row) of each constant argument, null for the others: percentile_approx's accuracy
  // and such. What ORDER BY orders the rows by is not among the arguments here.
  [[nodiscard]] virtual Result<Signature> resolve(std::span<const Type> arguments,
                                                  std::span<const ColumnPtr> constants) const = 0;
  // resolve for a call whose last (`rows`) or first (`value`) arguments are the items of ORDER BY.
  [[nodiscard]] Result<Signature> resolve_ordered(std::span<const Type> arguments,
                                                  std::span<const ColumnPtr> constants,
                                                  std::span<const SortDirection> order) const;
  // Spark's name of the column: "count(1)", "avg(x)"; `arguments` are their names. Default:
  // name(arguments).
  [[nodiscard]] virtual std::string column_name(std::span<const std::string> arguments,
                                                bool distinct) const;
  // REQUIRES: resolve accepted these.
  [[nodiscard]] virtual std::unique_ptr<GroupStates> make_states(
      const Signature& signature, std::span<const ColumnPtr> constants) const = 0;
};

}  // namespace flowrun
