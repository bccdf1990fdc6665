// The C++ face of flowrun's plugin ABI: operators and functions as classes, in a shared library.
//
//   #include <flowrun/plugin.hpp>
//   using namespace flowrun::plugin;
//
//   class Shout : public Transform {
//    public:
//     static Spec spec() {
//       return Spec("shout", "Adds a column in capitals.")
//           .primary(column("shout", "The column.").required())
//           .example("Loud lines", "loud: { from: lines, shout: value }", "value STRING");
//     }
//     explicit Shout(const Options& options) : name_(options.text("shout")) {}
//     Schema bind(const Schema& input) override {
//       column_ = input.find(name_, types::string());
//       return input.with({"loud", types::string()});
//     }
//     void apply(Batch batch, const Epoch&, Emitter& out) const override {
//       Builder<std::string_view> loud(batch.num_rows());
//       auto text = batch.values<std::string_view>(column_);
//       for (int64_t i = 0; i < batch.num_rows(); ++i) {
//         if (text.is_null(i)) loud.append_null(); else loud.append(upper(text[i]));
//       }
//       batch.add(loud.finish());
//       out.emit(std::move(batch));
//     }
//    private:
//     std::string name_;
//     size_t column_ = 0;
//   };
//
//   FLOWRUN_PLUGIN("shout", "1.0.0", transform<Shout>())
//
// C++17, the standard library and flowrun_plugin.h, nothing else. Every exception that leaves a
// class of yours becomes an error that names the plugin and the node: throw Error for one with a
// code, and Error::option for one that points at an option. Nothing here is visible outside of the
// library.
#ifndef FLOWRUN_PLUGIN_HPP
#define FLOWRUN_PLUGIN_HPP

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <exception>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "flowrun_plugin.h"

// Nothing of this is seen from outside: two plugins may have classes of one name.
#pragma GCC visibility push(hidden)

namespace flowrun {
namespace plugin {

// ---- Errors -----------------------------------------------------------------------------------

// Says what is wrong and, after a dash, what would be right.
class Error : public std::exception {
 public:
  Error(flowrun_code code, std::string text) : code_(code), text_(std::move(text)) {}
  static Error invalid(std::string text) { return {FLOWRUN_INVALID, std::move(text)}; }
  static Error data(std::string text) { return {FLOWRUN_DATA, std::move(text)}; }
  static Error unavailable(std::string text) { return {FLOWRUN_UNAVAILABLE, std::move(text)}; }
  static Error io(std::string text) { return {FLOWRUN_IO, std::move(text)}; }
  static Error cancelled() { return {FLOWRUN_CANCELLED, "cancelled"}; }
  // About the value of an option: shown where it stands in the pipeline's file.
  static Error option(std::string name, std::string text) {
    Error error(FLOWRUN_INVALID, std::move(text));
    error.option_ = std::move(name);
    return error;
  }

  flowrun_code code() const { return code_; }
  const std::string& option() const { return option_; }
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  flowrun_code code_;
  std::string text_;
  std::string option_;
};

namespace detail {

inline void put(char* buffer, uint64_t capacity, const char* text) {
  if (buffer && capacity > 0) std::snprintf(buffer, capacity, "%s", text);
}

// Runs code; what it throws is written into the caller's error.
template <class Code>
flowrun_code guarded(flowrun_error* error, Code code) noexcept {
  try {
    code();
    return FLOWRUN_OK;
  } catch (const Error& thrown) {
    put(error->text, error->capacity, thrown.what());
    put(error->option, error->option_capacity, thrown.option().c_str());
    return thrown.code();
  } catch (const std::bad_alloc&) {
    put(error->text, error->capacity, "there is no memory left");
    return FLOWRUN_EXHAUSTED;
  } catch (const std::exception& thrown) {
    put(error->text, error->capacity, thrown.what());
    return FLOWRUN_DATA;
  } catch (...) {
    put(error->text, error->capacity, "something was thrown that is no std::exception");
    return FLOWRUN_DATA;
  }
}

// An error of the host's, thrown through the plugin's code.
struct HostError {
  char text[512] = "";
  char option[64] = "";
  flowrun_error raw{sizeof(flowrun_error), text, sizeof text, option, sizeof option};
  void check(flowrun_code code) const {
    if (code != FLOWRUN_OK) throw Error(code, text);
  }
};

inline flowrun_text text_of(std::string_view text) { return {text.data(), text.size()}; }
inline std::string string_of(flowrun_text text) {
  return text.data ? std::string(text.data, text.size) : std::string();
}

}  // namespace detail

// ---- Types and schemas
// --------------------------------------------------------------------------

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

// ---- Columns and batches
// --------------------------------------------------------------------------

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
    if constexpr (!std::is_same_v<T, bool>) owned_->values.reserve(count * kWidth);
    validity().reserve(count / 8 + 1);
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
  static constexpr size_t kWidth = std::is_same_v<T, std::string_view> ? 16 : sizeof(T);
  struct Owner {
    std::vector<uint8_t> validity;
    std::vector<uint8_t> values;
    std::vector<char> bytes;
    std::vector<int64_t> sizes;
    std::vector<const void*> buffers;
  };
  static void release(ArrowArray* array) {
    delete static_cast<Owner*>(array->private_data);
    array->release = nullptr;
  }
  std::vector<uint8_t>& validity() { return owned_->validity; }

