#include "runtime/plugin/transfer.h"

#include <fmt/format.h>

#include "runtime/plugin/arrow_check.h"

namespace flowrun {

OwnedSchema OwnedSchema::of(const Schema& schema, TextLayout text) {
  OwnedSchema owned;
  export_schema(schema, owned.get(), text);
  return owned;
}

OwnedSchema OwnedSchema::of(const Field& field, TextLayout text) {
  OwnedSchema owned;
  export_field(field, owned.get(), text);
  return owned;
}

Result<BoundPort> take_schema(const Component& component, OwnedSchema schema) {
  if (Status checked = check_schema(*schema.get()); !checked) {
    schema.forget();
    return component.blame(std::move(checked.error()));
  }
  Result<SchemaPtr> imported = import_schema(*schema.get());
  if (!imported) return component.blame(std::move(imported.error()));
  return BoundPort{std::move(schema), std::move(*imported)};
}

namespace {

// What stands in an array whose schema is known to be right.
Status judge_array(const ArrowSchema& schema, OwnedArray& array) {
  if (Status checked = check_array(schema, *array.get()); !checked) {
    array.forget();
    return checked;
  }
  if (array.get()->null_count == 0) return ok_status();
  return Error::data("the batch: its rows cannot be null as a whole");
}

// As bind said: the schema was checked then.
Result<RecordBatch> take_declared_batch(const Component& component, const BoundPort& port,
                                        ArrowArray* array) {
  OwnedArray owned(array);
  if (Status judged = judge_array(*port.arrow.get(), owned); !judged)
    return component.blame(std::move(judged.error()));
  Result<RecordBatch> batch = import_batch(port.schema, *port.arrow.get(), owned.get());
  if (!batch) return component.blame(std::move(batch.error()));
  return batch;
}

}  // namespace

Result<RecordBatch> take_any_batch(const Component& component, const ArrowSchema& schema,
                                   ArrowArray* array) {
  OwnedArray owned(array);
  Status checked = check_schema(schema);
  if (checked) {
    if (Result<SchemaPtr> imported = import_schema(schema); !imported)
      checked = std::move(imported.error());
  }
  if (!checked) {
    owned.forget();
    return component.blame(std::move(checked.error()));
  }
  if (Status judged = judge_array(schema, owned); !judged)
    return component.blame(std::move(judged.error()));
  Result<RecordBatch> batch = import_batch(schema, owned.get());
  if (!batch) return component.blame(std::move(batch.error()));
  return batch;
}

Result<RecordBatch> take_batch(const Component& component, const BoundPort& port,
                               const ArrowSchema* given, ArrowArray* array) {
  if (!given) return take_declared_batch(component, port, array);
  FLOWRUN_TRY(RecordBatch batch, take_any_batch(component, *given, array));
  const Schema& got = *batch.schema();
  const Schema& declared = *port.schema;
  for (size_t i = 0; i < std::min(got.num_fields(), declared.num_fields()); ++i) {
    if (got.field(i) == declared.field(i)) continue;
    return component.blame(Error::data(
        fmt::format("it gave column `{}` of type {} where it had declared `{}` of type {}",
                    got.field(i).name, got.field(i).type.simple_string(), declared.field(i).name,
                    declared.field(i).type.simple_string())));
  }
  if (got.num_fields() != declared.num_fields()) {
    return component.blame(Error::data(fmt::format("it gave {} columns where it had declared {}",
                                                   got.num_fields(), declared.num_fields())));
  }
  return batch.with_schema(port.schema);
}

Result<ColumnPtr> take_column(const Component& component, const OwnedSchema& schema, int64_t rows,
                              ArrowArray* array) {
  OwnedArray owned(array);
  if (Status checked = check_array(*schema.get(), *owned.get()); !checked) {
    owned.forget();
    return component.blame(std::move(checked.error()));
  }
  if (owned.get()->length != rows) {
    return component.blame(Error::data(
        fmt::format("`{}` gave {} values for {} rows", component.name, owned.get()->length, rows)));
  }
  Result<ColumnPtr> column = import_column(*schema.get(), owned.get());
  if (!column) return component.blame(std::move(column.error()));
  return column;
}

flowrun_epoch epoch_of(const Epoch& epoch) {
  return {sizeof(flowrun_epoch), epoch.id, epoch.watermark, epoch.late_watermark,
          epoch.context.now};
}

EmitterBridge::EmitterBridge(const Component& component, std::span<const BoundPort> ports,
                             Emitter& out)
    : component_(component), ports_(ports), out_(out) {
  raw_ = {.size = sizeof(flowrun_emitter),
          .context = this,
          .emit = [](void* context, uint64_t port, const ArrowSchema* schema, ArrowArray* batch,
                     flowrun_error* error) noexcept -> flowrun_code {
            auto& bridge = *static_cast<EmitterBridge*>(context);
            Status emitted = bridge.emit(port, schema, batch);
            if (emitted) return FLOWRUN_OK;
            const flowrun_code code = report(emitted.error(), error);
            if (bridge.failure_) bridge.failure_ = std::move(emitted);
            return code;
          },
          .wanted = [](void* context, uint64_t port) noexcept -> int32_t {
            const auto& bridge = *static_cast<EmitterBridge*>(context);
            return port < bridge.ports_.size() && bridge.out_.wanted(port) ? 1 : 0;
          },
          .count =
              [](void* context, int32_t metric, int64_t rows) noexcept {
                auto& bridge = *static_cast<EmitterBridge*>(context);
                if (metric == FLOWRUN_METRIC_REJECTED) bridge.out_.count(Metric::rejected, rows);
                if (metric == FLOWRUN_METRIC_LATE) bridge.out_.count(Metric::late, rows);
              },
          .warn =
              [](void* context, flowrun_text reason) noexcept {
                auto& bridge = *static_cast<EmitterBridge*>(context);
                if (reason.data) bridge.out_.warn({reason.data, reason.size});
              }};
}

Status EmitterBridge::emit(uint64_t port, const ArrowSchema* schema, ArrowArray* batch) {
  if (!batch) return component_.blame(Error::data("it gave out a null pointer for a batch"));
  if (port >= ports_.size()) {
    OwnedArray dropped(batch);
    return component_.blame(
        Error::data(fmt::format("it gave rows to port {} of {}", port, ports_.size())));
  }
  FLOWRUN_TRY(RecordBatch rows, take_batch(component_, ports_[port], schema, batch));
  return out_.emit(port, std::move(rows));
}

}  // namespace flowrun
