#pragma once
// BoundExpression: the typed tree behind the Expression that operators hold.

#include "runtime/expr/expression.h"
#include "runtime/expr/typed_node.h"

namespace flowrun {

class BoundExpression final : public Expression {
 public:
  BoundExpression(TypedPtr root, std::string name);

  [[nodiscard]] const Type& type() const override { return root_->type; }
  [[nodiscard]] bool nullable() const override { return root_->nullable; }
  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] std::span<const size_t> columns() const override { return columns_; }
  [[nodiscard]] std::optional<size_t> bare_column() const override;
  [[nodiscard]] std::optional<size_t> time_column() const override;
  [[nodiscard]] bool constant() const override;
  [[nodiscard]] bool deterministic() const override { return root_->deterministic; }
  [[nodiscard]] Result<ColumnPtr> evaluate(const RecordBatch& batch,
                                           const EvaluationContext& context) const override;
  [[nodiscard]] const TypedPtr& root() const { return root_; }

 private:
  Result<Datum> value_over(const Frame& frame) const;

  TypedPtr root_;
  std::string name_;
  std::vector<size_t> columns_;
};

}  // namespace flowrun
