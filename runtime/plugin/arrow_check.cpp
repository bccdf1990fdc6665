#include "runtime/plugin/arrow_check.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <string_view>

namespace flowrun {

namespace {

constexpr int kMaxDepth = 64;
constexpr int64_t kMaxChildren = 1 << 16;
constexpr int64_t kMaxRows = std::numeric_limits<int32_t>::max();

Error wrong(const ArrowSchema& schema, std::string_view what) {
  const std::string_view name = schema.name ? schema.name : "";
  return Error::data(name.empty() ? fmt::format("the batch: {}", what)
                                  : fmt::format("column `{}`: {}", name, what));
}

Status check_schema(const ArrowSchema& schema, int depth) {
  if (!schema.release) return wrong(schema, "its schema was released or never filled");
  if (!schema.format || schema.format[0] == '\0') return wrong(schema, "its schema has no format");
  if (schema.dictionary)
    return wrong(schema, "it is encoded by a dictionary — hand over the values themselves");
  if (depth > kMaxDepth) return wrong(schema, "its schema is nested too deeply");
  if (schema.n_children < 0 || schema.n_children > kMaxChildren)
    return wrong(schema, fmt::format("its schema counts {} children", schema.n_children));
  if (schema.n_children > 0 && !schema.children)
    return wrong(schema, "its schema counts children and has none");
  for (int64_t i = 0; i < schema.n_children; ++i) {
    const ArrowSchema* child = schema.children[i];
    if (!child) return wrong(schema, fmt::format("child {} of its schema is a null pointer", i));
    if (!child->name && schema.format == std::string_view("+s"))
      return wrong(schema, fmt::format("child {} of its schema has no name", i));
    FLOWRUN_RETURN_IF_ERROR(check_schema(*child, depth + 1));
  }
  return ok_status();
}

// What an array of a format must have.
struct Shape {
  int64_t buffers = 2;
  int64_t first_values = 1;  // index of the first buffer that may not be absent
  bool views = false;        // buffers is the least number
};

Shape shape_of(std::string_view format) {
  if (format == "n") return {0, 1};
  if (format == "u" || format == "z" || format == "U" || format == "Z") return {3, 1};
  if (format[0] == 'v') return {3, 1, true};
  if (format == "+s" || format.starts_with("+w:")) return {1, 1};
  return {2, 1};
}

class ArrayCheck {
 public:
  ArrayCheck(const ArrowSchema& schema, const ArrowArray& array) : schema_(schema), array_(array) {}

  Status run() {
    FLOWRUN_RETURN_IF_ERROR(check_counts());
    if (array_.length == 0 && format_ != "+s") return ok_status();  // nothing of it is looked at
    FLOWRUN_RETURN_IF_ERROR(check_buffers());
    FLOWRUN_RETURN_IF_ERROR(check_nulls());
    if (shape_.views) return check_views();
    if (format_ == "u" || format_ == "z") return check_offsets<int32_t>("text", kNoLimit);
    if (format_ == "U" || format_ == "Z") return check_offsets<int64_t>("text", kNoLimit);
    return check_children();
  }

 private:
  static constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

  [[nodiscard]] Error wrong(std::string_view what) const { return flowrun::wrong(schema_, what); }

  Status check_counts() {
    if (!array_.release) return wrong("its array was released or never filled");
    if (array_.length < 0 || array_.offset < 0 || array_.length > kMaxRows ||
        array_.offset > kMaxRows) {
      return wrong(fmt::format("it has length {} and offset {}", array_.length, array_.offset));
    }
    if (array_.null_count < -1 || array_.null_count > array_.length)
      return wrong(fmt::format("it counts {} nulls in {} rows", array_.null_count, array_.length));
    const bool enough =
        shape_.views ? array_.n_buffers >= shape_.buffers : array_.n_buffers == shape_.buffers;
    if (!enough) {
      return wrong(fmt::format("it has {} buffers where its type (format `{}`) has {}",
                               array_.n_buffers, format_, shape_.buffers));
    }
    if (array_.n_children != schema_.n_children)
      return wrong(fmt::format("it has {} children where its type has {}", array_.n_children,
                               schema_.n_children));
    if (array_.n_children > 0 && !array_.children) return wrong("its children are a null pointer");
    if (array_.dictionary) return wrong("it has a dictionary that its schema does not have");
    return ok_status();
  }

  Status check_buffers() const {
    if (array_.n_buffers > 0 && !array_.buffers) return wrong("its buffers are a null pointer");
    const bool text = format_ == "u" || format_ == "z" || format_ == "U" || format_ == "Z";
    // The bytes of texts that are all empty may be absent.
    const int64_t needed = text ? 2 : shape_.views ? 2 : array_.n_buffers;
    for (int64_t i = shape_.first_values; i < needed; ++i) {
      if (!array_.buffers[i])
        return wrong(fmt::format("buffer {} of {} is a null pointer", i, array_.n_buffers));
    }
    return ok_status();
  }

