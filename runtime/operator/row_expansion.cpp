#include "runtime/operator/row_expansion.h"

#include <algorithm>
#include <utility>

#include "runtime/columnar/builder.h"

namespace flowrun {

namespace {

// Which element of a list each output row shows, and at which position; -1 where an outer one shows
// nulls.
struct Elements {
  std::vector<int32_t> elements;
  std::vector<int32_t> positions;
};

Elements list_elements(const Column& lists, bool outer, std::vector<int32_t>& rows) {
  Elements found;
  for (int64_t row = 0; row < lists.size(); ++row) {
    const int32_t begin = lists.is_null(row) ? 0 : lists.list_begin(row);
    const int32_t end = lists.is_null(row) ? 0 : lists.list_end(row);
    if (begin == end && outer) {
      rows.push_back(static_cast<int32_t>(row));
      found.elements.push_back(-1);
      found.positions.push_back(-1);
    }
    for (int32_t element = begin; element < end; ++element) {
      rows.push_back(static_cast<int32_t>(row));
      found.elements.push_back(element);
      found.positions.push_back(element - begin);
    }
  }
  return found;
}

// The elements; shared without a copy where they follow one another, which is the rule.
ColumnPtr pick(const ColumnPtr& values, std::span<const int32_t> elements) {
  const bool consecutive = std::ranges::adjacent_find(elements, [](int32_t a, int32_t b) {
                             return b != a + 1;
                           }) == elements.end();
  if (consecutive && !elements.empty() && elements.front() >= 0) {
    return values->slice(elements.front(), std::ssize(elements));
  }
  return take(*values, elements);
}

ColumnPtr position_column(std::span<const int32_t> positions) {
  FixedWriter<int32_t> column(Type::integer(), std::ssize(positions));
  for (size_t i = 0; i < positions.size(); ++i) {
    const auto row = static_cast<int64_t>(i);
    positions[i] < 0 ? column.set_null(row) : column.set(row, positions[i]);
  }
  return column.finish();
}

Expansion explode(const Generator& generator, const Column& lists) {
  Expansion expansion;
  const Elements found = list_elements(lists, generator.outer, expansion.rows);
  if (generator.position) expansion.columns.push_back(position_column(found.positions));
  for (const ColumnPtr& child : lists.children()) {
    expansion.columns.push_back(pick(child, found.elements));
  }
  return expansion;
}

Expansion inline_structs(const Generator& generator, const Column& lists) {
  Expansion expansion;
  Elements found = list_elements(lists, generator.outer, expansion.rows);
  const Column& structs = *lists.child(0);
  // The fields under a null struct are undefined: they are shown as nulls.
  for (int32_t& element : found.elements) {
    if (element >= 0 && structs.is_null(element)) element = -1;
  }
  for (const ColumnPtr& field : structs.children()) {
    expansion.columns.push_back(pick(field, found.elements));
  }
  return expansion;
}

Result<Expansion> stack(const Generator& generator, const RecordBatch& batch,
                        const EvaluationContext& context) {
  Expansion expansion;
  const auto num_rows = static_cast<int32_t>(batch.num_rows());
  const auto height = static_cast<size_t>(generator.stack_rows);
  const size_t width = generator.columns.size();
  for (int32_t row = 0; row < num_rows; ++row)
    expansion.rows.insert(expansion.rows.end(), height, row);
  for (size_t c = 0; c < width; ++c) {
    std::vector<ColumnPtr> parts;  // argument (r, c) is part r; those beyond the last are null
    for (size_t r = 0; r < height && r * width + c < generator.arguments.size(); ++r) {
      FLOWRUN_TRY(ColumnPtr part, generator.arguments[r * width + c]->evaluate(batch, context));
      parts.push_back(std::move(part));
    }
    std::vector<int32_t> indices;
    indices.reserve(expansion.rows.size());
    for (int32_t row = 0; row < num_rows; ++row) {
      for (size_t r = 0; r < height; ++r) {
        indices.push_back(r < parts.size() ? static_cast<int32_t>(r) * num_rows + row : -1);
      }
    }
    expansion.columns.push_back(take(*concatenate(std::span<const ColumnPtr>(parts)), indices));
  }
  return expansion;
}

}  // namespace

Result<Expansion> expand_rows(const Generator& generator, const RecordBatch& batch,
                              const EvaluationContext& context) {
  if (generator.kind == Generator::Kind::stack) return stack(generator, batch, context);
  FLOWRUN_TRY(const ColumnPtr lists, generator.arguments[0]->evaluate(batch, context));
  return generator.kind == Generator::Kind::inline_ ? inline_structs(generator, *lists)
                                                    : explode(generator, *lists);
}

}  // namespace flowrun
