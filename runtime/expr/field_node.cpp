#include "runtime/expr/field_node.h"

#include <array>

#include "runtime/columnar/builder.h"

namespace flowrun {

namespace {

// The field's column, null also where the struct is.
ColumnPtr field_of(const Column& structs, size_t field) {
  const ColumnPtr& child = structs.child(field);
  if (structs.null_count() == 0 || child->type().id() == TypeId::null) return child;
  const std::array<Datum, 2> both{Datum{std::make_shared<const Column>(structs), false},
                                  Datum{child, false}};
  NullMask mask = combine_nulls(both, structs.size());
  Column::Parts parts = child->parts();
  if (parts.offset != 0) {
    // The mask begins at bit 0: bring the values there too.
    std::vector<int32_t> rows(static_cast<size_t>(child->size()));
    for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<int32_t>(i);
    parts = take(*child, rows)->parts();
  }
  parts.validity = std::move(mask.bits);
  parts.null_count = mask.null_count;
  return Column::make(std::move(parts));
}

}  // namespace

FieldNode::FieldNode(TypedPtr base, size_t field, std::string node_name) : field_(field) {
  const bool in_array = base->type.id() == TypeId::array;
  const Field& chosen = (in_array ? base->type.element() : base->type).fields()[field];
  type = in_array ? Type::array(chosen.type) : chosen.type;
  nullable = base->nullable || (!in_array && chosen.nullable);
  name = std::move(node_name);
  children.push_back(std::move(base));
  inherit();
}

Result<Datum> FieldNode::evaluate(const Frame& frame) const {
  FLOWRUN_TRY(Datum base, children[0]->evaluate(frame));
  if (base.column->type().id() == TypeId::struct_)
    return Datum{field_of(*base.column, field_), base.constant};
  Column::Parts parts = base.column->parts();
  parts.type = type;
  parts.children = {field_of(*base.column->child(0), field_)};
  return Datum{Column::make(std::move(parts)), base.constant};
}

MutableTypedPtr FieldNode::with_children(std::vector<TypedPtr> base) const {
  return std::make_shared<FieldNode>(std::move(base[0]), field_, name);
}

}  // namespace flowrun