  void mark(bool valid) {
    if (rows_ % 8 == 0) validity().push_back(0);
    if (valid) validity().back() = static_cast<uint8_t>(validity().back() | (1u << (rows_ % 8)));
    ++rows_;
  }
  void put(T value) {
    std::vector<uint8_t>& values = owned_->values;
    if constexpr (std::is_same_v<T, bool>) {
      if ((rows_ - 1) % 8 == 0) values.push_back(0);
      if (value) values.back() = static_cast<uint8_t>(values.back() | (1u << ((rows_ - 1) % 8)));
    } else if constexpr (std::is_same_v<T, std::string_view>) {
      put_view(value);
    } else {
      const size_t at = values.size();
      values.resize(at + sizeof(T));
      std::memcpy(values.data() + at, &value, sizeof(T));
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

// ---- Specs
// -------------------------------------------------------------------------------------------

// An option; made by text(), integer(), column() and so on.
class Option {
 public:
  Option(int32_t kind, std::string name, std::string doc)
      : kind_(kind), name_(std::move(name)), doc_(std::move(doc)) {}
  Option required() && { return flag(FLOWRUN_OPTION_REQUIRED); }
  Option secret() && { return flag(FLOWRUN_OPTION_SECRET); }
  // As a pipeline's file would have it.
  Option with_default(std::string text) && {
    default_ = std::move(text);
    return std::move(*this);
  }
  Option at_least(int64_t least) && {
    least_ = least;
    return flag(FLOWRUN_OPTION_HAS_LEAST);
  }
  Option at_most(int64_t most) && {
    most_ = most;
    return flag(FLOWRUN_OPTION_HAS_MOST);
  }
  // It makes sense only where another option has that value.
  Option when(std::string option, std::string value) && {
    when_ = {std::move(option), std::move(value)};
    return std::move(*this);
  }

 private:
  friend class Spec;
  friend Option word(std::string, std::vector<std::string>, std::string);
  friend Option list_of(Option);
  friend Option map_of(Option);
  friend Option one_of(std::string, std::string, std::vector<Option>);
  Option flag(uint32_t flag) {
    flags_ |= flag;
    return std::move(*this);
  }

  int32_t kind_;
  std::string name_;
  std::string doc_;
  uint32_t flags_ = 0;
  std::optional<std::string> default_;
  int64_t least_ = 0;
  int64_t most_ = 0;
  std::vector<std::string> words_;
  std::vector<Option> parts_;  // list, map: the item; one_of: the alternatives
  std::pair<std::string, std::string> when_;
};

inline Option text(std::string name, std::string doc) {
  return {FLOWRUN_OPTION_TEXT, std::move(name), std::move(doc)};
}
inline Option integer(std::string name, std::string doc) {
  return {FLOWRUN_OPTION_INTEGER, std::move(name), std::move(doc)};
}
inline Option number(std::string name, std::string doc) {
  return {FLOWRUN_OPTION_NUMBER, std::move(name), std::move(doc)};
}
inline Option boolean(std::string name, std::string doc) {
  return {FLOWRUN_OPTION_BOOLEAN, std::move(name), std::move(doc)};
}
inline Option duration(std::string name, std::string doc) {
  return {FLOWRUN_OPTION_DURATION, std::move(name), std::move(doc)};
}
inline Option bytes(std::string name, std::string doc) {
  return {FLOWRUN_OPTION_BYTES, std::move(name), std::move(doc)};
}
inline Option path(std::string name, std::string doc) {
  return {FLOWRUN_OPTION_PATH, std::move(name), std::move(doc)};
}
inline Option column(std::string name, std::string doc) {
  return {FLOWRUN_OPTION_COLUMN, std::move(name), std::move(doc)};
}
inline Option schema(std::string name, std::string doc) {
  return {FLOWRUN_OPTION_SCHEMA, std::move(name), std::move(doc)};
}
inline Option word(std::string name, std::vector<std::string> words, std::string doc) {
  Option option(FLOWRUN_OPTION_WORD, std::move(name), std::move(doc));
  option.words_ = std::move(words);
  return option;
}
inline Option list_of(Option item) {
  Option list(FLOWRUN_OPTION_LIST, item.name_, item.doc_);
  list.parts_.push_back(std::move(item));
  return list;
}
inline Option map_of(Option item) {
  Option map(FLOWRUN_OPTION_MAP, item.name_, item.doc_);
  map.parts_.push_back(std::move(item));
  return map;
}
inline Option one_of(std::string name, std::string doc, std::vector<Option> alternatives) {
  Option option(FLOWRUN_OPTION_ONE_OF, std::move(name), std::move(doc));
  option.parts_ = std::move(alternatives);
  return option;
}

// What an operator or function is called and takes. From it come checking, help and completion.
class Spec {
 public:
  Spec(std::string name, std::string summary)
      : name_(std::move(name)), summary_(std::move(summary)) {}
  Spec doc(std::string text) && {
    doc_ = std::move(text);
    return std::move(*this);
  }
  // The value behind the operator's name.
  Spec primary(Option option) && {
    primary_ = std::move(option);
    return std::move(*this);
  }
  Spec option(Option option) && {
    options_.push_back(std::move(option));
    return std::move(*this);
  }
  // An output beside the main one.
  Spec port(std::string name) && {
    ports_.push_back(std::move(name));
    return std::move(*this);
  }
  // Nodes, and the columns they can be tried with: "k STRING, x DOUBLE" ("" for a source).
  Spec example(std::string title, std::string yaml, std::string input) && {
    examples_.push_back({std::move(title), std::move(yaml), std::move(input)});
    return std::move(*this);
  }

  const std::string& name() const { return name_; }
  size_t num_ports() const { return 1 + ports_.size(); }
  // For the ABI; lives as long as the Spec, which may not change or move after.
  const flowrun_spec* raw();

 private:
  struct Use {
    std::string title;
    std::string yaml;
    std::string input;
  };
  const flowrun_option_spec* convert(const Option& option);

  std::string name_;
  std::string summary_;
  std::string doc_;
  std::optional<Option> primary_;
  std::vector<Option> options_;
  std::vector<std::string> ports_;
  std::vector<Use> examples_;

  flowrun_spec raw_{};
  std::deque<flowrun_option_spec> raw_options_;
  std::deque<std::vector<const flowrun_option_spec*>> option_lists_;
  std::deque<std::vector<const char*>> word_lists_;
  std::deque<flowrun_example> raw_examples_;
  std::vector<const flowrun_example*> example_list_;
};

inline const flowrun_option_spec* Spec::convert(const Option& option) {
  flowrun_option_spec& raw = raw_options_.emplace_back();
  raw = {};
  raw.size = sizeof raw;
  raw.name = option.name_.c_str();
  raw.kind = option.kind_;
  raw.flags = option.flags_;
  raw.doc = option.doc_.c_str();
  raw.default_text = option.default_ ? option.default_->c_str() : nullptr;
  raw.least = option.least_;
  raw.most = option.most_;
  if (!option.when_.first.empty()) {
    raw.when_option = option.when_.first.c_str();
    raw.when_value = option.when_.second.c_str();
  }
  auto& words = word_lists_.emplace_back();
  for (const std::string& word : option.words_) words.push_back(word.c_str());
  raw.words = words.data();
  raw.num_words = words.size();
  std::vector<const flowrun_option_spec*> parts;
  for (const Option& part : option.parts_) parts.push_back(convert(part));
  const auto& kept = option_lists_.emplace_back(std::move(parts));
  if (option.kind_ == FLOWRUN_OPTION_ONE_OF) {
    raw.alternatives = kept.data();
    raw.num_alternatives = kept.size();
  } else if (!kept.empty()) {
    raw.item = kept[0];
  }
  return &raw;
}

inline const flowrun_spec* Spec::raw() {
  std::vector<const flowrun_option_spec*> options;
  for (const Option& option : options_) options.push_back(convert(option));
  const auto& kept = option_lists_.emplace_back(std::move(options));
  auto& ports = word_lists_.emplace_back();
  for (const std::string& port : ports_) ports.push_back(port.c_str());
  for (const Use& use : examples_) {
    raw_examples_.push_back(
        {sizeof(flowrun_example), use.title.c_str(), use.yaml.c_str(), use.input.c_str()});
    example_list_.push_back(&raw_examples_.back());
  }
  raw_ = {sizeof(flowrun_spec),
          name_.c_str(),
          summary_.c_str(),
          doc_.c_str(),
          primary_ ? convert(*primary_) : nullptr,
          kept.data(),
          kept.size(),
          ports.data(),
          ports.size(),
          example_list_.data(),
          example_list_.size()};
  return &raw_;
}

// ---- Options
// -------------------------------------------------------------------------------------------

// The checked options an operator is made from. Valid in its constructor only.
class Options {
 public:
  explicit Options(const flowrun_make& make) : make_(make) {}
  std::string node() const { return detail::string_of(make_.node); }
  bool has(std::string_view name) const { return find(name) != nullptr; }
  // Null if it was not written and has no default.
  const flowrun_value* find(std::string_view name) const {
    for (uint64_t i = 0; i < make_.options->count; ++i) {
      const flowrun_text key = make_.options->names[i];
      if (std::string_view(key.data, key.size) == name) return make_.options->values[i];
    }
    return nullptr;
  }
  std::string text(std::string_view name, std::string fallback = "") const {
    const flowrun_value* value = find(name);
    return value ? detail::string_of(value->text) : fallback;
  }
  int64_t integer(std::string_view name, int64_t fallback = 0) const {
    const flowrun_value* value = find(name);
    return value ? value->integer : fallback;
  }
  double number(std::string_view name, double fallback = 0) const {
    const flowrun_value* value = find(name);
    return value ? value->number : fallback;
  }
  bool boolean(std::string_view name, bool fallback = false) const {
    const flowrun_value* value = find(name);
    return value ? value->boolean != 0 : fallback;
  }
  // Of a list.
  std::vector<std::string> texts(std::string_view name) const {
    std::vector<std::string> texts;
    const flowrun_value* value = find(name);
    for (uint64_t i = 0; value && i < value->num_items; ++i)
      texts.push_back(detail::string_of(value->items[i]->text));
    return texts;
  }
  // Of an option of kind schema; empty if it was not written.
  Schema schema(std::string_view name) const {
    const flowrun_value* value = find(name);
    return value && value->schema ? Schema(*value->schema) : Schema();
  }

 private:
  const flowrun_make& make_;
};

// ---- Operators
// -------------------------------------------------------------------------------------------

using Epoch = flowrun_epoch;

// Where an operator puts what it makes; for the time of one call.
class Emitter {
 public:
  explicit Emitter(const flowrun_emitter& raw) : raw_(raw) {}
  void emit(Batch batch, uint64_t port = 0) {
    ArrowArray array{};
    std::move(batch).export_to(&array);
    detail::HostError error;
    const flowrun_code code = raw_.emit(raw_.context, port, nullptr, &array, &error.raw);
    error.check(code);
  }
  bool wanted(uint64_t port) const { return raw_.wanted(raw_.context, port) != 0; }
  void count_rejected(int64_t rows) { raw_.count(raw_.context, FLOWRUN_METRIC_REJECTED, rows); }
  void count_late(int64_t rows) { raw_.count(raw_.context, FLOWRUN_METRIC_LATE, rows); }
  void warn(std::string_view reason) { raw_.warn(raw_.context, detail::text_of(reason)); }

 private:
  const flowrun_emitter& raw_;
};

// Rows in, rows out. Any number of threads are in apply at a time, hence const.
class Transform {
 public:
  virtual ~Transform() = default;
  // What comes out of the main port.
  virtual Schema bind(const Schema& input) = 0;
  // What comes out of the spec's ports.
  virtual std::vector<Schema> bind_ports(const Schema&) { return {}; }
  virtual void open() {}
  virtual void apply(Batch batch, const Epoch& epoch, Emitter& out) const = 0;
};

// Saves state in sections of rows, and numbers.
class Writer {
 public:
  explicit Writer(const flowrun_snapshot_writer& raw) : raw_(raw) {}
  void write(const std::string& section, const Schema& schema, Batch rows) {
    ArrowSchema exported{};
    schema.export_to(&exported);
    ArrowArray array{};
    std::move(rows).export_to(&array);
    detail::HostError error;
    const flowrun_code code =
        raw_.write(raw_.context, section.c_str(), &exported, &array, &error.raw);
    exported.release(&exported);
    error.check(code);
  }
  void write_number(const std::string& name, int64_t number) {
    detail::HostError error;
    error.check(raw_.write_number(raw_.context, name.c_str(), number, &error.raw));
  }

 private:
  const flowrun_snapshot_writer& raw_;
};

class Reader {
 public:
  explicit Reader(const flowrun_snapshot_reader& raw) : raw_(raw) {}
  // Calls `with(batch)` for each batch of a section, in the order written.
  template <class With>
  void read(const std::string& section, With with) {
    for (uint64_t i = 0;; ++i) {
      ArrowSchema exported{};
      ArrowArray array{};
      detail::HostError error;
      error.check(raw_.read(raw_.context, section.c_str(), i, &exported, &array, &error.raw));
      if (!exported.release) return;
      const Schema schema(exported);
      exported.release(&exported);
      with(Batch(&array, schema));
    }
  }
  std::optional<int64_t> read_number(const std::string& name) {
    int64_t number = 0;
    int32_t found = 0;
    detail::HostError error;
    error.check(raw_.read_number(raw_.context, name.c_str(), &number, &found, &error.raw));
    return found ? std::optional(number) : std::nullopt;
  }

 private:
  const flowrun_snapshot_reader& raw_;
};

// Remembers across rows. What rows come to is put out once per epoch, in the order of arrival:
// `process` is called for each batch, one after the other, and is the place for all that changes.
class Stateful {
 public:
  virtual ~Stateful() = default;
  virtual Schema bind(const Schema& input) = 0;
  virtual void process(Batch batch, const Epoch& epoch, Emitter& out) = 0;
  // After the last batch of an epoch, also of one without rows: what the watermark lets go.
  virtual void close(const Epoch&, Emitter&) {}
  virtual void save(Writer& writer) const = 0;
  virtual void load(Reader& reader) = 0;
  virtual int64_t state_rows() const { return 0; }
  virtual int64_t state_bytes() const { return 0; }
};

// Rows that a source gives for one read.
struct Chunk {
  std::optional<Batch> rows;
  std::string offset;  // behind these rows
  int32_t mark = FLOWRUN_MORE;
  int64_t bytes = 0;
};

class Source {
 public:
  virtual ~Source() = default;
  virtual Schema bind() = 0;
  // From behind the offset; nothing: from where the options say.
  virtual void open(std::optional<std::string> offset) = 0;
  // Waits for rows for at most so long, in microseconds; then the mark is FLOWRUN_IDLE.
  virtual Chunk read(int64_t timeout) = 0;
  virtual void committed(const std::string&) {}
  // From any thread.
  virtual void cancel() {}
  virtual void close() {}
  virtual void stop_at_end() {}
};

class Sink {
 public:
  virtual ~Sink() = default;
  virtual void bind(const Schema& schema, const flowrun_sink_input& input) = 0;
  // The token committed last before a restart.
  virtual void open(std::optional<std::string> last_committed) = 0;
  virtual void write(int64_t epoch, const Batch& batch) = 0;
  // Durable, not visible: gives the token that commit takes.
  virtual std::string prepare(int64_t) { return {}; }
  virtual void commit(int64_t epoch, const std::string& token) = 0;
  virtual void abort(int64_t) {}
  virtual void close() {}
  virtual void cancel() {}
};

// State of one group of an aggregate R f(A...): default-constructed when empty. A class with
//   void add(std::optional<A>...);  void merge(const State&);  std::optional<R> result() const;
//   std::string save() const;  void load(std::string_view);  size_t bytes() const;
// and static Spec spec().

// ---- Tables for the ABI
// --------------------------------------------------------------------------------

// One entry of FLOWRUN_PLUGIN: lives as long as the library.
struct Entry {
  std::shared_ptr<Spec> spec;
  std::shared_ptr<const void> table;
  std::shared_ptr<const void> context;
  flowrun_component raw{};
};

namespace detail {

template <class Operator>
struct Made {
  std::unique_ptr<Operator> object;
  Schema input;
};

template <class Operator, class Class>
flowrun_code make(const flowrun_make* options, void** self, flowrun_error* error) noexcept {
  return guarded(error, [&] {
    *self = new Made<Operator>{std::make_unique<Class>(Options(*options)), {}};
  });
}

template <class Operator>
Made<Operator>& made(void* self) {
  return *static_cast<Made<Operator>*>(self);
}
template <class Operator>
const Made<Operator>& made(const void* self) {
  return *static_cast<const Made<Operator>*>(self);
}
template <class Operator>
void destroy(void* self) noexcept {
  delete static_cast<Made<Operator>*>(self);
}

template <class Table>
Entry entry(int32_t kind, Spec spec, std::shared_ptr<Table> table,
            std::shared_ptr<const void> context = nullptr) {
  Entry entry{std::make_shared<Spec>(std::move(spec)), table, std::move(context), {}};
  entry.raw.size = sizeof(flowrun_component);
  entry.raw.kind = kind;
  entry.raw.spec = entry.spec->raw();
  entry.raw.table = entry.table.get();
  entry.raw.context = const_cast<void*>(entry.context.get());
  return entry;
}

inline std::optional<std::string> optional_text(const flowrun_text* text) {
  return text ? std::optional(string_of(*text)) : std::nullopt;
}

}  // namespace detail

template <class Class>
Entry transform() {
  using namespace detail;
  auto table = std::make_shared<flowrun_transform>();
  *table = {};
  table->size = sizeof(flowrun_transform);
  table->make = make<Transform, Class>;
  table->destroy = destroy<Transform>;
  table->bind = [](void* self, const ArrowSchema* input, ArrowSchema* outputs,
                   flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] {
      auto& own = made<Transform>(self);
      own.input = Schema(*input);
      const Schema main = own.object->bind(own.input);
      const std::vector<Schema> ports = own.object->bind_ports(own.input);
      main.export_to(outputs);
      for (size_t i = 0; i < ports.size(); ++i) ports[i].export_to(outputs + 1 + i);
    });
  };
  table->open = [](void* self, flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] { made<Transform>(self).object->open(); });
  };
  table->apply = [](const void* self, void*, const flowrun_epoch* epoch, ArrowArray* batch,
                    const flowrun_emitter* out, flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] {
      const auto& own = made<Transform>(self);
      Emitter emitter(*out);
      own.object->apply(Batch(batch, own.input), *epoch, emitter);
    });
  };
  return entry(FLOWRUN_KIND_TRANSFORM, Class::spec(), table);
}

