#pragma once
// Nodes that do not evaluate all of their children for all rows: AND, OR, CASE, coalesce. A child
// that cannot fail is evaluated for every row where that is cheaper; one that may fail only where
// it is needed.

#include "runtime/expr/typed_node.h"

namespace flowrun {

// AND or OR by three-valued logic.
class LogicNode final : public TypedNode {
 public:
  LogicNode(bool is_and, TypedPtr left, TypedPtr right);
  [[nodiscard]] Result<Datum> evaluate(const Frame& frame) const override;
  [[nodiscard]] MutableTypedPtr with_children(std::vector<TypedPtr> children) const override;
  [[nodiscard]] std::string identity() const override { return is_and_ ? "and" : "or"; }
  [[nodiscard]] bool is_and() const { return is_and_; }

 private:
  bool is_and_;
};

// The value behind the first condition that is true, else the last value if there is one more than
// conditions, else null. Values are of one type.
class CaseNode final : public TypedNode {
 public:
  CaseNode(std::vector<TypedPtr> conditions, std::vector<TypedPtr> values, std::string node_name);
  [[nodiscard]] Result<Datum> evaluate(const Frame& frame) const override;
  [[nodiscard]] MutableTypedPtr with_children(std::vector<TypedPtr> children) const override;
  [[nodiscard]] std::string identity() const override {
    return "case " + std::to_string(num_conditions_);
  }

 private:
  size_t num_conditions_;  // children: conditions, then values
};

// The first value that is not null. Values are of one type.
class CoalesceNode final : public TypedNode {
 public:
  CoalesceNode(std::vector<TypedPtr> values, std::string node_name);
  [[nodiscard]] Result<Datum> evaluate(const Frame& frame) const override;
  [[nodiscard]] MutableTypedPtr with_children(std::vector<TypedPtr> children) const override;
  [[nodiscard]] std::string identity() const override { return "coalesce"; }
};

}  // namespace flowrun
