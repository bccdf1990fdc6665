// Types, schemas, columns and batches. Part of flowrun/plugin.hpp: include that.
#ifndef FLOWRUN_PLUGIN_COLUMNS_HPP
#define FLOWRUN_PLUGIN_COLUMNS_HPP

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "error.hpp"

// Nothing of this is seen from outside: two plugins may have classes of one name.
#pragma GCC visibility push(hidden)

namespace flowrun {
namespace plugin {

// A column's name and its type as Arrow's format: types::bigint() and so on.
struct Field {
  std::string name;
  std::string format;
  bool nullable = true;
  std::vector<Field> children = {};
};

namespace types {
inline std::string boolean() { return "b"; }
inline std::string tinyint() { return "c"; }
inline std::string smallint() { return "s"; }
inline std::string integer() { return "i"; }
inline std::string bigint() { return "l"; }
inline std::string real() { return "f"; }
inline std::string double_() { return "g"; }
inline std::string string() { return "vu"; }
inline std::string binary() { return "vz"; }
inline std::string date() { return "tdD"; }
inline std::string timestamp() { return "tsu:UTC"; }
inline Field struct_(std::string name, std::vector<Field> children) {
  return {std::move(name), "+s", true, std::move(children)};
}
inline Field array(std::string name, Field element) {
  return {std::move(name), "+l", true, {std::move(element)}};
}
}  // namespace types

class Schema {
 public:
  Schema() = default;
  Schema(std::vector<Field> fields) : fields_(std::move(fields)) {}  // NOLINT: by intent
  Schema(std::initializer_list<Field> fields) : fields_(fields) {}
  explicit Schema(const ArrowSchema& schema) {
    for (int64_t i = 0; i < schema.n_children; ++i)
      fields_.push_back(field_of(*schema.children[i]));
  }

  size_t size() const { return fields_.size(); }
  const Field& operator[](size_t i) const { return fields_[i]; }
  // The column of that name; with a format also of that type. Throws Error::option if told which
  // option named it.
  size_t find(const std::string& name, const std::string& format = "",
              const std::string& option = "") const {
    for (size_t i = 0; i < fields_.size(); ++i) {
      if (fields_[i].name != name) continue;
      if (format.empty() || fields_[i].format == format) return i;
      throw Error::option(option, "column `" + name + "` is of Arrow's type " + fields_[i].format +
                                      ", it must be " + format + " — cast it first");
    }
    std::string known;
    for (const Field& field : fields_) known += (known.empty() ? "" : ", ") + field.name;
    throw Error::option(option, "no column `" + name + "` — there are " + known);
  }
  Schema with(Field field) const {
    Schema more = *this;
    more.fields_.push_back(std::move(field));
    return more;
  }
  // Fills *out, which the receiver releases.
  void export_to(ArrowSchema* out) const { export_field({"", "+s", false, fields_}, out); }
  static void export_field(const Field& field, ArrowSchema* out) {
    auto* owner = new Owner{field, {}, {}};
    owner->children.resize(field.children.size());
    for (size_t i = 0; i < field.children.size(); ++i) {
      export_field(field.children[i], &owner->children[i]);
      owner->pointers.push_back(&owner->children[i]);
    }
    *out = ArrowSchema{owner->field.format.c_str(),
                       owner->field.name.c_str(),
                       nullptr,
                       field.nullable ? ARROW_FLAG_NULLABLE : 0,
                       static_cast<int64_t>(owner->children.size()),
                       owner->pointers.data(),
                       nullptr,
                       release,
                       owner};
  }

 private:
  struct Owner {
    Field field;
    std::vector<ArrowSchema> children;
    std::vector<ArrowSchema*> pointers;
  };
  static void release(ArrowSchema* schema) {
    auto* owner = static_cast<Owner*>(schema->private_data);
    for (ArrowSchema& child : owner->children) {
      if (child.release) child.release(&child);
    }
    delete owner;
    schema->release = nullptr;
  }
  static Field field_of(const ArrowSchema& schema) {
    Field field{schema.name ? schema.name : "",
                schema.format,
                (schema.flags & ARROW_FLAG_NULLABLE) != 0,
                {}};
    for (int64_t i = 0; i < schema.n_children; ++i)
      field.children.push_back(field_of(*schema.children[i]));
    return field;
  }

