#pragma once
// Batches, columns and schemas on their way into a plugin and back.

#include <span>
#include <vector>

#include "runtime/operator/epoch.h"
#include "runtime/plugin/call.h"
#include "runtime/plugin/component.h"

namespace flowrun {

// An ArrowSchema that releases itself.
class OwnedSchema {
 public:
  OwnedSchema() = default;
  explicit OwnedSchema(ArrowSchema schema) : schema_(schema) {}
  OwnedSchema(OwnedSchema&& other) noexcept : schema_(std::exchange(other.schema_, {})) {}
  OwnedSchema& operator=(OwnedSchema&& other) noexcept {
    std::swap(schema_, other.schema_);
    return *this;
  }
  ~OwnedSchema() {
    if (schema_.release) schema_.release(&schema_);
  }
  static OwnedSchema of(const Schema& schema, TextLayout text);
  static OwnedSchema of(const Field& field, TextLayout text);

  // Leaks it: what is not whole cannot be trusted to release itself.
  void forget() { schema_ = {}; }
  [[nodiscard]] ArrowSchema* get() { return &schema_; }
  [[nodiscard]] const ArrowSchema* get() const { return &schema_; }

 private:
  ArrowSchema schema_{};
};

// An ArrowArray that releases itself unless it was taken.
class OwnedArray {
 public:
  OwnedArray() = default;
  explicit OwnedArray(ArrowArray* moved) : array_(*moved) { moved->release = nullptr; }
  OwnedArray(const OwnedArray&) = delete;
  OwnedArray& operator=(const OwnedArray&) = delete;
  ~OwnedArray() {
    if (array_.release) array_.release(&array_);
  }
  // Leaks it: what is not whole cannot be trusted to release itself.
  void forget() { array_ = {}; }
  [[nodiscard]] ArrowArray* get() { return &array_; }

 private:
  ArrowArray array_{};
};

// What a plugin said comes out of it.
struct BoundPort {
  OwnedSchema arrow;
  SchemaPtr schema;
};

// Errors name the plugin.
Result<BoundPort> take_schema(const Component& component, OwnedSchema schema);
// `given` may be null: the batch is what the port says. Takes over *array, with an error too.
Result<RecordBatch> take_batch(const Component& component, const BoundPort& port,
                               const ArrowSchema* given, ArrowArray* array);
// A batch with a schema of its own, which stays the caller's.
Result<RecordBatch> take_any_batch(const Component& component, const ArrowSchema& schema,
                                   ArrowArray* array);
// A column of `rows` rows.
Result<ColumnPtr> take_column(const Component& component, const OwnedSchema& schema, int64_t rows,
                              ArrowArray* array);

flowrun_epoch epoch_of(const Epoch& epoch);

// The emitter that a plugin is given for one call.
class EmitterBridge {
 public:
  EmitterBridge(const Component& component, std::span<const BoundPort> ports, Emitter& out);
  EmitterBridge(const EmitterBridge&) = delete;
  EmitterBridge& operator=(const EmitterBridge&) = delete;

  [[nodiscard]] const flowrun_emitter* get() const { return &raw_; }
  // What the call comes to: an error of an emit is that of the call, whatever the plugin made of
  // it.
  Status outcome(Status of_call) { return failure_ ? std::move(of_call) : std::move(failure_); }

 private:
  Status emit(uint64_t port, const ArrowSchema* schema, ArrowArray* batch);

  const Component& component_;
  std::span<const BoundPort> ports_;
  Emitter& out_;
  Status failure_;
  flowrun_emitter raw_;
};

}  // namespace flowrun
