#pragma once
// FieldNode: a field of a struct, or of every struct of an array.

#include "runtime/expr/typed_node.h"

namespace flowrun {

class FieldNode final : public TypedNode {
 public:
  // `base` is a struct or an array of structs.
  FieldNode(TypedPtr base, size_t field, std::string node_name);
  [[nodiscard]] Result<Datum> evaluate(const Frame& frame) const override;
  [[nodiscard]] MutableTypedPtr with_children(std::vector<TypedPtr> children) const override;
  [[nodiscard]] std::string identity() const override { return "field " + std::to_string(field_); }

 private:
  size_t field_;
};

}  // namespace flowrun