  std::vector<Field> fields_;
};

// A column that owns its memory. Copies share it.
class Column {
 public:
  Column() = default;
  // Takes *array over.
  explicit Column(ArrowArray* array) : array_(new ArrowArray(*array), Release{}) {
    array->release = nullptr;
  }
  int64_t size() const { return array_->length; }
  const ArrowArray& raw() const { return *array_; }
  // Fills *out: this very array if nobody shares it, so that the host recognises its own.
  void export_to(ArrowArray* out) && {
    if (array_.use_count() == 1) {
      *out = *array_;
      array_->release = nullptr;
      array_.reset();
      return;
    }
    *out = *array_;
    out->private_data = new std::shared_ptr<ArrowArray>(std::move(array_));
    out->release = [](ArrowArray* shared) {
      delete static_cast<std::shared_ptr<ArrowArray>*>(shared->private_data);
      shared->release = nullptr;
    };
  }

 private:
  struct Release {
    void operator()(ArrowArray* array) const {
      if (array->release) array->release(array);
      delete array;
    }
  };
  std::shared_ptr<ArrowArray> array_;
};

// The values of a column. T: bool, int8_t ... int64_t, float, double, std::string_view (string
// and binary); date is int32_t (days), timestamp int64_t (microseconds). Lives no longer than its
// batch.
template <class T>
class Values {
 public:
  Values(const ArrowArray& array, const std::string& format)
      : validity_(array.null_count == 0 || array.n_buffers == 0
                      ? nullptr
                      : static_cast<const uint8_t*>(array.buffers[0])),
        array_(&array),
        offset_(array.offset) {
    if (array.length > 0) {
      data_ = array.n_buffers > 1 ? array.buffers[1] : nullptr;
      views_ = format[0] == 'v';
    }
  }
  int64_t size() const { return array_->length; }
  bool is_null(int64_t row) const {
    return !data_ || (validity_ && !bit(validity_, offset_ + row));
  }
  // REQUIRES: not null.
  T operator[](int64_t row) const {
    if constexpr (std::is_same_v<T, bool>) {
      return bit(static_cast<const uint8_t*>(data_), offset_ + row);
    } else if constexpr (std::is_same_v<T, std::string_view>) {
      return text(offset_ + row);
    } else {
      return static_cast<const T*>(data_)[offset_ + row];
    }
  }

 private:
  static bool bit(const uint8_t* bits, int64_t i) { return (bits[i >> 3] >> (i & 7)) & 1; }
  std::string_view text(int64_t row) const {
    if (!views_) {
      const auto* offsets = static_cast<const int32_t*>(data_);
      const auto* bytes = static_cast<const char*>(array_->buffers[2]);
      return {bytes + offsets[row], static_cast<size_t>(offsets[row + 1] - offsets[row])};
    }
    const char* view = static_cast<const char*>(data_) + row * 16;
    uint32_t size = 0;
    std::memcpy(&size, view, 4);
    if (size <= 12) return {view + 4, size};
    uint32_t buffer = 0;
    uint32_t offset = 0;
    std::memcpy(&buffer, view + 8, 4);
    std::memcpy(&offset, view + 12, 4);
    return {static_cast<const char*>(array_->buffers[2 + buffer]) + offset, size};
  }

  const uint8_t* validity_ = nullptr;
  const ArrowArray* array_;
  const void* data_ = nullptr;
  int64_t offset_ = 0;
  bool views_ = false;
};

// Collects the values of a new column. Text is copied.
template <class T>
class Builder {
 public:
  Builder() = default;
  explicit Builder(int64_t rows) { reserve(rows); }
  void reserve(int64_t rows) {
    const auto count = static_cast<size_t>(rows);
    if constexpr (!std::is_same_v<T, bool>) owned_->values.reserve(count * kUnits);
  }
  void append(T value) {
    mark(true);
    put(value);
  }
  void append_null() {
    ++nulls_;
    mark(false);
    put(T{});
  }
  void append_optional(const std::optional<T>& value) { value ? append(*value) : append_null(); }
  int64_t size() const { return rows_; }

