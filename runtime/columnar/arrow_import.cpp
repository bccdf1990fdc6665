#include <fmt/format.h>

#include <charconv>
#include <limits>

#include "runtime/base/check.h"
#include "runtime/columnar/arrow.h"
#include "runtime/columnar/builder.h"

namespace flowrun {

namespace {

// The producer's memory; released when the last buffer that points into it goes.
class Producer {
 public:
  explicit Producer(ArrowArray* array) : array_(*array) { array->release = nullptr; }
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;
  ~Producer() {
    if (array_.release) array_.release(&array_);
  }
  [[nodiscard]] const ArrowArray& array() const { return array_; }

 private:
  ArrowArray array_;
};

// One array (perhaps a child) of a producer, with its format.
struct Node {
  const ArrowSchema& schema;
  const ArrowArray& array;
  const std::shared_ptr<Producer>& producer;

  [[nodiscard]] std::string_view format() const { return schema.format; }
  [[nodiscard]] Node child(int64_t i) const {
    return {*schema.children[i], *array.children[i], producer};
  }
  [[nodiscard]] int64_t end() const { return array.offset + array.length; }
  template <class T>
  [[nodiscard]] const T* buffer(int64_t i) const {
    return static_cast<const T*>(array.buffers[i]);
  }
  [[nodiscard]] BufferPtr wrap(const void* data, size_t bytes) const {
    return Buffer::foreign(data, bytes, [held = producer] {});
  }
};

Result<ColumnPtr> import_node(const Node& node);

Error too_large(const Node& node, std::string_view what) {
  return Error::data(fmt::format("Arrow column `{}` does not fit: {}",
                                 node.schema.name ? node.schema.name : "", what));
}

// Type, size and validity, with the array's own offset.
Column::Parts shared_parts(const Node& node, const Type& type) {
  Column::Parts parts{.type = type,
                      .size = node.array.length,
                      .offset = node.array.offset,
                      .null_count = node.array.null_count};
  if (const auto* bits = node.buffer<uint8_t>(0); bits && node.array.null_count != 0) {
    parts.validity = node.wrap(bits, bitmap_bytes(node.end()));
  } else {
    parts.null_count = 0;
  }
  return parts;
}

// As shared_parts, the bits moved to offset 0: for values that are made anew.
Column::Parts moved_parts(const Node& node, const Type& type) {
  Column::Parts parts = shared_parts(node, type);
  parts.offset = 0;
  if (parts.validity) {
    BufferPtr bits = Buffer::allocate(bitmap_bytes(parts.size));
    copy_bits(parts.validity->data(), node.array.offset, parts.size, bits->mutable_data(), 0);
    parts.validity = std::move(bits);
  }
  return parts;
}

bool is_valid(const Column::Parts& parts, int64_t row) {
  return !parts.validity || get_bit(parts.validity->data(), parts.offset + row);
}

// Values as they are; copied only where the producer's memory is not aligned for them.
ColumnPtr shared_values(const Node& node, const Type& type) {
  Column::Parts parts = shared_parts(node, type);
  const auto* data = node.buffer<uint8_t>(1);
  const size_t bytes = type.id() == TypeId::boolean
                           ? bitmap_bytes(node.end())
                           : static_cast<size_t>(node.end()) * value_width(type.id());
  constexpr size_t kAlignment = alignof(Decimal128);
  if (reinterpret_cast<uintptr_t>(data) %
          std::min(kAlignment, std::max<size_t>(value_width(type.id()), 1)) ==
      0) {
    parts.values = node.wrap(data, bytes);
  } else {
    parts.values = Buffer::allocate(bytes);
    std::memcpy(parts.values->mutable_data(), data, bytes);
  }
  return Column::make(std::move(parts));
}

// Each value of type From made one of type To: bool convert(From, To&) is false if it does not fit.
template <class From, class To, class Convert>
Result<ColumnPtr> converted(const Node& node, const Type& type, Convert convert) {
  Column::Parts parts = moved_parts(node, type);
  parts.values = Buffer::allocate(static_cast<size_t>(parts.size) * sizeof(To));
  auto* out = reinterpret_cast<To*>(parts.values->mutable_data());
  const auto* in = node.buffer<char>(1) + static_cast<size_t>(node.array.offset) * sizeof(From);
  for (int64_t i = 0; i < parts.size; ++i) {
    From value;
    std::memcpy(&value, in + static_cast<size_t>(i) * sizeof(From), sizeof(From));
    out[i] = To{};
    if (!convert(value, out[i]) && is_valid(parts, i)) {
      return too_large(node,
                       fmt::format("row {} is out of the range of {}", i, type.simple_string()));
    }
  }
  return Column::make(std::move(parts));
}

template <class From, class To>
Result<ColumnPtr> widened(const Node& node, const Type& type) {
  return converted<From, To>(node, type, [](From value, To& out) {
    out = static_cast<To>(value);
    return true;
  });
}

int64_t floor_divide(int64_t value, int64_t divisor) {
  return value / divisor - (value % divisor < 0 ? 1 : 0);
}

// Timestamps and durations of a unit (s, m, u, n) as microseconds.
Result<ColumnPtr> microseconds(const Node& node, const Type& type, char unit) {
  if (unit == 'u') return shared_values(node, type);
  if (unit == 'n') {
    return converted<int64_t, int64_t>(node, type, [](int64_t value, int64_t& out) {
      out = floor_divide(value, 1000);
      return true;
    });
  }
  const int64_t factor = unit == 's' ? 1'000'000 : 1000;
  return converted<int64_t, int64_t>(node, type, [factor](int64_t value, int64_t& out) {
    return !__builtin_mul_overflow(value, factor, &out);
  });
}

Result<ColumnPtr> milliseconds_as_days(const Node& node) {
  constexpr int64_t kMillisPerDay = 86'400'000;
  return converted<int64_t, int32_t>(node, Type::date(), [](int64_t value, int32_t& out) {
    const int64_t days = floor_divide(value, kMillisPerDay);
    out = static_cast<int32_t>(days);
    return days == out;
  });
}

struct DaysAndMillis {
  int32_t days;
  int32_t millis;
};

Result<ColumnPtr> calendar_intervals(const Node& node, const Type& type) {
  if (node.format() == "tiD") {
    return converted<DaysAndMillis, CalendarInterval>(
        node, type, [](DaysAndMillis value, CalendarInterval& out) {
          out = {0, value.days, int64_t{value.millis} * 1000};
          return true;
        });
  }
  // Arrow's month_day_nano has our layout, but for the unit.
  return converted<CalendarInterval, CalendarInterval>(
      node, type, [](CalendarInterval value, CalendarInterval& out) {
        out = {value.months, value.days, floor_divide(value.microseconds, 1000)};
        return true;
      });
}

Result<ColumnPtr> decimals(const Node& node, const Type& type) {
  const std::string_view format = node.format();
  if (format.ends_with(",32")) return widened<int32_t, Decimal128>(node, type);
  if (format.ends_with(",64")) return widened<int64_t, Decimal128>(node, type);
  return shared_values(node, type);
}

// Splits text of 64-bit offsets among data buffers that 32-bit offsets of views can reach.
class TextWindow {
 public:
  TextWindow(const Node& node, const char* data, int64_t end)
      : node_(node), data_(data), end_(end) {}

