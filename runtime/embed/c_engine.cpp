// Running an engine and hearing of it: the C functions for it.
#include "runtime/embed/c_failure.h"

using namespace flowrun;

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