  Status check_nulls() const {
    if (format_ == "n" || array_.n_buffers == 0) return ok_status();
    const auto* bits = static_cast<const uint8_t*>(array_.buffers[0]);
    int64_t nulls = 0;
    if (bits && array_.null_count != 0)
      nulls = array_.length - count_set_bits(bits, array_.offset, array_.length);
    if (array_.null_count > 0 && nulls != array_.null_count) {
      return wrong(fmt::format("it counts {} nulls, its bitmap has {}", array_.null_count, nulls));
    }
    if (nulls > 0 && (schema_.flags & ARROW_FLAG_NULLABLE) == 0 && schema_.name && *schema_.name)
      return wrong(fmt::format("it has {} nulls, its schema says that it has none", nulls));
    return ok_status();
  }

  [[nodiscard]] bool is_valid(int64_t row) const {
    const auto* bits = static_cast<const uint8_t*>(array_.buffers[0]);
    return array_.null_count == 0 || !bits || get_bit(bits, array_.offset + row);
  }

  Status check_views() const {
    const int64_t data_buffers = array_.n_buffers - 3;
    const auto* sizes = static_cast<const int64_t*>(array_.buffers[array_.n_buffers - 1]);
    if (data_buffers > 0 && !sizes) return wrong("it does not say how long its data buffers are");
    const auto* views = static_cast<const StringView*>(array_.buffers[1]) + array_.offset;
    for (int64_t row = 0; row < array_.length; ++row) {
      const StringView& view = views[row];
      if (view.is_inline() || !is_valid(row)) continue;
      const int64_t buffer = view.outside.buffer;
      const bool inside = view.size <= kMaxRows && buffer < data_buffers &&
                          array_.buffers[2 + buffer] &&
                          int64_t{view.outside.offset} + int64_t{view.size} <= sizes[buffer];
      if (!inside) return wrong(fmt::format("the text of row {} lies outside of its buffers", row));
    }
    return ok_status();
  }

  template <class Offset>
  Status check_offsets(std::string_view of_what, int64_t limit) const {
    const auto* offsets = static_cast<const Offset*>(array_.buffers[1]) + array_.offset;
    for (int64_t row = 0; row <= array_.length; ++row) {
      const bool rises = row == 0 ? offsets[0] >= 0 : offsets[row] >= offsets[row - 1];
      if (!rises || offsets[row] > limit)
        return wrong(fmt::format("the offsets of its {} do not rise at row {}", of_what, row));
    }
    if (limit == kNoLimit && offsets[array_.length] > offsets[0] && !array_.buffers[2])
      return wrong("the bytes of its text are a null pointer");
    return ok_status();
  }

  Status check_children() const {
    for (int64_t i = 0; i < array_.n_children; ++i) {
      if (!array_.children[i]) return wrong(fmt::format("child {} is a null pointer", i));
      FLOWRUN_RETURN_IF_ERROR(check_array(*schema_.children[i], *array_.children[i]));
      FLOWRUN_RETURN_IF_ERROR(check_length(i));
    }
    if (format_ == "+l" || format_ == "+m")
      return check_offsets<int32_t>("lists", array_.children[0]->length);
    if (format_ == "+L") return check_offsets<int64_t>("lists", array_.children[0]->length);
    return ok_status();
  }

  // The rows of a child that is addressed by position.
  Status check_length(int64_t child) const {
    int64_t width = 1;
    if (format_.starts_with("+w:")) {
      std::from_chars(format_.data() + 3, format_.data() + format_.size(), width);
    } else if (format_ != "+s") {
      return ok_status();
    }
    const int64_t needed = (array_.offset + array_.length) * width;
    const int64_t length = array_.children[child]->length;
    if (length >= needed) return ok_status();
    return flowrun::wrong(*schema_.children[child],
                          fmt::format("it has {} rows where there must be {}", length, needed));
  }

  const ArrowSchema& schema_;
  const ArrowArray& array_;
  std::string_view format_ = schema_.format;
  Shape shape_ = shape_of(format_);
};

}  // namespace

Status check_schema(const ArrowSchema& schema) { return check_schema(schema, 0); }

Status check_array(const ArrowSchema& schema, const ArrowArray& array) {
  const ColumnPtr own = exported_column(array);
  if (!own) return ArrayCheck(schema, array).run();
  FLOWRUN_TRY(const Field field, import_field(schema));
  if (own->type() == field.type) return ok_status();
  return wrong(schema, fmt::format("it is of type {} where {} is declared",
                                   own->type().simple_string(), field.type.simple_string()));
}

}  // namespace flowrun