// `bound`: what bounds the state, for the user: "one row per key".
template <class Class>
Entry stateful(std::string bound, bool bounded = false) {
  using namespace detail;
  struct Local {
    struct Piece {
      int64_t place;
      Batch batch;
    };
    std::vector<Piece> pieces;
  };
  struct Table : flowrun_stateful {
    std::string bound_text;
  };
  auto table = std::make_shared<Table>();
  static_cast<flowrun_stateful&>(*table) = {};
  table->size = sizeof(flowrun_stateful);
  table->bound_text = std::move(bound);
  table->bound = table->bound_text.c_str();
  table->bounded = bounded ? 1 : 0;
  table->make = make<Stateful, Class>;
  table->destroy = destroy<Stateful>;
  table->bind = [](void* self, const ArrowSchema* input, ArrowSchema* outputs,
                   flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] {
      auto& own = made<Stateful>(self);
      own.input = Schema(*input);
      own.object->bind(own.input).export_to(outputs);
    });
  };
  table->make_local = [](const void*) noexcept -> void* { return new (std::nothrow) Local; };
  table->destroy_local = [](void* local) noexcept { delete static_cast<Local*>(local); };
  table->absorb = [](const void* self, void* local, const flowrun_input* input,
                     const flowrun_epoch*, ArrowArray* batch, const flowrun_emitter*,
                     flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] {
      static_cast<Local*>(local)->pieces.push_back(
          {input->place, Batch(batch, made<Stateful>(self).input)});
    });
  };
  table->close = [](void* self, void* const* locals, uint64_t num_locals,
                    const flowrun_epoch* epoch, const flowrun_emitter* out,
                    flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] {
      std::vector<typename Local::Piece> pieces;
      for (uint64_t i = 0; i < num_locals; ++i) {
        auto& own = static_cast<Local*>(locals[i])->pieces;
        std::move(own.begin(), own.end(), std::back_inserter(pieces));
        own.clear();
      }
      std::sort(pieces.begin(), pieces.end(),
                [](const auto& a, const auto& b) { return a.place < b.place; });
      Emitter emitter(*out);
      for (auto& piece : pieces)
        made<Stateful>(self).object->process(std::move(piece.batch), *epoch, emitter);
      made<Stateful>(self).object->close(*epoch, emitter);
    });
  };
  table->snapshot = [](void* self, const flowrun_snapshot_writer* writer,
                       flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] {
      Writer out(*writer);
      made<Stateful>(self).object->save(out);
    });
  };
  table->restore = [](void* self, const flowrun_snapshot_reader* reader,
                      flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] {
      Reader in(*reader);
      made<Stateful>(self).object->load(in);
    });
  };
  table->state_rows = [](const void* self) noexcept {
    return made<Stateful>(self).object->state_rows();
  };
  table->state_bytes = [](const void* self) noexcept {
    return made<Stateful>(self).object->state_bytes();
  };
  return entry<Table>(FLOWRUN_KIND_STATEFUL, Class::spec(), table);
}