  // The column; the builder begins anew.
  Column finish() {
    auto* owner = owned_.release();
    const bool text = std::is_same_v<T, std::string_view>;
    owner->sizes = {static_cast<int64_t>(owner->bytes.size())};
    owner->values.resize(std::max<size_t>(owner->values.size(), 1));
    owner->buffers = {nulls_ > 0 ? owner->validity.data() : nullptr, owner->values.data(),
                      owner->bytes.data(), owner->sizes.data()};
    ArrowArray array{rows_,   nulls_,  0,       text ? 4 : 2, 0, owner->buffers.data(),
                     nullptr, nullptr, release, owner};
    owned_ = std::make_unique<Owner>();
    rows_ = nulls_ = 0;
    return Column(&array);
  }

 private:
  // Texts are kept as the bytes of their views, booleans as bits.
  static constexpr bool kBytes = std::is_same_v<T, std::string_view> || std::is_same_v<T, bool>;
  static constexpr size_t kUnits = std::is_same_v<T, std::string_view> ? 16 : 1;
  struct Owner {
    std::vector<uint8_t> validity;
    std::vector<std::conditional_t<kBytes, uint8_t, T>> values;
    std::vector<char> bytes;
    std::vector<int64_t> sizes;
    std::vector<const void*> buffers;
  };
  static void release(ArrowArray* array) {
    delete static_cast<Owner*>(array->private_data);
    array->release = nullptr;
  }
  std::vector<uint8_t>& validity() { return owned_->validity; }

  // The bitmap begins with the first null.
  void mark(bool valid) {
    if (nulls_ > 0) {
      if (validity().empty()) begin_validity();
      if (rows_ % 8 == 0) validity().push_back(0);
      if (valid) validity().back() = static_cast<uint8_t>(validity().back() | (1u << (rows_ % 8)));
    }
    ++rows_;
  }
  void begin_validity() {
    validity().assign(static_cast<size_t>((rows_ + 7) / 8), 0xff);
    if (rows_ % 8 != 0) validity().back() = static_cast<uint8_t>((1u << (rows_ % 8)) - 1);
  }
  void put(T value) {
    auto& values = owned_->values;
    if constexpr (std::is_same_v<T, bool>) {
      if ((rows_ - 1) % 8 == 0) values.push_back(0);
      if (value) values.back() = static_cast<uint8_t>(values.back() | (1u << ((rows_ - 1) % 8)));
    } else if constexpr (std::is_same_v<T, std::string_view>) {
      put_view(value);
    } else {
      values.push_back(value);
    }
  }
  void put_view(std::string_view text) {
    char view[16] = {};
    if (text.size() > static_cast<size_t>(std::numeric_limits<int32_t>::max()))
      throw Error::data("a text is longer than 2 GiB");
    const auto size = static_cast<uint32_t>(text.size());
    std::memcpy(view, &size, 4);
    if (size <= 12) {
      if (size > 0) std::memcpy(view + 4, text.data(), size);
    } else {
      std::vector<char>& bytes = owned_->bytes;
      if (bytes.size() + size > static_cast<size_t>(std::numeric_limits<int32_t>::max()))
        throw Error::data("a column has more than 2 GiB of text — give out smaller batches");
      const auto offset = static_cast<uint32_t>(bytes.size());
      std::memcpy(view + 4, text.data(), 4);
      std::memcpy(view + 12, &offset, 4);
      bytes.insert(bytes.end(), text.begin(), text.end());
    }
    owned_->values.insert(owned_->values.end(), view, view + 16);
  }

