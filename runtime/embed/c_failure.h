#pragma once
// What the C functions share: handles, and a Status made a code and a flowrun_failure.

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include "include/flowrun/flowrun_c.h"
#include "runtime/embed/host_engine.h"

struct flowrun_registry {
  std::shared_ptr<flowrun::HostRegistry> registry;
};

struct flowrun_engine {
  std::unique_ptr<flowrun::HostEngine> engine;
};

namespace flowrun {

flowrun_code code_of(const Error& error);

// Writes the error into what the caller gave for it, which may be null; gives its code. `engine`,
// if it is known, says which node it is about.
flowrun_code write_failure(const Error& error, flowrun_failure* failure,
                           const HostEngine* engine = nullptr);
// FLOWRUN_OK, or as above.
flowrun_code answer(const Status& status, flowrun_failure* failure,
                    const HostEngine* engine = nullptr);

flowrun_progress progress_of(const Progress& progress);

// As malloc gives it: flowrun_text_free and flowrun_failure_clear free it.
char* owned_text(const std::string& text);

Patience patience_of(int64_t timeout);

// Copies so much of it as the caller knows; his size stays.
template <class T>
void hand_over(const T& made, T* out) {
  if (!out) return;
  const uint64_t size = out->size;
  std::memcpy(out, &made, std::min<uint64_t>(size, sizeof(T)));
  out->size = size;
}

}  // namespace flowrun