// `flags`: FLOWRUN_SOURCE_REPLAYABLE and its kin.
template <class Class>
Entry source(uint32_t flags = 0) {
  using namespace detail;
  struct Own : Made<Source> {
    std::string offset;  // lives until the next call
  };
  auto table = std::make_shared<flowrun_source>();
  *table = {};
  table->size = sizeof(flowrun_source);
  table->flags = flags;
  table->make = [](const flowrun_make* options, void** self,
                   flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] {
      auto own = std::make_unique<Own>();
      own->object = std::make_unique<Class>(Options(*options));
      *self = own.release();
    });
  };
  table->destroy = [](void* self) noexcept { delete static_cast<Own*>(self); };
  table->bind = [](void* self, ArrowSchema* schema, flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] { static_cast<Own*>(self)->object->bind().export_to(schema); });
  };
  table->open = [](void* self, const flowrun_text* offset,
                   flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] { static_cast<Own*>(self)->object->open(optional_text(offset)); });
  };
  table->read = [](void* self, int64_t timeout, flowrun_chunk* chunk,
                   flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] {
      auto& own = *static_cast<Own*>(self);
      Chunk read = own.object->read(timeout);
      own.offset = std::move(read.offset);
      chunk->mark = read.mark;
      chunk->offset = text_of(own.offset);
      chunk->bytes = read.bytes;
      if (read.rows) std::move(*read.rows).export_to(&chunk->rows);
    });
  };
  table->committed = [](void* self, flowrun_text offset) {
    static_cast<Own*>(self)->object->committed(string_of(offset));
  };
  table->cancel = [](void* self) { static_cast<Own*>(self)->object->cancel(); };
  table->close = [](void* self) { static_cast<Own*>(self)->object->close(); };
  table->stop_at_end = [](void* self) { static_cast<Own*>(self)->object->stop_at_end(); };
  return entry(FLOWRUN_KIND_SOURCE, Class::spec(), table);
}

