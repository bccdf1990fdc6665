#include "runtime/plugin/snapshot_bridge.h"

#include <fmt/format.h>

#include <numeric>

namespace flowrun {

namespace {

// The rows of a section must begin with the key.
Status check_key(const Component& component, const PluginKey& key, const std::string& section,
                 const Schema& schema) {
  for (size_t i = 0; i < key.types.size(); ++i) {
    if (i < schema.num_fields() && schema.field(i).type == key.types[i]) continue;
    return component.blame(Error::data(fmt::format(
        "section `{}` of its snapshot does not begin with the columns of its key, as {} wants it: "
        "number {} must be of type {}",
        section, component.name, i + 1, key.types[i].simple_string())));
  }
  return ok_status();
}

}  // namespace

WriterBridge::WriterBridge(const Component& component, const PluginKey& key, SnapshotWriter& writer)
    : component_(component), key_(key), writer_(writer) {
  raw_ = {.size = sizeof(flowrun_snapshot_writer),
          .context = this,
          .write = [](void* context, const char* section, const ArrowSchema* schema,
                      ArrowArray* rows, flowrun_error* error) noexcept -> flowrun_code {
            auto& bridge = *static_cast<WriterBridge*>(context);
            return bridge.keep(bridge.write(section, schema, rows), error);
          },
          .write_number = [](void* context, const char* name, int64_t number,
                             flowrun_error* error) noexcept -> flowrun_code {
            auto& bridge = *static_cast<WriterBridge*>(context);
            return bridge.keep(bridge.write_number(name, number), error);
          }};
}

Status WriterBridge::write(const char* section, const ArrowSchema* schema, ArrowArray* rows) {
  if (!schema || !rows)
    return component_.blame(Error::data("its snapshot has a null pointer for rows"));
  FLOWRUN_TRY(const RecordBatch batch, take_any_batch(component_, *schema, rows));
  FLOWRUN_RETURN_IF_ERROR(check_key(component_, key_, string_of(section), *batch.schema()));
  return writer_.write(string_of(section), batch);
}

Status WriterBridge::write_number(const char* name, int64_t number) {
  if (key_.empty()) return writer_.write_number(string_of(name), number);
  return component_.blame(Error::data(fmt::format(
      "`{}` is saved as a number, and the state is parted by a key — save rows that begin with the "
      "key",
      string_of(name))));
}

flowrun_code WriterBridge::keep(Status status, flowrun_error* error) {
  if (status) return FLOWRUN_OK;
  const flowrun_code code = report(status.error(), error);
  failure_ = std::move(status);
  return code;
}

ReaderBridge::ReaderBridge(const Component& component, const PluginKey& key, size_t partition,
                           size_t partitions, SnapshotReader& reader)
    : component_(component),
      key_(key),
      partition_(partition),
      partitions_(partitions),
      reader_(reader) {
  raw_ = {.size = sizeof(flowrun_snapshot_reader),
          .context = this,
          .read = [](void* context, const char* section, uint64_t index, ArrowSchema* schema,
                     ArrowArray* rows, flowrun_error* error) noexcept -> flowrun_code {
            auto& bridge = *static_cast<ReaderBridge*>(context);
            const Status status = bridge.read(string_of(section), index, schema, rows);
            return status ? FLOWRUN_OK : report(status.error(), error);
          },
          .read_number = [](void* context, const char* name, int64_t* number, int32_t* found,
                            flowrun_error* error) noexcept -> flowrun_code {
            auto& bridge = *static_cast<ReaderBridge*>(context);
            const auto read = bridge.reader_.read_number(string_of(name));
            if (!read) return report(read.error(), error);
            *found = *read ? 1 : 0;
            *number = read->value_or(0);
            return FLOWRUN_OK;
          }};
}

Status ReaderBridge::read(const std::string& section, uint64_t index, ArrowSchema* schema,
                          ArrowArray* rows) {
  *schema = {};
  *rows = {};
  auto known = sections_.find(section);
  if (known == sections_.end()) {
    FLOWRUN_TRY(std::vector<RecordBatch> own, own_rows(section));
    known = sections_.emplace(section, std::move(own)).first;
  }
  const std::vector<RecordBatch>& batches = known->second;
  if (index >= batches.size()) return ok_status();
  FLOWRUN_RETURN_IF_ERROR(export_batch(batches[index], rows, component_.text()));
  export_schema(*batches[index].schema(), schema, component_.text());
  return ok_status();
}

Result<std::vector<RecordBatch>> ReaderBridge::own_rows(const std::string& section) {
  FLOWRUN_TRY(std::vector<RecordBatch> batches, reader_.read(section));
  if (key_.empty()) return batches;
  std::vector<size_t> columns(key_.types.size());
  std::iota(columns.begin(), columns.end(), 0);
  for (RecordBatch& batch : batches) {
    FLOWRUN_RETURN_IF_ERROR(check_key(component_, key_, section, *batch.schema()));
    if (partitions_ > 1)
      batch = batch.take(rows_by_partition(batch, columns, partitions_)[partition_]);
  }
  return batches;
}

}  // namespace flowrun
