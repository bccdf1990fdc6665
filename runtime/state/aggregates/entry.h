#pragma once
// AggregateEntry: an AggregateFunction from its parts, so that one function is one short entry.
//
//   registry.add_aggregate(entry("sum", "sum(x): the sum of the non-null values.", resolve_sum,
//   make_sum));

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/expr/aggregate_function.h"

namespace flowrun {

using AggregateTypes = std::span<const Type>;
using AggregateConstants = std::span<const ColumnPtr>;
using AggregateSignature = AggregateFunction::Signature;
using ResolveAggregate = Result<AggregateSignature> (*)(AggregateTypes, AggregateConstants);
using MakeGroupStates = std::unique_ptr<GroupStates> (*)(const AggregateSignature&,
                                                         AggregateConstants);
using NameAggregate =
    std::function<std::string(std::span<const std::string> arguments, bool distinct)>;

class AggregateEntry final : public AggregateFunction {
 public:
  AggregateEntry(std::string name, std::string doc, ResolveAggregate resolve_types,
                 MakeGroupStates make, NameAggregate show, OrderUse order_use = OrderUse::none)
      : name_(std::move(name)),
        doc_(std::move(doc)),
        resolve_(resolve_types),
        make_(make),
        column_name_(std::move(show)),
        order_use_(order_use) {}

  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] const std::string& doc() const override { return doc_; }
  [[nodiscard]] OrderUse order_use() const override { return order_use_; }
  [[nodiscard]] Result<Signature> resolve(AggregateTypes arguments,
                                          AggregateConstants constants) const override;
  [[nodiscard]] std::string column_name(std::span<const std::string> arguments,
                                        bool distinct) const override {
    return column_name_ ? column_name_(arguments, distinct)
                        : AggregateFunction::column_name(arguments, distinct);
  }
  [[nodiscard]] std::unique_ptr<GroupStates> make_states(
      const Signature& signature, AggregateConstants constants) const override {
    return make_(signature, constants);
  }

 private:
  std::string name_;
  std::string doc_;
  ResolveAggregate resolve_;
  MakeGroupStates make_;
  NameAggregate column_name_;
  OrderUse order_use_;
};

inline std::unique_ptr<AggregateFunction> aggregate_entry(
    std::string name, std::string doc, ResolveAggregate resolve, MakeGroupStates make,
    NameAggregate show = nullptr,
    AggregateFunction::OrderUse order_use = AggregateFunction::OrderUse::none) {
  return std::make_unique<AggregateEntry>(std::move(name), std::move(doc), resolve, make,
                                          std::move(show), order_use);
}

// For functions whose further arguments do not show: "first(x)".
NameAggregate name_by_first_argument(std::string name);
// An error unless least <= count <= most: "takes 1 argument, got 2".
Status check_argument_count(size_t count, size_t least, size_t most);
// What Spark casts a number-like argument to for functions over doubles: numbers, text and null;
// else an error.
Result<Type> as_double(const Type& type);
// "takes numbers, got boolean".
Error unexpected_type(std::string_view wanted, const Type& got);

}  // namespace flowrun