// `modes`: what it can take, of FLOWRUN_APPEND, FLOWRUN_UPDATE, FLOWRUN_COMPLETE.
template <class Class>
Entry sink(uint32_t modes = FLOWRUN_APPEND, uint32_t flags = 0) {
  using namespace detail;
  struct Own : Made<Sink> {
    std::string token;  // lives until the next call
  };
  auto table = std::make_shared<flowrun_sink>();
  *table = {};
  table->size = sizeof(flowrun_sink);
  table->flags = flags;
  table->modes = modes;
  table->make = [](const flowrun_make* options, void** self,
                   flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] {
      auto own = std::make_unique<Own>();
      own->object = std::make_unique<Class>(Options(*options));
      *self = own.release();
    });
  };
  table->destroy = [](void* self) noexcept { delete static_cast<Own*>(self); };
  table->bind = [](void* self, const ArrowSchema* input_schema, const flowrun_sink_input* input,
                   flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] {
      auto& own = *static_cast<Own*>(self);
      own.input = Schema(*input_schema);
      own.object->bind(own.input, *input);
    });
  };
  table->open = [](void* self, const flowrun_text* last,
                   flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] { static_cast<Own*>(self)->object->open(optional_text(last)); });
  };
  table->write = [](void* self, int64_t epoch, ArrowArray* batch,
                    flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] {
      auto& own = *static_cast<Own*>(self);
      own.object->write(epoch, Batch(batch, own.input));
    });
  };
  table->prepare = [](void* self, int64_t epoch, flowrun_text* token,
                      flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] {
      auto& own = *static_cast<Own*>(self);
      own.token = own.object->prepare(epoch);
      *token = text_of(own.token);
    });
  };
  table->commit = [](void* self, int64_t epoch, flowrun_text token,
                     flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error,
                   [&] { static_cast<Own*>(self)->object->commit(epoch, string_of(token)); });
  };
  table->abort = [](void* self, int64_t epoch, flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] { static_cast<Own*>(self)->object->abort(epoch); });
  };
  table->close = [](void* self) { static_cast<Own*>(self)->object->close(); };
  table->cancel = [](void* self) { static_cast<Own*>(self)->object->cancel(); };
  return entry(FLOWRUN_KIND_SINK, Class::spec(), table);
}

