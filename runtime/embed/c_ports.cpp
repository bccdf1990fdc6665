// Rows in and rows out: the C functions for it.
#include <fmt/format.h>

#include "runtime/embed/c_failure.h"
#include "runtime/plugin/arrow_check.h"

using namespace flowrun;

struct flowrun_push {
  std::shared_ptr<PushPort> port;
  ArrowSchema schema{};  // the port's own

  explicit flowrun_push(std::shared_ptr<PushPort> its_port) : port(std::move(its_port)) {
    export_schema(*port->schema(), &schema);
  }
  flowrun_push(const flowrun_push&) = delete;
  flowrun_push& operator=(const flowrun_push&) = delete;
  ~flowrun_push() { schema.release(&schema); }
};

struct flowrun_pull {
  std::shared_ptr<PullPort> port;
  TextLayout text;
};

namespace {

// Whether what `given` says can be made `wanted`: by name, of the very same types.
Status check_fit(const Schema& given, const Schema& wanted) {
  for (const Field& field : wanted.fields()) {
    FLOWRUN_TRY(const size_t index, given.find(field.name));
    const Type& type = given.field(index).type;
    if (type == field.type) continue;
    return Error::invalid(fmt::format(
        "the column `{}` is {} in what is pushed, and {} in the push source's `schema` — cast it",
        field.name, type.ddl(), field.type.ddl()));
  }
  if (given.num_fields() == wanted.num_fields()) return ok_status();
  return Error::invalid(fmt::format(
      "{} columns are pushed, and the push source's `schema` has {}: {} — leave the others out",
      given.num_fields(), wanted.num_fields(), wanted.ddl()));
}

// REQUIRES: check_fit.
RecordBatch fitted(const RecordBatch& rows, const SchemaPtr& wanted) {
  std::vector<ColumnPtr> columns;
  for (const Field& field : wanted->fields())
    columns.push_back(rows.column(*rows.schema()->find(field.name)));
  return RecordBatch(wanted, rows.num_rows(), std::move(columns));
}

// Before anything is taken.
Status check(const ArrowSchema* given, const ArrowSchema& own, const SchemaPtr& wanted,
             const ArrowArray* batch) {
  if (!batch || !batch->release) return Error::invalid("there is no batch, or it was released");
  if (!given) return check_array(own, *batch);
  FLOWRUN_RETURN_IF_ERROR(check_schema(*given));
  FLOWRUN_TRY(const SchemaPtr known, import_schema(*given));
  FLOWRUN_RETURN_IF_ERROR(check_fit(*known, *wanted));
  return check_array(*given, *batch);
}

}  // namespace

flowrun_code flowrun_schema_of(const char* ddl, ArrowSchema* schema, flowrun_failure* failure) {
  const auto parsed = parse_schema(ddl);
  if (!parsed) return write_failure(parsed.error(), failure);
  export_schema(**parsed, schema);
  return FLOWRUN_OK;
}

flowrun_code flowrun_push_open(flowrun_engine* engine, const char* node, flowrun_push** push,
                               flowrun_failure* failure) {
  const auto port = engine->engine->ports().push(node);
  if (!port) return write_failure(port.error(), failure);
  *push = new flowrun_push(*port);
  return FLOWRUN_OK;
}

void flowrun_push_release(flowrun_push* push) { delete push; }

void flowrun_push_schema(const flowrun_push* push, ArrowSchema* schema) {
  export_schema(*push->port->schema(), schema);
}

flowrun_code flowrun_push_batch(flowrun_push* push, const ArrowSchema* schema, ArrowArray* batch,
                                int64_t timeout, int64_t* ticket, flowrun_failure* failure) {
  PushPort& port = *push->port;
  if (const Status room = port.await_room(patience_of(timeout)); !room)
    return write_failure(room.error(), failure);
  if (const Status right = check(schema, push->schema, port.schema(), batch); !right)
    return write_failure(right.error(), failure);
  auto rows = import_batch(schema ? *schema : push->schema, batch);
  if (!rows) return write_failure(rows.error(), failure);
  const int64_t pushed =
      port.push(schema ? fitted(*rows, port.schema()) : rows->with_schema(port.schema()));
  if (ticket) *ticket = pushed;
  return FLOWRUN_OK;
}

void flowrun_push_finish(flowrun_push* push) { push->port->finish(); }

int64_t flowrun_push_committed(const flowrun_push* push) { return push->port->committed(); }

flowrun_code flowrun_push_wait(flowrun_push* push, int64_t ticket, int64_t timeout,
                               flowrun_failure* failure) {
  return answer(push->port->await_settled(ticket, patience_of(timeout)), failure);
}

void flowrun_push_on_settled(flowrun_push* push, int64_t ticket,
                             void (*settled)(void* context, int64_t ticket,
                                             const flowrun_failure* why),
                             void* context) {
  push->port->on_settled(ticket, [settled, ticket, context](const Status& status) {
    if (status) return settled(context, ticket, nullptr);
    flowrun_failure why = FLOWRUN_FAILURE_INIT;
    static_cast<void>(write_failure(status.error(), &why));
    settled(context, ticket, &why);
    flowrun_failure_clear(&why);
  });
}

flowrun_code flowrun_pull_open(flowrun_engine* engine, const char* node, uint32_t flags,
                               flowrun_pull** pull, flowrun_failure* failure) {
  const auto port = engine->engine->ports().pull(node);
  if (!port) return write_failure(port.error(), failure);
  *pull = new flowrun_pull{
      *port, (flags & FLOWRUN_WITH_OFFSETS) != 0 ? TextLayout::offsets : TextLayout::views};
  return FLOWRUN_OK;
}

void flowrun_pull_release(flowrun_pull* pull) { delete pull; }

void flowrun_pull_schema(const flowrun_pull* pull, ArrowSchema* schema) {
  export_schema(*pull->port->schema(), schema, pull->text);
}

flowrun_code flowrun_pull_batch(flowrun_pull* pull, int64_t timeout, ArrowArray* batch,
                                flowrun_pull_info* info, flowrun_failure* failure) {
  auto pulled = pull->port->pull(patience_of(timeout));
  if (!pulled) return write_failure(pulled.error(), failure);
  if (!*pulled) return FLOWRUN_ENDED;
  if (const Status exported = export_batch((*pulled)->rows, batch, pull->text); !exported)
    return write_failure(exported.error(), failure);
  flowrun_pull_info made{};
  made.epoch = (*pulled)->epoch;
  made.last_of_epoch = (*pulled)->last_of_epoch ? 1 : 0;
  hand_over(made, info);
  return FLOWRUN_OK;
}
