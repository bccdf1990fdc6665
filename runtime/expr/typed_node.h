#pragma once
// TypedNode: a node of the typed tree: what the analyzer makes of the AST and evaluation walks
// over.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runtime/expr/datum.h"
#include "runtime/expr/expression.h"
#include "runtime/expr/function_registry.h"

namespace flowrun {

// The rows a node is evaluated for. Columns that no node reads may be absent.
struct Frame {
  int64_t num_rows;
  std::span<const ColumnPtr> columns;
  std::span<const Datum> variables;  // of the lambdas around the node, outermost first
  const EvaluationContext& evaluation;
  const TimeZone& zone;
};

class TypedNode;
using TypedPtr = std::shared_ptr<const TypedNode>;
using MutableTypedPtr = std::shared_ptr<TypedNode>;

// Immutable once it is part of a tree; evaluate may be called by any number of workers at once.
class TypedNode {
 public:
  virtual ~TypedNode() = default;

  // One value per row of the frame, or one for all. Errors have the code `data`.
  [[nodiscard]] virtual Result<Datum> evaluate(const Frame& frame) const = 0;
  // The same node over other children. REQUIRES: as many, of the same types.
  [[nodiscard]] virtual MutableTypedPtr with_children(std::vector<TypedPtr> children) const = 0;
  // What tells this kind of node from others with the same children: "col 3", "call +".
  [[nodiscard]] virtual std::string identity() const = 0;

  Type type;
  std::string name;  // Spark's name for it as a column
  bool nullable = true;
  bool deterministic = true;
  bool foldable = true;   // may be computed once and for all if its children are constants
  bool fallible = false;  // may fail on data, itself or below
  std::vector<TypedPtr> children;

  // Takes over what the children imply. Constructors call it once `children` is set.
  void inherit();
};

// Are the two the same computation? Names do not count.
bool same_computation(const TypedNode& a, const TypedNode& b);

class ConstantNode final : public TypedNode {
 public:
  // `value` has one row.
  ConstantNode(ColumnPtr value, std::string node_name);
  [[nodiscard]] Result<Datum> evaluate(const Frame&) const override { return Datum{value_, true}; }
  [[nodiscard]] MutableTypedPtr with_children(std::vector<TypedPtr>) const override;
  [[nodiscard]] std::string identity() const override;
  [[nodiscard]] const ColumnPtr& value() const { return value_; }
  // Written as a literal (perhaps folded from one with a sign), not computed.
  bool is_literal = false;

 private:
  ColumnPtr value_;
};

class ColumnNode final : public TypedNode {
 public:
  ColumnNode(size_t index, Type column_type, std::string node_name, bool is_nullable);
  [[nodiscard]] Result<Datum> evaluate(const Frame& frame) const override {
    return Datum{frame.columns[index_], false};
  }
  [[nodiscard]] MutableTypedPtr with_children(std::vector<TypedPtr>) const override;
  [[nodiscard]] std::string identity() const override { return "column " + std::to_string(index_); }
  [[nodiscard]] size_t index() const { return index_; }

 private:
  size_t index_;
};

// A parameter of a lambda around it; `slot` counts from the outermost.
class VariableNode final : public TypedNode {
 public:
  VariableNode(size_t slot, Type variable_type, bool is_nullable);
  [[nodiscard]] Result<Datum> evaluate(const Frame& frame) const override {
    return frame.variables[slot_];
  }
  [[nodiscard]] MutableTypedPtr with_children(std::vector<TypedPtr>) const override;
  [[nodiscard]] std::string identity() const override {
    return "variable " + std::to_string(slot_);
  }

 private:
  size_t slot_;
};

// A call of a kernel.
class CallNode final : public TypedNode {
 public:
  CallNode(const ScalarFunction& function, BoundFunction bound, std::vector<TypedPtr> arguments,
           std::string node_name);
  [[nodiscard]] Result<Datum> evaluate(const Frame& frame) const override;
  [[nodiscard]] MutableTypedPtr with_children(std::vector<TypedPtr> arguments) const override;
  [[nodiscard]] std::string identity() const override { return "call " + function_.names[0]; }
  [[nodiscard]] const std::string& function() const { return function_.names[0]; }

 private:
  const ScalarFunction& function_;  // of the registry, which outlives the tree
  BoundFunction bound_;
};

// children[0] as another type.
class CastNode final : public TypedNode {
 public:
  enum class Kind : uint8_t {
    implicit,  // the analyzer's own: does not show in names
    written,   // CAST
    tried,     // TRY_CAST
  };
  CastNode(TypedPtr inner, Type target, std::string node_name, Kind kind);
  [[nodiscard]] Result<Datum> evaluate(const Frame& frame) const override;
  [[nodiscard]] MutableTypedPtr with_children(std::vector<TypedPtr> children) const override;
  [[nodiscard]] std::string identity() const override {
    return kind_ == Kind::tried ? "try_cast" : "cast";
  }

 private:
  Kind kind_;
};

// Rows picked out of a frame: what a branch sees of it, or a lambda of the rows around its
// elements.
class FrameSelection {
 public:
  // Only the columns and variables that `reader` reads are taken along. `rows` index into `frame`.
  FrameSelection(const Frame& frame, std::span<const int32_t> rows, const TypedNode& reader);
  // Lambda variables of its own, as long as `rows`, behind those of the frame.
  void add_variable(ColumnPtr column);
  [[nodiscard]] Frame frame() const;

 private:
  const Frame& base_;
  int64_t num_rows_;
  std::vector<ColumnPtr> columns_;
  std::vector<Datum> variables_;
};

// Columns that the tree reads, ascending, each once.
std::vector<size_t> columns_read(const TypedNode& node);

// Evaluates `node` once, without rows, if everything in it is constant and that does not fail; else
// `node`.
TypedPtr fold(TypedPtr node, const TimeZone& zone);

}  // namespace flowrun