  std::unique_ptr<Owner> owned_ = std::make_unique<Owner>();
  int64_t rows_ = 0;
  int64_t nulls_ = 0;
};

namespace detail {

// A column whose values are other columns.
struct NestedOwner {
  std::vector<uint8_t> validity;
  std::vector<int32_t> offsets;
  std::vector<const void*> buffers;
  std::vector<ArrowArray> children;
  std::vector<ArrowArray*> pointers;
};

inline Column nested_column(std::unique_ptr<NestedOwner> owner, int64_t rows, int64_t nulls,
                            std::vector<Column> children) {
  owner->children.resize(children.size());
  for (size_t i = 0; i < children.size(); ++i) {
    std::move(children[i]).export_to(&owner->children[i]);
    owner->pointers.push_back(&owner->children[i]);
  }
  NestedOwner* raw = owner.release();
  ArrowArray array{rows,
                   nulls,
                   0,
                   static_cast<int64_t>(raw->buffers.size()),
                   static_cast<int64_t>(raw->children.size()),
                   raw->buffers.data(),
                   raw->pointers.data(),
                   nullptr,
                   [](ArrowArray* released) {
                     auto* own = static_cast<NestedOwner*>(released->private_data);
                     for (ArrowArray& child : own->children) {
                       if (child.release) child.release(&child);
                     }
                     delete own;
                     released->release = nullptr;
                   },
                   raw};
  return Column(&array);
}

}  // namespace detail

// A column of nulls, for one that nobody reads. REQUIRES: a format of types:: that is not nested.
inline Column nulls(int64_t rows, const std::string& format) {
  struct Owner {
    std::vector<uint8_t> validity;
    std::vector<uint8_t> values;
    int64_t no_bytes = 0;
    std::vector<const void*> buffers;
  };
  constexpr size_t kWidest = 16;  // bytes of a text's view, or of a decimal
  const bool text = format[0] == 'v';
  auto owner = std::make_unique<Owner>();
  const auto count = static_cast<size_t>(rows);
  owner->validity.resize(count / 8 + 1);
  owner->values.resize((count + 1) * kWidest);
  owner->buffers = {owner->validity.data(), owner->values.data()};
  if (text) owner->buffers.push_back(&owner->no_bytes);
  Owner* raw = owner.release();
  ArrowArray array{rows,
                   rows,
                   0,
                   static_cast<int64_t>(raw->buffers.size()),
                   0,
                   raw->buffers.data(),
                   nullptr,
                   nullptr,
                   [](ArrowArray* released) {
                     delete static_cast<Owner*>(released->private_data);
                     released->release = nullptr;
                   },
                   raw};
  return Column(&array);
}

// A column of structs without nulls of their own. REQUIRES: at least one column, all of one length.
inline Column struct_of(std::vector<Column> columns) {
  auto owner = std::make_unique<detail::NestedOwner>();
  owner->buffers = {nullptr};
  const int64_t rows = columns[0].size();
  return detail::nested_column(std::move(owner), rows, 0, std::move(columns));
}

// Collects how many elements each row of a column of arrays has; the elements are a column of
// their own, built beside it.
class ListOffsets {
 public:
  void append(int64_t elements) { add(elements, true); }
  void append_null() {
    ++nulls_;
    add(0, false);
  }
  // The column; begins anew. REQUIRES: as many elements as were appended.
  Column finish(Column elements) {
    owner_->buffers = {nulls_ > 0 ? owner_->validity.data() : nullptr, owner_->offsets.data()};
    std::vector<Column> children;
    children.push_back(std::move(elements));
    Column column = detail::nested_column(std::move(owner_), rows_, nulls_, std::move(children));
    *this = ListOffsets();
    return column;
  }

 private:
  static std::unique_ptr<detail::NestedOwner> begin() {
    auto owner = std::make_unique<detail::NestedOwner>();
    owner->offsets.push_back(0);
    return owner;
  }
  void add(int64_t elements, bool valid) {
    if (elements > std::numeric_limits<int32_t>::max() - owner_->offsets.back())
      throw Error::data("a column has more than 2^31 elements — give out smaller batches");
    std::vector<uint8_t>& bits = owner_->validity;
    if (rows_ % 8 == 0) bits.push_back(0);
    if (valid) bits.back() = static_cast<uint8_t>(bits.back() | (1u << (rows_ % 8)));
    owner_->offsets.push_back(owner_->offsets.back() + static_cast<int32_t>(elements));
    ++rows_;
  }

