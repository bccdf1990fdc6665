#include "runtime/expr/lazy_nodes.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "runtime/columnar/builder.h"

namespace flowrun {

namespace {

// The value of `node` for the rows named, in their order: evaluated for them alone if the node may
// fail or few rows are left, else for all.
struct Partial {
  Datum datum;
  bool selected = false;  // datum has one row per named row, not per row of the frame
};

Result<Partial> evaluate_for(const TypedNode& node, const Frame& frame,
                             std::span<const int32_t> rows) {
  constexpr int64_t kWorthSelecting = 8;
  const auto wanted = static_cast<int64_t>(rows.size());
  const bool cheap = node.children.empty();
  if (wanted == frame.num_rows || cheap ||
      (!node.fallible && wanted * kWorthSelecting > frame.num_rows)) {
    FLOWRUN_TRY(Datum datum, node.evaluate(frame));
    return Partial{std::move(datum), false};
  }
  const FrameSelection selection(frame, rows, node);
  FLOWRUN_TRY(Datum datum, node.evaluate(selection.frame()));
  return Partial{std::move(datum), true};
}

// Collects values from branches and puts them in the places of their rows.
class Assembler {
 public:
  Assembler(const Type& type, int64_t rows) : type_(type), places_(static_cast<size_t>(rows), -1) {}

  void add(const Partial& part, std::span<const int32_t> rows) {
    for (size_t i = 0; i < rows.size(); ++i) {
      const int64_t place = part.datum.constant ? 0
                            : part.selected     ? static_cast<int64_t>(i)
                                                : rows[i];
      places_[static_cast<size_t>(rows[i])] = static_cast<int32_t>(next_ + place);
    }
    parts_.push_back(part.datum.column);
    next_ += part.datum.column->size();
  }

  [[nodiscard]] Datum finish() const {
    if (parts_.empty()) return Datum::null(type_);
    return Datum{take(parts_.size() == 1 ? *parts_[0] : *concatenate(parts_), places_), false};
  }

