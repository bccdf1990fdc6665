// From a file, a text or a built document to an engine: the C functions for it.
#include <algorithm>
#include <vector>

#include "runtime/embed/c_builder.h"
#include "runtime/embed/c_failure.h"

using namespace flowrun;

namespace {

// A clock whose functions are the host's.
class HostClock final : public Clock {
 public:
  explicit HostClock(const flowrun_clock& clock) : clock_(clock) {}
  [[nodiscard]] int64_t now() const override { return clock_.now(clock_.context); }
  [[nodiscard]] int64_t monotonic() const override { return clock_.monotonic(clock_.context); }

 private:
  flowrun_clock clock_;
};

class HostConsole final : public Output {
 public:
  HostConsole(void (*writer)(void*, const char*, uint64_t), void* context)
      : write_(writer), context_(context) {}
  Status write(std::string_view text) override {
    write_(context_, text.data(), text.size());
    return ok_status();
  }

 private:
  void (*write_)(void*, const char*, uint64_t);
  void* context_;
};

std::vector<std::string> texts_of(const char* const* texts, uint64_t count) {
  return {texts, texts + count};
}

int32_t level_of(LogEvent::Level level) {
  switch (level) {
    case LogEvent::Level::info:
      return FLOWRUN_LOG_INFO;
    case LogEvent::Level::warning:
      return FLOWRUN_LOG_WARNING;
    case LogEvent::Level::error:
      return FLOWRUN_LOG_ERROR;
  }
  return FLOWRUN_LOG_ERROR;
}

}  // namespace

namespace {

HostSettings host_settings(const flowrun_settings* given) {
  const auto settings = given ? known_part<flowrun_settings>(given) : flowrun_settings{};
  HostSettings host;
  host.pipeline.set = texts_of(settings.set, settings.num_set);
  host.pipeline.only = texts_of(settings.only, settings.num_only);
  host.pipeline.plugins = texts_of(settings.plugins, settings.num_plugins);
  // The host's environment is not ours to read.
  host.plugin_path.said_by = "the settings' plugin_folders";
  for (std::string& folder : texts_of(settings.plugin_folders, settings.num_plugin_folders)) {
    if (folder.starts_with('/')) host.plugin_path.folders.push_back(std::move(folder));
  }
  if (settings.registry) host.registry = settings.registry->registry;
  EngineOptions& engine = host.engine;
  if (settings.threads > 0) engine.threads = settings.threads;
  engine.stepped = settings.stepped != 0;
  if (settings.memory > 0) engine.memory = settings.memory;
  if (settings.epochs > 0) engine.epochs = settings.epochs;
  if (settings.run_for > 0) engine.run_for = settings.run_for;
  if (settings.clock) {
    host.clock = std::make_unique<HostClock>(known_part<flowrun_clock>(settings.clock));
    engine.clock = host.clock.get();
  }
  if (settings.on_console) {
    host.console = std::make_unique<HostConsole>(settings.on_console, settings.context);
    engine.console = host.console.get();
  }
  if (settings.on_log) {
    engine.on_log = [log = settings.on_log, context = settings.context](const LogEvent& event) {
      log(context, level_of(event.level), event.node.c_str(), event.message.c_str());
    };
  }
  if (settings.on_progress) {
    engine.on_progress = [tell = settings.on_progress,
                          context = settings.context](const Progress& progress) {
      const flowrun_progress made = progress_of(progress);
      tell(context, &made);
    };
  }
  return host;
}

}  // namespace

namespace flowrun {

flowrun_progress progress_of(const Progress& progress) {
  flowrun_progress made{};
  made.size = sizeof(made);
  made.epoch = progress.epoch;
  made.timestamp = progress.timestamp;
  made.input_rows = progress.input_rows;
  made.input_rows_per_second = progress.input_rows_per_second;
  made.processed_rows_per_second = progress.processed_rows_per_second;
  made.read_duration = progress.read_duration;
  made.absorb_duration = progress.absorb_duration;
  made.close_duration = progress.close_duration;
  made.commit_duration = progress.commit_duration;
  made.total_duration = progress.total_duration;
  made.watermark = progress.watermark;
  made.has_watermark = progress.has_watermark ? 1 : 0;
  made.late_rows = progress.late_rows;
  made.rejected_rows = progress.rejected_rows;
  made.state_rows = progress.state_rows;
  made.state_bytes = progress.state_bytes;
  made.memory_bytes = progress.memory_bytes;
  made.lag = progress.lag;
  return made;
}

}  // namespace flowrun