  std::unique_ptr<detail::NestedOwner> owner_ = begin();
  int64_t rows_ = 0;
  int64_t nulls_ = 0;
};

// The arrays of a column of arrays: row r holds the elements from begin(r) to end(r) of elements().
class Lists {
 public:
  explicit Lists(const ArrowArray& array) : array_(&array) {}
  bool is_null(int64_t row) const {
    if (array_->n_children == 0 || array_->n_buffers < 2 || !array_->buffers[1]) return true;
    const auto* bits = static_cast<const uint8_t*>(array_->buffers[0]);
    const int64_t at = array_->offset + row;
    return array_->null_count != 0 && bits && ((bits[at >> 3] >> (at & 7)) & 1) == 0;
  }
  // REQUIRES: not null.
  int64_t begin(int64_t row) const { return offset(row); }
  int64_t end(int64_t row) const { return offset(row + 1); }
  const ArrowArray& elements() const { return *array_->children[0]; }

 private:
  int64_t offset(int64_t row) const {
    return static_cast<const int32_t*>(array_->buffers[1])[array_->offset + row];
  }
  const ArrowArray* array_;
};

// The Arrow format of a C++ type, and Spark's name of it.
template <class T>
struct TypeOf;
#define FLOWRUN_TYPE_OF(cpp, arrow, spark)       \
  template <>                                    \
  struct TypeOf<cpp> {                           \
    static constexpr const char* format = arrow; \
    static constexpr const char* name = spark;   \
  };
FLOWRUN_TYPE_OF(bool, "b", "boolean")
FLOWRUN_TYPE_OF(int8_t, "c", "tinyint")
FLOWRUN_TYPE_OF(int16_t, "s", "smallint")
FLOWRUN_TYPE_OF(int32_t, "i", "int")
FLOWRUN_TYPE_OF(int64_t, "l", "bigint")
FLOWRUN_TYPE_OF(float, "f", "float")
FLOWRUN_TYPE_OF(double, "g", "double")
FLOWRUN_TYPE_OF(std::string_view, "vu", "string")
FLOWRUN_TYPE_OF(std::string, "vu", "string")
#undef FLOWRUN_TYPE_OF

// Columns of one length. What came in and goes out again is not copied.
class Batch {
 public:
  Batch() = default;
  // Takes *array over, column by column. `schema` must outlive the batch.
  Batch(ArrowArray* array, const Schema& schema) : rows_(array->length), schema_(&schema) {
    for (int64_t i = 0; i < array->n_children; ++i) columns_.emplace_back(array->children[i]);
    if (array->release) array->release(array);
  }
  explicit Batch(std::vector<Column> columns)
      : rows_(columns.empty() ? 0 : columns[0].size()), columns_(std::move(columns)) {}

  int64_t num_rows() const { return rows_; }
  size_t num_columns() const { return columns_.size(); }
  const Column& column(size_t i) const { return columns_[i]; }
  // REQUIRES: T is what the column holds.
  template <class T>
  Values<T> values(size_t i) const {
    const bool text = std::is_same_v<T, std::string_view>;
    return {columns_[i].raw(), schema_ ? (*schema_)[i].format : text ? "vu" : TypeOf<T>::format};
  }
  void add(Column column) { columns_.push_back(std::move(column)); }
  void set(size_t i, Column column) { columns_[i] = std::move(column); }

  // Fills *out, which the receiver releases; the batch is empty then.
  void export_to(ArrowArray* out) && {
    auto* owner = new Owner;
    owner->children.resize(columns_.size());
    for (size_t i = 0; i < columns_.size(); ++i) {
      std::move(columns_[i]).export_to(&owner->children[i]);
      owner->pointers.push_back(&owner->children[i]);
    }
    *out = ArrowArray{rows_,
                      0,
                      0,
                      1,
                      static_cast<int64_t>(owner->children.size()),
                      &owner->validity,
                      owner->pointers.data(),
                      nullptr,
                      release,
                      owner};
    columns_.clear();
  }

 private:
  struct Owner {
    const void* validity = nullptr;
    std::vector<ArrowArray> children;
    std::vector<ArrowArray*> pointers;
  };
  static void release(ArrowArray* array) {
    auto* owner = static_cast<Owner*>(array->private_data);
    for (ArrowArray& child : owner->children) {
      if (child.release) child.release(&child);
    }
    delete owner;
    array->release = nullptr;
  }

  int64_t rows_ = 0;
  const Schema* schema_ = nullptr;
  std::vector<Column> columns_;
};

}  // namespace plugin
}  // namespace flowrun

#pragma GCC visibility pop

#endif  // FLOWRUN_PLUGIN_COLUMNS_HPP
