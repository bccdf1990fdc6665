// Tables and what is asked of them: the C functions for it.
#include <cerrno>

#include "runtime/embed/c_failure.h"
#include "runtime/plugin/arrow_check.h"
#include "runtime/plugin/call.h"

using namespace flowrun;

namespace {

// Rows as a stream; holds them.
struct RowStream {
  SchemaPtr schema;
  std::vector<RecordBatch> batches;
  TextLayout text = TextLayout::views;
  size_t next = 0;
  std::string error;

  static RowStream* of(ArrowArrayStream* stream) {
    return static_cast<RowStream*>(stream->private_data);
  }
  static int get_schema(ArrowArrayStream* stream, ArrowSchema* out) {
    export_schema(*of(stream)->schema, out, of(stream)->text);
    return 0;
  }
  static int get_next(ArrowArrayStream* stream, ArrowArray* out) {
    RowStream& self = *of(stream);
    if (self.next == self.batches.size()) {
      *out = {};
      return 0;
    }
    const Status exported = export_batch(self.batches[self.next], out, self.text);
    if (!exported) {
      self.error = exported.error().message;
      return EINVAL;
    }
    ++self.next;
    return 0;
  }
  static const char* get_last_error(ArrowArrayStream* stream) {
    return of(stream)->error.empty() ? nullptr : of(stream)->error.c_str();
  }
  static void release(ArrowArrayStream* stream) {
    delete of(stream);
    stream->release = nullptr;
  }
};

void give_rows(SchemaPtr schema, std::vector<RecordBatch> batches, uint32_t flags,
               ArrowArrayStream* out) {
  *out = {};
  out->get_schema = RowStream::get_schema;
  out->get_next = RowStream::get_next;
  out->get_last_error = RowStream::get_last_error;
  out->release = RowStream::release;
  const TextLayout text =
      (flags & FLOWRUN_WITH_OFFSETS) != 0 ? TextLayout::offsets : TextLayout::views;
  out->private_data = new RowStream{std::move(schema), std::move(batches), text, 0, {}};
}

struct Rows {
  SchemaPtr schema;
  std::vector<RecordBatch> batches;
};

// Releases what it is told of.
struct Releasing {
  void operator()(ArrowSchema* schema) const {
    if (schema->release) schema->release(schema);
  }
  void operator()(ArrowArray* array) const {
    if (array->release) array->release(array);
  }
  void operator()(ArrowArrayStream* stream) const {
    if (stream->release) stream->release(stream);
  }
};

Error stream_error(ArrowArrayStream& stream) {
  const char* why = stream.get_last_error(&stream);
  return Error::invalid(std::string("the rows cannot be read") + (why ? ": " : "") +
                        (why ? why : ""));
}

// What a stream of the host's own holds. It is released in any case.
Result<Rows> take_rows(ArrowArrayStream* given) {
  const std::unique_ptr<ArrowArrayStream, Releasing> stream(given);
  if (!stream->release) return Error::invalid("there are no rows: the stream was released");
  ArrowSchema raw{};
  const std::unique_ptr<ArrowSchema, Releasing> schema(&raw);
  if (stream->get_schema(given, &raw) != 0) return stream_error(*given);
  FLOWRUN_RETURN_IF_ERROR(check_schema(raw));
  Rows rows;
  FLOWRUN_TRY(rows.schema, import_schema(raw));
  while (true) {
    ArrowArray batch{};
    const std::unique_ptr<ArrowArray, Releasing> owned(&batch);
    if (stream->get_next(given, &batch) != 0) return stream_error(*given);
    if (!batch.release) return rows;
    FLOWRUN_RETURN_IF_ERROR(check_array(raw, batch));
    FLOWRUN_TRY(RecordBatch imported, import_batch(rows.schema, raw, &batch));
    rows.batches.push_back(std::move(imported));
  }
}

flowrun_table_info info_of(const LiveTableSnapshot& snapshot) {
  flowrun_table_info info{};
  info.epoch = snapshot.epoch;
  for (const RecordBatch& batch : snapshot.batches) info.num_rows += batch.num_rows();
  info.dropped_rows = snapshot.dropped_rows;
  return info;
}

flowrun_code give_text(const Result<std::string>& made, char** text, flowrun_failure* failure) {
  if (!made) return write_failure(made.error(), failure);
  *text = owned_text(*made);
  return FLOWRUN_OK;
}

}  // namespace

flowrun_code flowrun_engine_table(const flowrun_engine* engine, const char* name, uint32_t flags,
                                  ArrowArrayStream* rows, flowrun_table_info* info,
                                  flowrun_failure* failure) {
  const auto snapshot = engine->engine->table(name);
  if (!snapshot) return write_failure(snapshot.error(), failure);
  hand_over(info_of(**snapshot), info);
  if (rows) give_rows((*snapshot)->schema, (*snapshot)->batches, flags, rows);
  return FLOWRUN_OK;
}

flowrun_code flowrun_engine_show(const flowrun_engine* engine, const char* name, int64_t rows,
                                 int64_t truncate, char** text, flowrun_failure* failure) {
  const auto snapshot = engine->engine->table(name);
  if (!snapshot) return write_failure(snapshot.error(), failure);
  const LiveTableSnapshot& table = **snapshot;
  return give_text(engine->engine->show(table.schema, table.batches, rows, truncate), text,
                   failure);
}

flowrun_code flowrun_engine_show_rows(const flowrun_engine* engine, ArrowArrayStream* stream,
                                      int64_t rows, int64_t truncate, char** text,
                                      flowrun_failure* failure) {
  const auto taken = take_rows(stream);
  if (!taken) return write_failure(taken.error(), failure);
  return give_text(engine->engine->show(taken->schema, taken->batches, rows, truncate), text,
                   failure);
}

flowrun_code flowrun_engine_sql(const flowrun_engine* engine, const char* statement,
                                const flowrun_sql_options* options, ArrowArrayStream* rows,
                                flowrun_sql_info* info, flowrun_failure* failure) {
  const auto wanted = options ? known_part<flowrun_sql_options>(options) : flowrun_sql_options{};
  HostSql::Limits limits{wanted.max_rows, wanted.time_limit, {}};
  if (wanted.cancelled) limits.cancelled = [&] { return wanted.cancelled(wanted.context) != 0; };
  const auto answer = engine->engine->sql().run(statement, limits);
  if (!answer) return write_failure(answer.error(), failure);
  flowrun_sql_info made{};
  made.num_rows = answer->rows.num_rows();
  made.more = answer->more ? 1 : 0;
  hand_over(made, info);
  if (rows) give_rows(answer->rows.schema(), {answer->rows}, wanted.flags, rows);
  return FLOWRUN_OK;
}