// ---- Functions
// -------------------------------------------------------------------------------------------

namespace detail {

// How a function's parameter is given: by T where null gives null, by std::optional<T> to be
// told.
template <class T>
struct Parameter {
  using Value = T;
  static constexpr bool takes_null = false;
  static T get(const Values<T>& values, int64_t row) { return values[row]; }
};
template <class T>
struct Parameter<std::optional<T>> {
  using Value = T;
  static constexpr bool takes_null = true;
  static std::optional<T> get(const Values<T>& values, int64_t row) {
    return values.is_null(row) ? std::nullopt : std::optional<T>(values[row]);
  }
};

template <class T>
using Plain = std::remove_cv_t<std::remove_reference_t<T>>;

template <class R>
struct Returned {
  using Value = R;
};
template <class R>
struct Returned<std::optional<R>> {
  using Value = R;
};
// std::string is built from std::string_view.
template <class R>
using BuiltFrom = std::conditional_t<std::is_same_v<R, std::string>, std::string_view, R>;

template <class R, class... A>
class ScalarCode {
 public:
  using Result = typename Returned<R>::Value;
  explicit ScalarCode(std::function<R(A...)> code) : code_(std::move(code)) {}

  static flowrun_code call(void* context, const ArrowArray* arguments, ArrowArray* result,
                           flowrun_error* error) noexcept {
    return guarded(error, [&] {
      static_cast<const ScalarCode*>(context)->run(*arguments, result,
                                                   std::index_sequence_for<A...>());
    });
  }

