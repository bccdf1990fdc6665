#include <fmt/format.h>

#include <limits>

#include "runtime/columnar/arrow.h"
#include "runtime/columnar/builder.h"

namespace flowrun {

namespace {

// What an exported schema owns. Children are released one by one: a consumer may have moved some
// away.
struct SchemaOwner {
  std::string format;
  std::string name;
  std::vector<ArrowSchema> children;
  std::vector<ArrowSchema*> pointers;
};

void release_schema(ArrowSchema* schema) {
  for (int64_t i = 0; i < schema->n_children; ++i) {
    if (schema->children[i]->release) schema->children[i]->release(schema->children[i]);
  }
  delete static_cast<SchemaOwner*>(schema->private_data);
  schema->release = nullptr;
}

std::string format_of(const Type& type, TextLayout text) {
  const bool views = text == TextLayout::views;
  switch (type.id()) {
    case TypeId::null:
      return "n";
    case TypeId::boolean:
      return "b";
    case TypeId::tinyint:
      return "c";
    case TypeId::smallint:
      return "s";
    case TypeId::integer:
      return "i";
    case TypeId::bigint:
      return "l";
    case TypeId::real:
      return "f";
    case TypeId::double_:
      return "g";
    case TypeId::decimal:
      return fmt::format("d:{},{}", type.precision(), type.scale());
    case TypeId::string:
      return views ? "vu" : "u";
    case TypeId::binary:
      return views ? "vz" : "z";
    case TypeId::date:
      return "tdD";
    case TypeId::timestamp:
      return "tsu:UTC";
    case TypeId::year_month_interval:
      return "tiM";
    case TypeId::day_time_interval:
      return "tDu";
    case TypeId::calendar_interval:
      return "tin";
    case TypeId::array:
      return "+l";
    case TypeId::map:
      return "+m";
    case TypeId::struct_:
      return "+s";
  }
  return "";
}

void export_typed(const std::string& name, const Type& type, bool nullable, TextLayout text,
                  ArrowSchema* out) {
  auto* owner = new SchemaOwner{format_of(type, text), name, {}, {}};
  if (type.id() == TypeId::map) {
    const std::span<const Field> fields = type.fields();
    owner->children.resize(1);
    export_typed("entries", Type::struct_({fields.begin(), fields.end()}), false, text,
                 owner->children.data());
  } else {
    owner->children.resize(type.fields().size());
    for (size_t i = 0; i < owner->children.size(); ++i)
      export_field(type.fields()[i], &owner->children[i], text);
  }
  for (ArrowSchema& child : owner->children) owner->pointers.push_back(&child);
  *out = {.format = owner->format.c_str(),
          .name = owner->name.c_str(),
          .metadata = nullptr,
          .flags = nullable ? ARROW_FLAG_NULLABLE : 0,
          .n_children = static_cast<int64_t>(owner->pointers.size()),
          .children = owner->pointers.data(),
          .dictionary = nullptr,
          .release = release_schema,
          .private_data = owner};
}

// What an exported array owns: the buffers it points into, and its children.
struct ArrayOwner {
  ColumnPtr column;  // what is exported, where the buffers are its own
  std::vector<BufferPtr> held;
  std::vector<const void*> buffers;
  std::vector<int64_t> data_sizes;
  std::vector<ArrowArray> children;
  std::vector<ArrowArray*> pointers;
  int64_t offset = 0;  // as it was exported
};

void release_array(ArrowArray* array) {
  for (int64_t i = 0; i < array->n_children; ++i) {
    if (array->children[i]->release) array->children[i]->release(array->children[i]);
  }
  delete static_cast<ArrayOwner*>(array->private_data);
  array->release = nullptr;
}

void add_buffer(ArrayOwner& owner, const BufferPtr& buffer) {
  owner.buffers.push_back(buffer ? buffer->data() : nullptr);
  if (buffer) owner.held.push_back(buffer);
}

// Makes *out own `owner`. REQUIRES: its children have been exported.
void fill(std::unique_ptr<ArrayOwner> owner, int64_t length, int64_t null_count, int64_t offset,
          ArrowArray* out) {
  for (ArrowArray& child : owner->children) owner->pointers.push_back(&child);
  owner->offset = offset;
  *out = {.length = length,
          .null_count = null_count,
          .offset = offset,
          .n_buffers = static_cast<int64_t>(owner->buffers.size()),
          .n_children = static_cast<int64_t>(owner->pointers.size()),
          .buffers = owner->buffers.data(),
          .children = owner->pointers.data(),
          .dictionary = nullptr,
          .release = release_array,
          .private_data = owner.release()};
}

// Exports the columns as children of `owner`; releases those already exported if one fails.
Status export_children(std::span<const ColumnPtr> columns, TextLayout text, ArrayOwner& owner) {
  owner.children.resize(columns.size());
  for (size_t i = 0; i < columns.size(); ++i) {
    if (Status status = export_column(columns[i], &owner.children[i], text); !status) {
      for (size_t done = 0; done < i; ++done) owner.children[done].release(&owner.children[done]);
      return status;
    }
  }
  return ok_status();
}

// A struct's own offset would apply to its children too, which are sliced already: the bits are
// moved.
Status export_struct(const ColumnPtr& column, TextLayout text, ArrowArray* out) {
  auto owner = std::make_unique<ArrayOwner>();
  add_buffer(*owner, copy_validity(*column));
  FLOWRUN_RETURN_IF_ERROR(export_children(column->children(), text, *owner));
  fill(std::move(owner), column->size(), column->null_count(), 0, out);
  return ok_status();
}

Status export_entries(const Column& map, TextLayout text, ArrowArray* out) {
  auto owner = std::make_unique<ArrayOwner>();
  owner->buffers.push_back(nullptr);
  FLOWRUN_RETURN_IF_ERROR(export_children(map.children(), text, *owner));
  fill(std::move(owner), map.child(0)->size(), 0, 0, out);
  return ok_status();
}

Result<BufferPtr> nanosecond_intervals(const Column& column) {
  constexpr int64_t kNanosPerMicro = 1000;
  const std::span<const CalendarInterval> values = column.values<CalendarInterval>();
  BufferPtr buffer = Buffer::allocate(values.size_bytes());
  auto* out = reinterpret_cast<CalendarInterval*>(buffer->mutable_data());
  for (size_t i = 0; i < values.size(); ++i) {
    out[i] = values[i];
    if (__builtin_mul_overflow(values[i].microseconds, kNanosPerMicro, &out[i].microseconds) &&
        column.is_valid(static_cast<int64_t>(i))) {
      return Error::data(fmt::format(
          "an interval of {} microseconds does not fit Arrow's nanoseconds — keep intervals "
          "below 292 years",
          values[i].microseconds));
    }
  }
  return buffer;
}

Status export_calendar_intervals(const Column& column, ArrowArray* out) {
  auto owner = std::make_unique<ArrayOwner>();
  add_buffer(*owner, copy_validity(column));
  FLOWRUN_TRY(const BufferPtr values, nanosecond_intervals(column));
  add_buffer(*owner, values);
  fill(std::move(owner), column.size(), column.null_count(), 0, out);
  return ok_status();
}

// Offsets and bytes in place of views.
Status export_text(const Column& column, ArrowArray* out) {
  int64_t bytes = 0;
  for (int64_t i = 0; i < column.size(); ++i) {
    if (column.is_valid(i)) bytes += static_cast<int64_t>(column.string(i).size());
  }
  if (bytes > std::numeric_limits<int32_t>::max()) {
    return Error::data(
        fmt::format("{} bytes of text do not fit Arrow's 32-bit offsets — take views", bytes));
  }
  const auto rows = static_cast<size_t>(column.size());
  const BufferPtr offsets = Buffer::allocate((rows + 1) * sizeof(int32_t));
  const BufferPtr data = Buffer::allocate(static_cast<size_t>(bytes));
  auto* offset = reinterpret_cast<int32_t*>(offsets->mutable_data());
  uint8_t* at = data->mutable_data();
  offset[0] = 0;
  for (size_t i = 0; i < rows; ++i) {
    const auto row = static_cast<int64_t>(i);
    const std::string_view value = column.is_valid(row) ? column.string(row) : std::string_view();
    if (!value.empty()) std::memcpy(at, value.data(), value.size());
    at += value.size();
    offset[i + 1] = static_cast<int32_t>(at - data->data());
  }
  auto owner = std::make_unique<ArrayOwner>();
  add_buffer(*owner, copy_validity(column));
  add_buffer(*owner, offsets);
  add_buffer(*owner, data);
  fill(std::move(owner), column.size(), column.null_count(), 0, out);
  return ok_status();
}

}  // namespace

void export_field(const Field& field, ArrowSchema* out, TextLayout text) {
  export_typed(field.name, field.type, field.nullable, text, out);
}

void export_schema(const Schema& schema, ArrowSchema* out, TextLayout text) {
  export_typed("", Type::struct_({schema.fields().begin(), schema.fields().end()}), false, text,
               out);
}

ColumnPtr exported_column(const ArrowArray& array) {
  if (array.release != release_array) return nullptr;
  const auto* owner = static_cast<const ArrayOwner*>(array.private_data);
  // The children of a nested one are not its own to know: they may have been exchanged.
  const bool same = owner->column && owner->children.empty() &&
                    array.buffers == owner->buffers.data() &&
                    array.length == owner->column->size() && array.offset == owner->offset;
  return same ? owner->column : nullptr;
}

Status export_column(const ColumnPtr& column, ArrowArray* out, TextLayout text) {
  const Column::Parts& parts = column->parts();
  const TypeId id = column->type().id();
  if (id == TypeId::struct_) return export_struct(column, text, out);
  if (id == TypeId::calendar_interval) return export_calendar_intervals(*column, out);
  if (column->type().is_string_like() && text == TextLayout::offsets)
    return export_text(*column, out);
  auto owner = std::make_unique<ArrayOwner>();
  owner->column = column;
  if (id != TypeId::null) {
    add_buffer(*owner, column->null_count() > 0 ? parts.validity : nullptr);
    add_buffer(*owner, parts.values);
  }
  if (column->type().is_string_like()) {
    for (const BufferPtr& data : parts.data_buffers) {
      add_buffer(*owner, data);
      owner->data_sizes.push_back(static_cast<int64_t>(data->size()));
    }
    owner->data_sizes.reserve(1);  // a pointer even where there are no sizes
    owner->buffers.push_back(owner->data_sizes.data());
  } else if (id == TypeId::array) {
    FLOWRUN_RETURN_IF_ERROR(export_children(column->children(), text, *owner));
  } else if (id == TypeId::map) {
    owner->children.resize(1);
    FLOWRUN_RETURN_IF_ERROR(export_entries(*column, text, owner->children.data()));
  }
  // Consumers take buffers of nothing to be empty, wherever a slice of nothing stands.
  const int64_t offset = column->size() == 0 ? 0 : parts.offset;
  fill(std::move(owner), column->size(), column->null_count(), offset, out);
  return ok_status();
}

Status export_batch(const RecordBatch& batch, ArrowArray* out, TextLayout text) {
  auto owner = std::make_unique<ArrayOwner>();
  owner->buffers.push_back(nullptr);
  std::vector<ColumnPtr> columns = batch.columns();
  for (size_t i = 0; i < columns.size(); ++i) {
    if (!columns[i]) columns[i] = null_column(batch.schema()->field(i).type, batch.num_rows());
  }
  FLOWRUN_RETURN_IF_ERROR(export_children(columns, text, *owner));
  fill(std::move(owner), batch.num_rows(), 0, 0, out);
  return ok_status();
}

}  // namespace flowrun
