// Running an engine and looking at it: the C functions for it.
#include <cerrno>

#include "runtime/embed/c_failure.h"

using namespace flowrun;

namespace {

// The snapshot of a live table as a stream; holds it.
struct TableStream {
  std::shared_ptr<const LiveTableSnapshot> snapshot;
  TextLayout text = TextLayout::views;
  size_t next = 0;
  std::string error;

  static TableStream* of(ArrowArrayStream* stream) {
    return static_cast<TableStream*>(stream->private_data);
  }
  static int get_schema(ArrowArrayStream* stream, ArrowSchema* out) {
    export_schema(*of(stream)->snapshot->schema, out, of(stream)->text);
    return 0;
  }
  static int get_next(ArrowArrayStream* stream, ArrowArray* out) {
    TableStream& self = *of(stream);
    if (self.next == self.snapshot->batches.size()) {
      *out = {};
      return 0;
    }
    const Status exported = export_batch(self.snapshot->batches[self.next], out, self.text);
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

flowrun_table_info info_of(const LiveTableSnapshot& snapshot) {
  flowrun_table_info info{};
  info.epoch = snapshot.epoch;
  for (const RecordBatch& batch : snapshot.batches) info.num_rows += batch.num_rows();
  info.dropped_rows = snapshot.dropped_rows;
  return info;
}

}  // namespace

flowrun_code flowrun_engine_start(flowrun_engine* engine, flowrun_failure* failure) {
  return answer(engine->engine->start(), failure, engine->engine.get());
}

flowrun_code flowrun_engine_wait(flowrun_engine* engine, int64_t timeout,
                                 flowrun_failure* failure) {
  return answer(engine->engine->wait(patience_of(timeout)), failure, engine->engine.get());
}

void flowrun_engine_stop(flowrun_engine* engine) { engine->engine->stop(); }

flowrun_code flowrun_engine_drain(flowrun_engine* engine, int64_t timeout,
                                  flowrun_failure* failure) {
  return answer(engine->engine->drain(patience_of(timeout)), failure, engine->engine.get());
}

int32_t flowrun_engine_state(const flowrun_engine* engine) {
  switch (engine->engine->state()) {
    case HostEngine::State::loaded:
      return FLOWRUN_STATE_LOADED;
    case HostEngine::State::running:
      return FLOWRUN_STATE_RUNNING;
    case HostEngine::State::ended:
      return FLOWRUN_STATE_ENDED;
    case HostEngine::State::failed:
      return FLOWRUN_STATE_FAILED;
  }
  return FLOWRUN_STATE_FAILED;
}

flowrun_code flowrun_engine_outcome(const flowrun_engine* engine, flowrun_failure* failure) {
  return answer(engine->engine->outcome(), failure, engine->engine.get());
}

void flowrun_engine_destroy(flowrun_engine* engine) { delete engine; }

flowrun_code flowrun_engine_step(flowrun_engine* engine, int64_t timeout, flowrun_step* step,
                                 flowrun_failure* failure) {
  const auto made = engine->engine->step(patience_of(timeout));
  if (!made) return write_failure(made.error(), failure, engine->engine.get());
  flowrun_step out{};
  out.made_epoch = made->made_epoch ? 1 : 0;
  out.ended = made->ended ? 1 : 0;
  out.next_wake = made->next_wake;
  hand_over(out, step);
  return FLOWRUN_OK;
}

int flowrun_engine_wake_fd(const flowrun_engine* engine) {
  return engine->engine->wake_descriptor();
}

flowrun_code flowrun_engine_table(const flowrun_engine* engine, const char* name, uint32_t flags,
                                  ArrowArrayStream* rows, flowrun_table_info* info,
                                  flowrun_failure* failure) {
  auto found = engine->engine->table(name);
  if (!found) return write_failure(found.error(), failure);
  std::shared_ptr<const LiveTableSnapshot> snapshot = std::move(*found);
  hand_over(info_of(*snapshot), info);
  if (!rows) return FLOWRUN_OK;
  *rows = {};
  rows->get_schema = TableStream::get_schema;
  rows->get_next = TableStream::get_next;
  rows->get_last_error = TableStream::get_last_error;
  rows->release = TableStream::release;
  const TextLayout text =
      (flags & FLOWRUN_WITH_OFFSETS) != 0 ? TextLayout::offsets : TextLayout::views;
  rows->private_data = new TableStream{std::move(snapshot), text, 0, {}};
  return FLOWRUN_OK;
}

flowrun_code flowrun_engine_show(const flowrun_engine* engine, const char* name, int64_t rows,
                                 int64_t truncate, char** text, flowrun_failure* failure) {
  const auto shown = engine->engine->show(name, rows, truncate);
  if (!shown) return write_failure(shown.error(), failure);
  *text = owned_text(*shown);
  return FLOWRUN_OK;
}

flowrun_code flowrun_engine_progress(const flowrun_engine* engine, flowrun_progress* progress,
                                     flowrun_failure* failure) {
  const auto last = engine->engine->last_progress();
  if (!last) return write_failure(Error::unavailable("no epoch has ended yet"), failure);
  hand_over(progress_of(*last), progress);
  return FLOWRUN_OK;
}

char* flowrun_engine_progress_json(const flowrun_engine* engine) {
  const auto last = engine->engine->last_progress();
  return last ? owned_text(progress_json(*last)) : nullptr;
}

char* flowrun_engine_explain(const flowrun_engine* engine) {
  return owned_text(engine->engine->engine().explain());
}

const char* flowrun_engine_name(const flowrun_engine* engine) {
  return engine->engine->name().c_str();
}