 private:
  template <size_t... I>
  void run(const ArrowArray& arguments, ArrowArray* result, std::index_sequence<I...>) const {
    const std::tuple<Values<typename Parameter<Plain<A>>::Value>...> columns{
        Values<typename Parameter<Plain<A>>::Value>(
            *arguments.children[I], TypeOf<typename Parameter<Plain<A>>::Value>::format)...};
    Builder<BuiltFrom<Result>> out(arguments.length);
    for (int64_t row = 0; row < arguments.length; ++row) {
      const bool null =
          (false || ... || (!Parameter<Plain<A>>::takes_null && std::get<I>(columns).is_null(row)));
      if (null) {
        out.append_null();
        continue;
      }
      append(out, code_(Parameter<Plain<A>>::get(std::get<I>(columns), row)...));
    }
    std::move(out.finish()).export_to(result);
  }
  static void append(Builder<BuiltFrom<Result>>& out, const Result& value) { out.append(value); }
  static void append(Builder<BuiltFrom<Result>>& out, const std::optional<Result>& value) {
    value ? out.append(*value) : out.append_null();
  }

  std::function<R(A...)> code_;
};

template <class Function>
struct FunctionType : FunctionType<decltype(&Function::operator())> {};
template <class R, class... A>
struct FunctionType<R (*)(A...)> {
  using Code = ScalarCode<R, A...>;
  static std::vector<const char*> arguments() {
    return {TypeOf<typename Parameter<Plain<A>>::Value>::name...};
  }
  static const char* result() { return TypeOf<typename Returned<R>::Value>::name; }
};
template <class C, class R, class... A>
struct FunctionType<R (C::*)(A...) const> : FunctionType<R (*)(A...)> {};

}  // namespace detail

// A function of rows: function("hypotenuse", "hypotenuse(a, b): ...", [](double a, double b) {
// ... }). A null argument gives null without a call, unless it is taken as std::optional;
// std::optional as the result is null when empty. Called from any number of threads at a time.
template <class Code>
Entry function(std::string name, std::string doc, Code code, uint32_t flags = 0) {
  using Type = detail::FunctionType<Code>;
  struct Table : flowrun_scalar {
    std::vector<const char*> arguments = Type::arguments();
    flowrun_signature signature{};
    const flowrun_signature* list = &signature;
  };
  auto table = std::make_shared<Table>();
  table->signature = {sizeof(flowrun_signature), table->arguments.data(), table->arguments.size(),
                      Type::result(), Type::Code::call};
  table->size = sizeof(flowrun_scalar);
  table->flags = flags;
  table->reserved = 0;
  table->signatures = &table->list;
  table->num_signatures = 1;
  return detail::entry<Table>(FLOWRUN_KIND_SCALAR, Spec(std::move(name), std::move(doc)), table,
                              std::make_shared<typename Type::Code>(std::move(code)));
}

namespace detail {

template <class State, class R, class... A>
struct AggregateTable {
  using States = std::vector<State>;
  static States& states(void* raw) { return *static_cast<States*>(raw); }
  static const States& states(const void* raw) { return *static_cast<const States*>(raw); }

