// Schema and Batch: Arrow's C structs with owners.
#ifndef FLOWRUN_EMBED_BATCH_H
#define FLOWRUN_EMBED_BATCH_H

#include <memory>

#include "status.h"

namespace flowrun {
inline namespace api_v1 {

// Copies share it.
class Schema {
 public:
  Schema() = default;
  // Takes over what *schema holds.
  explicit Schema(ArrowSchema* schema) : raw_(new ArrowSchema(*schema), release) {
    schema->release = nullptr;
  }
  // "sensor STRING, value DOUBLE"
  static Result<Schema> of(const std::string& ddl) {
    ArrowSchema raw{};
    detail::Failure failure;
    const flowrun_code code = flowrun_schema_of(ddl.c_str(), &raw, failure.get());
    if (code != FLOWRUN_OK) return failure.status(code);
    return Schema(&raw);
  }
  const ArrowSchema* get() const { return raw_.get(); }
  int64_t num_columns() const { return raw_ ? raw_->n_children : 0; }
  const char* name(int64_t column) const { return raw_->children[column]->name; }
  const char* format(int64_t column) const { return raw_->children[column]->format; }

 private:
  static void release(ArrowSchema* schema) {
    if (schema->release) schema->release(schema);
    delete schema;
  }
  std::shared_ptr<ArrowSchema> raw_;
};

// Rows in columns: an Arrow array of a struct, and its schema. Moves only.
class Batch {
 public:
  Batch() = default;
  // Takes over what *array holds.
  Batch(Schema schema, ArrowArray* array) : schema_(std::move(schema)), array_(*array) {
    array->release = nullptr;
  }
  Batch(Batch&& other) noexcept
      : schema_(std::move(other.schema_)), array_(std::exchange(other.array_, ArrowArray{})) {}
  Batch& operator=(Batch&& other) noexcept {
    std::swap(schema_, other.schema_);
    std::swap(array_, other.array_);
    return *this;
  }
  ~Batch() {
    if (array_.release) array_.release(&array_);
  }
  const Schema& schema() const { return schema_; }
  const ArrowArray& array() const { return array_; }
  ArrowArray* get() { return &array_; }
  int64_t num_rows() const { return array_.length; }
  // Moves the array out, to a consumer that releases it.
  void move_to(ArrowArray* out) {
    *out = array_;
    array_.release = nullptr;
  }

 private:
  Schema schema_;
  ArrowArray array_{};
};

}  // namespace api_v1
}  // namespace flowrun

#endif
