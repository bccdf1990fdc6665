#pragma once
// KeptValues: what states that keep one chosen value per group have in common; the derived class
// chooses.
//
// A State holds the value in the bytes of ValueCodec (`value`, empty while there is none), and says
// how it is saved: `void save(std::string& out) const` and `static State load(std::string_view
// bytes)`.

#include <string>
#include <vector>

#include "runtime/columnar/builder.h"
#include "runtime/expr/aggregate_function.h"
#include "runtime/state/value_codec.h"

namespace flowrun {

template <class State>
class KeptValues : public GroupStates {
 public:
  explicit KeptValues(Type type) : codec_(std::move(type)) {}

  void resize(size_t groups) override { states_.resize(groups); }
  [[nodiscard]] Result<ColumnPtr> result(std::span<const uint32_t> groups) const override {
    const std::unique_ptr<ColumnBuilder> builder = make_builder(codec_.type());
    for (const uint32_t group : groups) {
      const std::string& value = states_[group].value;
      value.empty() ? builder->append_null() : codec_.read(value, *builder);
    }
    return builder->finish();
  }
  void keep(std::span<const uint32_t> groups) override {
    std::vector<State> kept;
    kept.reserve(groups.size());
    for (const uint32_t group : groups) kept.push_back(std::move(states_[group]));
    states_ = std::move(kept);
  }
  void clear() override { states_.clear(); }
  [[nodiscard]] int64_t memory_bytes() const override {
    int64_t bytes = 0;
    for (const State& state : states_)
      bytes += static_cast<int64_t>(sizeof(State) + state.value.capacity());
    return bytes;
  }
  [[nodiscard]] Result<std::vector<ColumnPtr>> save(
      std::span<const uint32_t> groups) const override {
    StringBuilder builder(TypeId::binary);
    std::string bytes;
    for (const uint32_t group : groups) {
      bytes.clear();
      states_[group].save(bytes);
      builder.append(bytes);
    }
    return std::vector<ColumnPtr>{builder.finish()};
  }
  Status load(std::span<const ColumnPtr> columns) override {
    for (int64_t i = 0; i < columns[0]->size(); ++i)
      states_.push_back(State::load(columns[0]->string(i)));
    return {};
  }

 protected:
  // Remembers that row `row` of the batch holds the group's value; only the last one said is
  // encoded.
  void choose(size_t group, int64_t row) {
    if (chosen_.size() < states_.size()) chosen_.resize(states_.size(), -1);
    if (chosen_[group] < 0) groups_.push_back(group);
    chosen_[group] = row;
  }
  // Encodes what was chosen in this batch.
  void take_chosen(const Column& values) {
    for (const size_t group : groups_) {
      states_[group].value.clear();
      codec_.append(values, chosen_[group], states_[group].value);
      chosen_[group] = -1;
    }
    groups_.clear();
  }

  ValueCodec codec_;
  std::vector<State> states_;

 private:
  std::vector<int64_t> chosen_;
  std::vector<size_t> groups_;
};

}  // namespace flowrun