  template <size_t... I>
  static void update(States& own, const uint32_t* groups, const int32_t* rows, uint64_t num_rows,
                     const ArrowArray& arguments, std::index_sequence<I...>) {
    const std::tuple<Values<A>...> columns{Values<A>(*arguments.children[I], TypeOf<A>::format)...};
    for (uint64_t i = 0; i < num_rows; ++i) {
      own[groups[i]].add(Parameter<std::optional<A>>::get(std::get<I>(columns), rows[i])...);
    }
  }
  static void result_of(const States& own, const uint32_t* groups, uint64_t count,
                        ArrowArray* result) {
    Builder<BuiltFrom<R>> out(static_cast<int64_t>(count));
    for (uint64_t i = 0; i < count; ++i) {
      const std::optional<R> value = own[groups[i]].result();
      value ? out.append(*value) : out.append_null();
    }
    std::move(out.finish()).export_to(result);
  }
  static void fill(flowrun_aggregate& table);
};

template <class State, class R, class... A>
void AggregateTable<State, R, A...>::fill(flowrun_aggregate& table) {
  table.make_states = [](void*, void** out, flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] { *out = new States; });
  };
  table.destroy_states = [](void* raw) noexcept { delete static_cast<States*>(raw); };
  table.resize = [](void* raw, uint64_t groups, flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] { states(raw).resize(groups); });
  };
  table.update = [](void* raw, const uint32_t* groups, const int32_t* rows, uint64_t num_rows,
                    const ArrowArray* arguments, flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] {
      update(states(raw), groups, rows, num_rows, *arguments, std::index_sequence_for<A...>());
    });
  };
  table.merge = [](void* raw, const uint32_t* groups, const void* from, const uint32_t* from_groups,
                   uint64_t count, flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] {
      for (uint64_t i = 0; i < count; ++i)
        states(raw)[groups[i]].merge(states(from)[from_groups[i]]);
    });
  };
  table.result_of = [](const void* raw, const uint32_t* groups, uint64_t count, ArrowArray* result,
                       flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] { result_of(states(raw), groups, count, result); });
  };
  table.keep = [](void* raw, const uint32_t* groups, uint64_t count,
                  flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] {
      States kept;
      for (uint64_t i = 0; i < count; ++i) kept.push_back(std::move(states(raw)[groups[i]]));
      states(raw).swap(kept);
    });
  };
  table.memory_bytes = [](const void* raw) noexcept {
    size_t bytes = 0;
    for (const State& state : states(raw)) bytes += sizeof(State) + state.bytes();
    return static_cast<int64_t>(bytes);
  };
  table.save = [](const void* raw, const uint32_t* groups, uint64_t count, ArrowArray* rows,
                  flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] {
      Builder<std::string_view> out(static_cast<int64_t>(count));
      for (uint64_t i = 0; i < count; ++i) out.append(states(raw)[groups[i]].save());
      std::vector<Column> columns{out.finish()};
      Batch(std::move(columns)).export_to(rows);
    });
  };
  table.load = [](void* raw, const ArrowArray* rows,
                  flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] {
      const Values<std::string_view> saved(*rows->children[0], "vz");
      for (int64_t i = 0; i < saved.size(); ++i) {
        State state;
        if (!saved.is_null(i)) state.load(saved[i]);
        states(raw).push_back(std::move(state));
      }
    });
  };
}

}  // namespace detail

// A function of groups; see the class State above. aggregate<Digest, double, double, double>() is
// double f(double, double).
template <class State, class R, class... A>
Entry aggregate() {
  struct Table : flowrun_aggregate {
    std::vector<const char*> types{TypeOf<A>::name...};
  };
  auto table = std::make_shared<Table>();
  static_cast<flowrun_aggregate&>(*table) = {};
  table->size = sizeof(flowrun_aggregate);
  table->num_arguments = sizeof...(A);
  static_cast<flowrun_aggregate&>(*table).arguments = table->types.data();
  table->result = TypeOf<R>::name;
  table->state = "state BINARY";
  detail::AggregateTable<State, R, A...>::fill(*table);
  return detail::entry<Table>(FLOWRUN_KIND_AGGREGATE, State::spec(), table);
}

// ---- The entry
// ---------------------------------------------------------------------------------------------

namespace detail {

// All that is in the library; made at the first call.
struct Whole {
  Whole(const char* name, const char* version, std::vector<Entry> parts)
      : entries(std::move(parts)) {
    for (const Entry& entry : entries) pointers.push_back(&entry.raw);
    raw = {
        sizeof(flowrun_plugin), FLOWRUN_PLUGIN_ABI_MAJOR, FLOWRUN_PLUGIN_ABI_MINOR, name, version,
        pointers.data(),        pointers.size()};
  }
  std::vector<Entry> entries;
  std::vector<const flowrun_component*> pointers;
  flowrun_plugin raw{};
};

}  // namespace detail
}  // namespace plugin
}  // namespace flowrun

#pragma GCC visibility pop

// FLOWRUN_PLUGIN("name", "1.0.0", transform<A>(), function("f", "f(x): ...", [](double x) { ... }))
#define FLOWRUN_PLUGIN(name, version, ...)                                                \
  FLOWRUN_PLUGIN_EXPORT const flowrun_plugin* FLOWRUN_PLUGIN_ENTRY(const flowrun_host*) { \
    try {                                                                                 \
      using namespace flowrun::plugin;                                                    \
      static const flowrun::plugin::detail::Whole whole(name, version, {__VA_ARGS__});    \
      return &whole.raw;                                                                  \
    } catch (...) {                                                                       \
      return nullptr;                                                                     \
    }                                                                                     \
  }

#endif  // FLOWRUN_PLUGIN_HPP
