#pragma once
// PodStates: GroupStates for aggregates whose state is a small plain struct.
//
// An Op says what one group holds and does; PodStates keeps a vector of its States:
//
//   struct CountOp {
//     struct State { int64_t count = 0; };
//     using Builder = FixedBuilder<int64_t>;
//     Type result;                                              // of the column that finish()
//     fills void update(std::span<State>, const UpdateRows&) const;   // one tight loop per batch
//     void merge(State& into, const State& from) const;
//     void finish(const State&, Builder&) const;                // appends one row
//   };

#include <cstring>
#include <memory>
#include <type_traits>
#include <vector>

#include "runtime/columnar/builder.h"
#include "runtime/expr/aggregate_function.h"

namespace flowrun {

// One call of GroupStates::update.
struct UpdateRows {
  std::span<const uint32_t> groups;
  std::span<const ColumnPtr> arguments;
  std::span<const int32_t> selected;
  int64_t sequence;

  // Calls row(i) for every row that counts.
  template <class Row>
  void for_each(Row&& row) const {
    if (selected.empty()) {
      const auto count = static_cast<int64_t>(groups.size());
      for (int64_t i = 0; i < count; ++i) row(i);
    } else {
      for (const int32_t i : selected) row(static_cast<int64_t>(i));
    }
  }
  // As for_each, leaving out rows in which the argument is null.
  template <class Row>
  void for_each_valid(const Column& argument, Row&& row) const {
    if (argument.type().id() == TypeId::null) return;
    if (const uint8_t* bits = argument.validity_bits()) {
      const int64_t offset = argument.parts().offset;
      for_each([&](int64_t i) {
        if (get_bit(bits, offset + i)) row(i);
      });
    } else {
      for_each(row);
    }
  }
  // As for_each, leaving out rows in which any argument is null.
  template <class Row>
  void for_each_complete(Row&& row) const {
    if (arguments.size() == 1) return for_each_valid(*arguments[0], row);
    for_each([&](int64_t i) {
      for (const ColumnPtr& argument : arguments) {
        if (argument->is_null(i)) return;
      }
      row(i);
    });
  }
  [[nodiscard]] size_t group(int64_t i) const { return groups[static_cast<size_t>(i)]; }
};

// Snapshots of plain structs: their bytes, one binary value per group.
ColumnPtr save_bytes(const void* states, size_t width, std::span<const uint32_t> groups);
// An error if a value is not `width` bytes wide: the snapshot is of another version.
Status check_bytes(std::span<const ColumnPtr> columns, size_t width);

template <class Op>
class PodStates final : public GroupStates {
 public:
  using State = typename Op::State;
  static_assert(std::is_trivially_copyable_v<State>);

  explicit PodStates(Op op) : op_(std::move(op)) {}

  void resize(size_t groups) override { states_.resize(groups); }
  Status update(std::span<const uint32_t> groups, std::span<const ColumnPtr> arguments,
                std::span<const int32_t> selected, int64_t sequence) override {
    op_.update(std::span<State>(states_), UpdateRows{groups, arguments, selected, sequence});
    return {};
  }
  Status merge(std::span<const uint32_t> groups, const GroupStates& from,
               std::span<const uint32_t> from_groups) override {
    const auto& other = static_cast<const PodStates&>(from).states_;
    for (size_t i = 0; i < groups.size(); ++i) op_.merge(states_[groups[i]], other[from_groups[i]]);
    return {};
  }
  [[nodiscard]] bool merges_itself() const override { return true; }
  [[nodiscard]] Result<ColumnPtr> result(std::span<const uint32_t> groups) const override {
    const std::unique_ptr<ColumnBuilder> builder = make_builder(op_.result);
    auto& typed = static_cast<typename Op::Builder&>(*builder);
    typed.reserve(static_cast<int64_t>(groups.size()));
    for (const uint32_t group : groups) op_.finish(states_[group], typed);
    return typed.finish();
  }
  void keep(std::span<const uint32_t> groups) override {
    std::vector<State> kept;
    kept.reserve(groups.size());
    for (const uint32_t group : groups) kept.push_back(states_[group]);
    states_ = std::move(kept);
  }
  void clear() override { states_.clear(); }
  [[nodiscard]] int64_t memory_bytes() const override {
    return static_cast<int64_t>(states_.capacity() * sizeof(State));
  }
  [[nodiscard]] Result<std::vector<ColumnPtr>> save(
      std::span<const uint32_t> groups) const override {
    return std::vector<ColumnPtr>{save_bytes(states_.data(), sizeof(State), groups)};
  }
  Status load(std::span<const ColumnPtr> columns) override {
    FLOWRUN_RETURN_IF_ERROR(check_bytes(columns, sizeof(State)));
    for (int64_t i = 0; i < columns[0]->size(); ++i) {
      State state;
      std::memcpy(&state, columns[0]->string(i).data(), sizeof(State));
      states_.push_back(state);
    }
    return {};
  }

 private:
  Op op_;
  std::vector<State> states_;
};

template <class Op>
std::unique_ptr<GroupStates> make_pod_states(Op op) {
  return std::make_unique<PodStates<Op>>(std::move(op));
}

}  // namespace flowrun