  // A view of data[from, to).
  StringView view(int64_t from, int64_t to, std::vector<BufferPtr>& buffers) {
    const std::string_view text(data_ + from, static_cast<size_t>(to - from));
    if (text.size() <= StringView::kInline) return StringView::inline_of(text);
    if (buffers.empty() || to - begin_ > kReach) {
      begin_ = from;
      buffers.push_back(
          node_.wrap(data_ + from, static_cast<size_t>(std::min(end_ - from, kReach))));
    }
    return StringView::of(text, static_cast<uint32_t>(buffers.size() - 1),
                          static_cast<uint32_t>(from - begin_));
  }

  static constexpr int64_t kReach = std::numeric_limits<int32_t>::max();

 private:
  const Node& node_;
  const char* data_;
  int64_t end_;
  int64_t begin_ = 0;
};

// Views over text whose row i is data[begin(i), begin(i + 1)); the bytes are shared.
template <class Begin>
Result<ColumnPtr> viewed(const Node& node, const Type& type, const char* data, Begin begin) {
  Column::Parts parts = moved_parts(node, type);
  parts.values = Buffer::allocate(static_cast<size_t>(parts.size) * sizeof(StringView));
  auto* views = reinterpret_cast<StringView*>(parts.values->mutable_data());
  TextWindow window(node, data, begin(parts.size));
  for (int64_t i = 0; i < parts.size; ++i) {
    views[i] = StringView{};
    if (!is_valid(parts, i)) continue;
    if (begin(i + 1) - begin(i) > TextWindow::kReach)
      return too_large(node, "a text is longer than 2 GiB");
    views[i] = window.view(begin(i), begin(i + 1), parts.data_buffers);
  }
  return Column::make(std::move(parts));
}

template <class Offset>
Result<ColumnPtr> texts(const Node& node, const Type& type) {
  const auto* offsets = node.buffer<Offset>(1) + node.array.offset;
  return viewed(node, type, node.buffer<char>(2),
                [offsets](int64_t i) { return static_cast<int64_t>(offsets[i]); });
}

Result<ColumnPtr> fixed_size_binary(const Node& node) {
  int64_t width = 0;
  const std::string_view format = node.format();
  std::from_chars(format.data() + 2, format.data() + format.size(), width);
  const int64_t first = node.array.offset;
  return viewed(node, Type::binary(), node.buffer<char>(1),
                [width, first](int64_t i) { return (first + i) * width; });
}

// Arrow leaves views under nulls undefined; ours must be safe to follow.
void clear_null_views(Column::Parts& parts) {
  if (!parts.validity) return;
  const auto* views = reinterpret_cast<const StringView*>(parts.values->data()) + parts.offset;
  BufferPtr cleared =
      Buffer::allocate(static_cast<size_t>(parts.offset + parts.size) * sizeof(StringView));
  auto* out = reinterpret_cast<StringView*>(cleared->mutable_data()) + parts.offset;
  for (int64_t i = 0; i < parts.size; ++i) out[i] = is_valid(parts, i) ? views[i] : StringView{};
  parts.values = std::move(cleared);
}

Result<ColumnPtr> views(const Node& node, const Type& type) {
  Column::Parts parts = shared_parts(node, type);
  parts.values =
      node.wrap(node.buffer<uint8_t>(1), static_cast<size_t>(node.end()) * sizeof(StringView));
  const int64_t last = node.array.n_buffers - 1;
  for (int64_t i = 2; i < last; ++i) {
    const int64_t size = node.buffer<int64_t>(last)[i - 2];
    parts.data_buffers.push_back(node.wrap(node.array.buffers[i], static_cast<size_t>(size)));
  }
  clear_null_views(parts);
  return Column::make(std::move(parts));
}

// The elements of a map stand in a struct of keys and values.
Status import_elements(const Node& node, Column::Parts& parts) {
  const Node elements = node.child(0);
  FLOWRUN_TRY(const ColumnPtr column, import_node(elements));
  if (parts.type.id() == TypeId::array) {
    parts.children.push_back(column);
  } else {
    parts.children.assign(column->children().begin(), column->children().end());
  }
  return ok_status();
}

Result<ColumnPtr> lists(const Node& node, const Type& type) {
  Column::Parts parts = shared_parts(node, type);
  parts.values =
      node.wrap(node.buffer<int32_t>(1), static_cast<size_t>(node.end() + 1) * sizeof(int32_t));
  FLOWRUN_RETURN_IF_ERROR(import_elements(node, parts));
  return Column::make(std::move(parts));
}

// Offsets made for rows whose elements are [begin(i), begin(i + 1)); elements before the first are
// cut off.
template <class Begin>
Result<ColumnPtr> lists_with_offsets(const Node& node, const Type& type, Begin begin) {
  Column::Parts parts = moved_parts(node, type);
  const int64_t first = begin(0);
  const int64_t elements = begin(parts.size) - first;
  if (elements > std::numeric_limits<int32_t>::max())
    return too_large(node, "it has more than 2^31 elements");
  parts.values = Buffer::allocate(static_cast<size_t>(parts.size + 1) * sizeof(int32_t));
  auto* offsets = reinterpret_cast<int32_t*>(parts.values->mutable_data());
  for (int64_t i = 0; i <= parts.size; ++i) offsets[i] = static_cast<int32_t>(begin(i) - first);
  FLOWRUN_RETURN_IF_ERROR(import_elements(node, parts));
  parts.children[0] = parts.children[0]->slice(first, elements);
  return Column::make(std::move(parts));
}

Result<ColumnPtr> fixed_size_lists(const Node& node, const Type& type) {
  int64_t width = 0;
  const std::string_view format = node.format();
  std::from_chars(format.data() + 3, format.data() + format.size(), width);
  const int64_t first = node.array.offset;
  return lists_with_offsets(node, type, [=](int64_t i) { return (first + i) * width; });
}

// A struct's offset applies to its children too; ours stand at the row they belong to.
Result<ColumnPtr> structs(const Node& node, const Type& type) {
  Column::Parts parts = moved_parts(node, type);
  for (int64_t i = 0; i < node.array.n_children; ++i) {
    FLOWRUN_TRY(const ColumnPtr child, import_node(node.child(i)));
    parts.children.push_back(child->slice(node.array.offset, node.array.length));
  }
  return Column::make(std::move(parts));
}

Result<ColumnPtr> nested(const Node& node, const Type& type) {
  if (type.id() == TypeId::struct_) return structs(node, type);
  if (node.format() == "+L") {
    const auto* offsets = node.buffer<int64_t>(1) + node.array.offset;
    return lists_with_offsets(node, type, [offsets](int64_t i) { return offsets[i]; });
  }
  if (node.format().starts_with("+w:")) return fixed_size_lists(node, type);
  return lists(node, type);
}

template <class Index>
std::vector<int32_t> dictionary_indices(const Node& node) {
  const Column::Parts parts = moved_parts(node, Type::null());
  const auto* in = node.buffer<Index>(1) + node.array.offset;
  std::vector<int32_t> indices(static_cast<size_t>(node.array.length));
  for (int64_t i = 0; i < node.array.length; ++i) {
    indices[static_cast<size_t>(i)] = is_valid(parts, i) ? static_cast<int32_t>(in[i]) : -1;
  }
  return indices;
}

Result<ColumnPtr> decoded(const Node& node) {
  FLOWRUN_TRY(const ColumnPtr words,
              import_node({*node.schema.dictionary, *node.array.dictionary, node.producer}));
  switch (node.format()[0]) {
    case 'c':
      return take(*words, dictionary_indices<int8_t>(node));
    case 'C':
      return take(*words, dictionary_indices<uint8_t>(node));
    case 's':
      return take(*words, dictionary_indices<int16_t>(node));
    case 'S':
      return take(*words, dictionary_indices<uint16_t>(node));
    case 'i':
      return take(*words, dictionary_indices<int32_t>(node));
    case 'I':
      return take(*words, dictionary_indices<uint32_t>(node));
    case 'l':
      return take(*words, dictionary_indices<int64_t>(node));
    case 'L':
      return take(*words, dictionary_indices<uint64_t>(node));
    default:
      return Error::invalid(
          fmt::format("a dictionary's indices are integers, not of format `{}`", node.format()));
  }
}

Result<ColumnPtr> import_fixed(const Node& node, const Type& type) {
  const std::string_view format = node.format();
  switch (format[0]) {
    case 'C':
      return widened<uint8_t, int16_t>(node, type);
    case 'S':
      return widened<uint16_t, int32_t>(node, type);
    case 'I':
      return widened<uint32_t, int64_t>(node, type);
    case 'L':
      return widened<uint64_t, Decimal128>(node, type);
    case 'd':
      return decimals(node, type);
    default:
      break;
  }
  if (format == "tdm") return milliseconds_as_days(node);
  if (format.starts_with("ts") || format.starts_with("tD"))
    return microseconds(node, type, format[2]);
  if (type.id() == TypeId::calendar_interval) return calendar_intervals(node, type);
  return shared_values(node, type);
}

// REQUIRES: import_field took the schema.
Result<ColumnPtr> import_node(const Node& node) {
  FLOWRUN_TRY(const Field field, import_field(node.schema));
  const Type& type = field.type;
  if (ColumnPtr own = exported_column(node.array); own && own->type() == type) return own;
  if (node.array.length == 0) return null_column(type, 0);
  if (node.schema.dictionary) return decoded(node);
  if (type.id() == TypeId::null) return null_column(type, node.array.length);
  if (type.is_nested()) return nested(node, type);
  const std::string_view format = node.format();
  if (format[0] == 'v') return views(node, type);
  if (format == "u" || format == "z") return texts<int32_t>(node, type);
  if (format == "U" || format == "Z") return texts<int64_t>(node, type);
  if (format.starts_with("w:")) return fixed_size_binary(node);
  return import_fixed(node, type);
}

}  // namespace

Result<ColumnPtr> import_column(const ArrowSchema& schema, ArrowArray* array) {
  const auto producer = std::make_shared<Producer>(array);
  FLOWRUN_RETURN_IF_ERROR(import_field(schema));
  return import_node({schema, producer->array(), producer});
}

Result<RecordBatch> import_batch(const ArrowSchema& schema, ArrowArray* array) {
  Result<SchemaPtr> columns = import_schema(schema);
  if (columns) return import_batch(std::move(*columns), schema, array);
  const Producer released(array);
  return std::move(columns.error());
}

Result<RecordBatch> import_batch(SchemaPtr columns, const ArrowSchema& schema, ArrowArray* array) {
  const auto producer = std::make_shared<Producer>(array);
  const int64_t rows = producer->array().length;
  FLOWRUN_TRY(const ColumnPtr column, import_node({schema, producer->array(), producer}));
  return RecordBatch(std::move(columns), rows,
                     {column->children().begin(), column->children().end()});
}

}  // namespace flowrun
