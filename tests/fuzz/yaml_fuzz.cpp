// Pipeline files: no text may break the loader, and what is wrong with it can be shown.
#include "operators/register_all.h"
#include "runtime/config/load.h"

using namespace flowrun;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Registry registry = [] {
    Registry all;
    register_all_operators(all);
    return all;
  }();
  std::string text(reinterpret_cast<const char*>(data), size);
  // Other files are none of this program's business.
  if (text.find("${file") != std::string::npos || text.find("include") != std::string::npos)
    return 0;
  LoadOptions options;
  options.environment = [](const std::string&) { return std::optional<std::string>(); };
  const LoadedPlan loaded = load_plan_text(std::move(text), "fuzz.yaml", registry, options);
  FLOWRUN_CHECK(loaded.plan || !loaded.diagnostics.empty(), "a plan, or the reason why not");
  static_cast<void>(render_text(loaded.diagnostics, loaded.sources));
  return 0;
}
