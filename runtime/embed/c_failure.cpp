#include "runtime/embed/c_failure.h"

#include <cstdlib>

#include "runtime/plugin/call.h"

namespace flowrun {

// What a host's call says of `unavailable` is that its time is over.
flowrun_code code_of(const Error& error) {
  return error.code == ErrorCode::unavailable ? FLOWRUN_TIMEOUT : abi_code(error.code);
}

char* owned_text(const std::string& text) {
  char* copy = static_cast<char*>(std::malloc(text.size() + 1));
  if (copy) std::memcpy(copy, text.c_str(), text.size() + 1);
  return copy;
}

flowrun_code write_failure(const Error& error, flowrun_failure* failure, const HostEngine* engine) {
  const flowrun_code code = code_of(error);
  if (!failure) return code;
  flowrun_failure_clear(failure);
  HostEngine::Place place{"", error.position};
  if (engine) place = engine->place_of(error);
  flowrun_failure made{};
  made.code = code;
  made.line = place.position.line;
  made.column = place.position.column;
  made.text = owned_text(error.message);
  if (!place.node.empty()) made.node = owned_text(place.node);
  if (place.position.file) made.file = owned_text(*place.position.file);
  hand_over(made, failure);
  return code;
}

flowrun_code answer(const Status& status, flowrun_failure* failure, const HostEngine* engine) {
  return status ? FLOWRUN_OK : write_failure(status.error(), failure, engine);
}

Patience patience_of(int64_t timeout) {
  if (timeout < 0) return std::nullopt;
  return timeout;
}

}  // namespace flowrun

using namespace flowrun;

void flowrun_text_free(char* text) { std::free(text); }

void flowrun_failure_clear(flowrun_failure* failure) {
  if (!failure) return;
  const auto known = known_part<flowrun_failure>(failure);
  std::free(known.text);
  std::free(known.node);
  std::free(known.file);
  hand_over(flowrun_failure{}, failure);
}

const char* flowrun_version(void) { return FLOWRUN_VERSION; }
