#pragma once
// OrderedValues: states that keep every non-null value of a group, in the order of the input or by
// keys. The derived class says what result() makes of them.

#include <string>
#include <string_view>
#include <vector>

#include "runtime/expr/aggregate_function.h"
#include "runtime/state/value_codec.h"

namespace flowrun {

class OrderedValues : public GroupStates {
 public:
  // The first argument is the value; the last `keys.size()` are what the values are ordered by,
  // equal ones by their place in the input.
  OrderedValues(Type value, const std::vector<Type>& keys, std::vector<SortDirection> order);

  void resize(size_t groups) override { groups_.resize(groups); }
  Status update(std::span<const uint32_t> groups, std::span<const ColumnPtr> arguments,
                std::span<const int32_t> selected, int64_t sequence) override;
  Status merge(std::span<const uint32_t> groups, const GroupStates& from,
               std::span<const uint32_t> from_groups) override;
  void keep(std::span<const uint32_t> groups) override;
  void clear() override { groups_.clear(); }
  [[nodiscard]] int64_t memory_bytes() const override;
  // A list of the values in their order, and one of each key.
  [[nodiscard]] Result<std::vector<ColumnPtr>> save(
      std::span<const uint32_t> groups) const override;
  Status load(std::span<const ColumnPtr> columns) override;

 protected:
  struct Item {
    RowOrder order{};
    std::string value;              // in the codec's bytes
    std::vector<std::string> keys;  // likewise
  };
  [[nodiscard]] std::vector<const Item*> in_order(uint32_t group) const;
  // The values of each group as an array.
  [[nodiscard]] ColumnPtr arrays(std::span<const uint32_t> groups) const;
  [[nodiscard]] const ValueCodec& codec() const { return codec_; }

 private:
  void add(uint32_t group, const RowOrder& order, std::span<const ColumnPtr> columns, int64_t row);
  [[nodiscard]] int compare(const Item& a, const Item& b) const;

  ValueCodec codec_;
  std::vector<ValueCodec> key_codecs_;
  std::vector<SortDirection> order_;
  std::vector<std::vector<Item>> groups_;
};

}  // namespace flowrun