struct flowrun_diagnostics {
  Diagnostics list;
  std::string text;
};

namespace {

flowrun_code load(HostSettings settings, flowrun_engine** engine, flowrun_diagnostics** diagnostics,
                  flowrun_failure* failure) {
  if (diagnostics) *diagnostics = nullptr;
  if (!engine) return write_failure(Error::invalid("there is no place for the engine"), failure);
  *engine = nullptr;
  auto made = std::make_unique<HostEngine>(std::move(settings));
  const bool loaded = made->load();
  if (diagnostics)
    *diagnostics = new flowrun_diagnostics{made->diagnostics(), made->diagnostics_text()};
  if (loaded) {
    *engine = new flowrun_engine{std::move(made)};
    return FLOWRUN_OK;
  }
  const auto first =
      std::ranges::find(made->diagnostics(), Diagnostic::Severity::error, &Diagnostic::severity);
  Error error = Error::invalid(first->message).at(first->position);
  if (!first->node.empty()) error = std::move(error).within(first->node);
  const flowrun_code code = write_failure(error, failure);
  if (failure && !first->node.empty()) {
    auto known = known_part<flowrun_failure>(failure);
    known.node = owned_text(first->node);
    hand_over(known, failure);
  }
  return code;
}

}  // namespace

flowrun_code flowrun_load_file(const char* path, const flowrun_settings* settings,
                               flowrun_engine** engine, flowrun_diagnostics** diagnostics,
                               flowrun_failure* failure) {
  HostSettings host = host_settings(settings);
  host.pipeline.file = path;
  return load(std::move(host), engine, diagnostics, failure);
}

flowrun_code flowrun_load_text(const char* text, uint64_t size, const char* name,
                               const flowrun_settings* settings, flowrun_engine** engine,
                               flowrun_diagnostics** diagnostics, flowrun_failure* failure) {
  HostSettings host = host_settings(settings);
  host.pipeline.file = name;
  host.pipeline.text = std::string(text, size);
  return load(std::move(host), engine, diagnostics, failure);
}

flowrun_code flowrun_load_built(const flowrun_builder* builder, const char* name,
                                const flowrun_settings* settings, flowrun_engine** engine,
                                flowrun_diagnostics** diagnostics, flowrun_failure* failure) {
  HostSettings host = host_settings(settings);
  host.pipeline.file = name;
  host.pipeline.document = builder->document();
  return load(std::move(host), engine, diagnostics, failure);
}

uint64_t flowrun_diagnostics_count(const flowrun_diagnostics* diagnostics) {
  return diagnostics ? diagnostics->list.size() : 0;
}

void flowrun_diagnostics_get(const flowrun_diagnostics* diagnostics, uint64_t index,
                             flowrun_diagnostic* diagnostic) {
  const Diagnostic& found = diagnostics->list[index];
  flowrun_diagnostic made{};
  made.severity = found.severity == Diagnostic::Severity::error ? FLOWRUN_ERROR : FLOWRUN_WARNING;
  made.line = found.position.line;
  made.column = found.position.column;
  made.length = found.position.length;
  made.message = found.message.c_str();
  made.node = found.node.c_str();
  made.file = found.position.file ? found.position.file->c_str() : "";
  hand_over(made, diagnostic);
}

const char* flowrun_diagnostics_text(const flowrun_diagnostics* diagnostics) {
  return diagnostics ? diagnostics->text.c_str() : "";
}

void flowrun_diagnostics_release(flowrun_diagnostics* diagnostics) { delete diagnostics; }

flowrun_registry* flowrun_registry_new(void) {
  return new flowrun_registry{std::make_shared<HostRegistry>()};
}

void flowrun_registry_release(flowrun_registry* registry) { delete registry; }

flowrun_code flowrun_registry_add(flowrun_registry* registry, const flowrun_plugin* plugin,
                                  void (*release)(void* context), void* context,
                                  flowrun_failure* failure) {
  std::function<void()> released;
  if (release) released = [release, context] { release(context); };
  return answer(registry->registry->add(*plugin, std::move(released)), failure);
}