 private:
  Type type_;
  std::vector<int32_t> places_;  // of each row in the parts put one behind the other
  std::vector<ColumnPtr> parts_;
  int64_t next_ = 0;
};

std::vector<int32_t> all_rows(int64_t rows) {
  std::vector<int32_t> all(static_cast<size_t>(rows));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

// The column's bits moved to offset 0; all set where there is no bitmap.
struct Truth {
  BufferPtr value;
  BufferPtr valid;
};

Truth truth_of(const Datum& datum, int64_t rows) {
  const size_t bytes = bitmap_bytes(rows);
  Truth truth{Buffer::allocate(bytes), Buffer::allocate(bytes)};
  uint8_t* value = truth.value->mutable_data();
  uint8_t* valid = truth.valid->mutable_data();
  if (datum.constant) {
    const bool is_null = datum.column->is_null(0);
    std::memset(valid, is_null ? 0 : 0xff, bytes);
    std::memset(value, !is_null && datum.column->boolean(0) ? 0xff : 0, bytes);
    return truth;
  }
  const Column& column = *datum.column;
  const auto offset = column.parts().offset;
  if (offset % 8 == 0) {
    std::memcpy(value, column.parts().values->data() + offset / 8, bytes);
  } else {
    for (int64_t i = 0; i < rows; ++i) put_bit(value, i, column.boolean(i));
  }
  if (column.null_count() == 0) {
    std::memset(valid, 0xff, bytes);
  } else {
    std::memcpy(valid, copy_validity(column)->data(), bytes);
  }
  return truth;
}

// x AND y is false if either is false, true if both are true, else null; OR the same with values
// turned.
Datum combine(bool is_and, const Datum& left, const Datum& right, int64_t rows) {
  const Truth a = truth_of(left, rows);
  const Truth b = truth_of(right, rows);
  const size_t bytes = bitmap_bytes(rows);
  Column::Parts parts{.type = Type::boolean(), .size = rows};
  parts.values = Buffer::allocate(bytes);
  parts.validity = Buffer::allocate(bytes);
  const unsigned flip = is_and ? 0 : 0xff;
  for (size_t i = 0; i < bytes; ++i) {
    const unsigned x = a.value->data()[i] ^ flip;
    const unsigned y = b.value->data()[i] ^ flip;
    const unsigned x_valid = a.valid->data()[i];
    const unsigned y_valid = b.valid->data()[i];
    const unsigned decided = (x_valid & ~x) | (y_valid & ~y);
    parts.values->mutable_data()[i] = static_cast<uint8_t>(((x & y) & ~decided) ^ flip);
    parts.validity->mutable_data()[i] = static_cast<uint8_t>((x_valid & y_valid) | decided);
  }
  parts.null_count = rows - count_set_bits(parts.validity->data(), 0, rows);
  if (parts.null_count == 0) parts.validity = nullptr;
  return Datum{Column::make(std::move(parts)), false};
}

}  // namespace

LogicNode::LogicNode(bool is_and, TypedPtr left, TypedPtr right) : is_and_(is_and) {
  type = Type::boolean();
  name = fmt::format("({} {} {})", left->name, is_and ? "AND" : "OR", right->name);
  nullable = left->nullable || right->nullable;
  children = {std::move(left), std::move(right)};
  inherit();
}

Result<Datum> LogicNode::evaluate(const Frame& frame) const {
  FLOWRUN_TRY(const Datum left, children[0]->evaluate(frame));
  const bool decisive = !is_and_;  // the left value that settles the matter
  if (left.constant) {
    if (!left.column->is_null(0) && left.column->boolean(0) == decisive) return left;
    FLOWRUN_TRY(const Datum right, children[1]->evaluate(frame));
    Datum result = combine(is_and_, left, right, right.constant ? 1 : frame.num_rows);
    result.constant = right.constant;
    return result;
  }
  std::vector<int32_t> open;
  if (children[1]->fallible) {
    for (int64_t i = 0; i < frame.num_rows; ++i) {
      if (left.column->is_null(i) || left.column->boolean(i) != decisive)
        open.push_back(static_cast<int32_t>(i));
    }
    if (open.empty()) return left;
  }
  if (!children[1]->fallible || static_cast<int64_t>(open.size()) == frame.num_rows) {
    FLOWRUN_TRY(const Datum right, children[1]->evaluate(frame));
    return combine(is_and_, left, right, frame.num_rows);
  }
  FLOWRUN_TRY(const Partial right, evaluate_for(*children[1], frame, open));
  Assembler assembler(type, frame.num_rows);
  assembler.add(right, open);
  return combine(is_and_, left, assembler.finish(), frame.num_rows);
}

MutableTypedPtr LogicNode::with_children(std::vector<TypedPtr> parts) const {
  auto node = std::make_shared<LogicNode>(is_and_, std::move(parts[0]), std::move(parts[1]));
  node->name = name;
  return node;
}

CaseNode::CaseNode(std::vector<TypedPtr> conditions, std::vector<TypedPtr> values,
                   std::string node_name)
    : num_conditions_(conditions.size()) {
  type = values[0]->type;
  name = std::move(node_name);
  nullable = values.size() == conditions.size() ||
             std::ranges::any_of(values, [](const TypedPtr& value) { return value->nullable; });
  children = std::move(conditions);
  children.insert(children.end(), values.begin(), values.end());
  inherit();
}

Result<Datum> CaseNode::evaluate(const Frame& frame) const {
  Assembler assembler(type, frame.num_rows);
  std::vector<int32_t> open = all_rows(frame.num_rows);
  std::vector<int32_t> taken;
  std::vector<int32_t> passed;
  for (size_t branch = 0; branch < num_conditions_ && !open.empty(); ++branch) {
    FLOWRUN_TRY(const Partial condition, evaluate_for(*children[branch], frame, open));
    taken.clear();
    passed.clear();
    const Column& truth = *condition.datum.column;
    for (size_t i = 0; i < open.size(); ++i) {
      const int64_t row = condition.datum.constant ? 0
                          : condition.selected     ? static_cast<int64_t>(i)
                                                   : open[i];
      (truth.is_valid(row) && truth.boolean(row) ? taken : passed).push_back(open[i]);
    }
    if (!taken.empty()) {
      FLOWRUN_TRY(const Partial value,
                  evaluate_for(*children[num_conditions_ + branch], frame, taken));
      assembler.add(value, taken);
    }
    std::swap(open, passed);
  }
  const bool has_else = children.size() > 2 * num_conditions_;
  if (has_else && !open.empty()) {
    FLOWRUN_TRY(const Partial value, evaluate_for(*children.back(), frame, open));
    assembler.add(value, open);
  }
  return assembler.finish();
}

MutableTypedPtr CaseNode::with_children(std::vector<TypedPtr> parts) const {
  const auto middle = parts.begin() + static_cast<std::ptrdiff_t>(num_conditions_);
  return std::make_shared<CaseNode>(std::vector<TypedPtr>(parts.begin(), middle),
                                    std::vector<TypedPtr>(middle, parts.end()), name);
}

CoalesceNode::CoalesceNode(std::vector<TypedPtr> values, std::string node_name) {
  type = values[0]->type;
  name = std::move(node_name);
  nullable = std::ranges::all_of(values, [](const TypedPtr& value) { return value->nullable; });
  children = std::move(values);
  inherit();
}

Result<Datum> CoalesceNode::evaluate(const Frame& frame) const {
  FLOWRUN_TRY(const Datum first, children[0]->evaluate(frame));
  if (first.constant ? !first.column->is_null(0) : first.column->null_count() == 0) return first;
  Assembler assembler(type, frame.num_rows);
  std::vector<int32_t> open = all_rows(frame.num_rows);
  std::vector<int32_t> passed;
  Partial value{first, false};
  for (size_t i = 0; i < children.size() && !open.empty(); ++i) {
    if (i > 0) {
      FLOWRUN_TRY(value, evaluate_for(*children[i], frame, open));
    }
    assembler.add(value, open);
    passed.clear();
    for (size_t k = 0; k < open.size(); ++k) {
      const int64_t row = value.datum.constant ? 0
                          : value.selected     ? static_cast<int64_t>(k)
                                               : open[k];
      if (value.datum.column->is_null(row)) passed.push_back(open[k]);
    }
    std::swap(open, passed);
  }
  return assembler.finish();
}

MutableTypedPtr CoalesceNode::with_children(std::vector<TypedPtr> values) const {
  return std::make_shared<CoalesceNode>(std::move(values), name);
}

}  // namespace flowrun
