// flowrun inside a C++20 program; docs/embedding.md.
//
//   #include <flowrun/flowrun.h>
//
//   auto engine = flowrun::Engine::from_file("pipelines/iot.yaml");
//   if (!engine) return fail(engine.status().text());
//   auto done = engine->start();
//   if (done) done = engine->wait();
//
// Made of flowrun_c.h alone, header-only: what a program links with are C functions, so that it
// keeps running with later libraries. Builds without exceptions and RTTI; includes nothing but the
// standard library. The rules on threads and lifetimes are those of flowrun_c.h.
#ifndef FLOWRUN_H
#define FLOWRUN_H

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "embed/batch.h"
#include "embed/builder.h"
#include "embed/operators.h"
#include "embed/ports.h"
#include "embed/rows.h"
#include "embed/status.h"

namespace flowrun {
inline namespace api_v1 {

using Progress = flowrun_progress;
enum class LogLevel : int32_t { info, warning, error };
enum class State : int32_t { loaded, running, ended, failed };

// One thing to say about a pipeline.
struct Diagnostic {
  enum class Severity : int32_t { error, warning } severity = Severity::error;
  std::string message;
  std::string node;  // empty: about none
  std::string file;
  int line = 0;  // from 1; 0: not known
  int column = 0;
  int length = 0;
};
struct Diagnostics {
  std::vector<Diagnostic> list;
  std::string text;  // all of them for people
};

// The program's own clock, in microseconds.
struct Clock {
  virtual ~Clock() = default;
  virtual int64_t now() = 0;        // since 1970, UTC
  virtual int64_t monotonic() = 0;  // never runs back
};

// What a program changes in a pipeline and how it is run. The functions are called from the
// engine's threads and must not block.
struct Settings {
  std::vector<std::string> set;      // "node.option=value" or "key=value"
  std::vector<std::string> only;     // the sinks to run; none: all
  std::vector<std::string> plugins;  // libraries
  // Absolute folders in which plugins named by a word are looked for; the environment is not read.
  std::vector<std::string> plugin_folders;
  const Registry* registry = nullptr;
  int threads = 0;       // 0: as the pipeline says, or one per core
  bool stepped = false;  // no threads: the program calls step()
  int64_t memory = 0;    // bytes; 0: as the pipeline says, or 256 MiB
  int64_t epochs = 0;    // 0: no bound
  Wait run_for{0};       // 0: no bound
  Clock* clock = nullptr;
  std::function<void(LogLevel, std::string_view node, std::string_view message)> on_log;
  std::function<void(const Progress&)> on_progress;
  std::function<void(std::string_view text)> on_console;
};

struct Step {
  bool made_epoch = false;
  bool ended = false;
  Wait next_wake{0};  // step again after so long, even if nothing woke wake_fd()
};

// A live table as it stood after an epoch.
struct Table {
  std::vector<Batch> batches;
  int64_t epoch = -1;
  int64_t num_rows = 0;
  int64_t dropped_rows = 0;
};

// What a statement may cost, and what came of it.
struct SqlOptions {
  int64_t max_rows = 0;             // 0: all
  Wait time_limit{0};               // 0: no bound
  std::function<bool()> cancelled;  // asked now and then on the caller's thread
};
struct SqlAnswer {
  Schema schema;
  std::vector<Batch> batches;
  int64_t num_rows = 0;
  bool more = false;  // there were more than max_rows
};

// One pipeline, from its text to its end. Moves only; thread-safe otherwise. Destroyed in any
// state, it stops and waits for the end.
class Engine {
 public:
  // Everything there is to say about the pipeline, warnings too, is in *diagnostics.
  static Result<Engine> from_file(const std::string& path, Settings settings = {},
                                  Diagnostics* diagnostics = nullptr) {
    return make(std::move(settings), diagnostics,
                [&](const auto* raw, auto** engine, auto** found, auto* failure) {
                  return flowrun_load_file(path.c_str(), raw, engine, found, failure);
                });
  }
  static Result<Engine> from_text(std::string_view text, Settings settings = {},
                                  Diagnostics* diagnostics = nullptr,
                                  const std::string& name = "pipeline") {
    return make(std::move(settings), diagnostics,
                [&](const auto* raw, auto** engine, auto** found, auto* failure) {
                  return flowrun_load_text(text.data(), text.size(), name.c_str(), raw, engine,
                                           found, failure);
                });
  }
  static Result<Engine> from(const Builder& builder, Settings settings = {},
                             Diagnostics* diagnostics = nullptr,
                             const std::string& name = "pipeline") {
    const std::unique_ptr<flowrun_builder, void (*)(flowrun_builder*)> built(
        flowrun_builder_new(), flowrun_builder_release);
    builder.write(built.get());
    return make(std::move(settings), diagnostics,
                [&](const auto* raw, auto** engine, auto** found, auto* failure) {
                  return flowrun_load_built(built.get(), name.c_str(), raw, engine, found, failure);
                });
  }

  Status start() {
    detail::Failure failure;
    return failure.status(flowrun_engine_start(get(), failure.get()));
  }
  Status wait(Wait patience = kForever) {
    detail::Failure failure;
    return failure.status(flowrun_engine_wait(get(), patience.count(), failure.get()));
  }
  void stop() { flowrun_engine_stop(get()); }
  Status drain(Wait patience = kForever) {
    detail::Failure failure;
    return failure.status(flowrun_engine_drain(get(), patience.count(), failure.get()));
  }
  State state() const { return static_cast<State>(flowrun_engine_state(get())); }
  Status outcome() const {
    detail::Failure failure;
    return failure.status(flowrun_engine_outcome(get(), failure.get()));
  }

  // With Settings::stepped.
  Result<Step> step(Wait patience = kNow) {
    detail::Failure failure;
    flowrun_step raw{};
    raw.size = sizeof(raw);
    const flowrun_code code = flowrun_engine_step(get(), patience.count(), &raw, failure.get());
    if (code != FLOWRUN_OK) return failure.status(code);
    return Step{raw.made_epoch != 0, raw.ended != 0, Wait(raw.next_wake)};
  }
  int wake_fd() const { return flowrun_engine_wake_fd(get()); }

  Result<Push> push(const std::string& node) {
    detail::Failure failure;
    flowrun_push* raw = nullptr;
    const flowrun_code code = flowrun_push_open(get(), node.c_str(), &raw, failure.get());
    if (code != FLOWRUN_OK) return failure.status(code);
    return Push(raw);
  }
  Result<Pull> pull(const std::string& node) {
    detail::Failure failure;
    flowrun_pull* raw = nullptr;
    const flowrun_code code = flowrun_pull_open(get(), node.c_str(), 0, &raw, failure.get());
    if (code != FLOWRUN_OK) return failure.status(code);
    return Pull(raw);
  }
  template <class Row>
  Result<RowPush<Row>> push_rows(const std::string& node) {
    auto opened = push(node);
    if (!opened) return opened.status();
    return RowPush<Row>::of(std::move(*opened));
  }
  template <class Row>
  Result<RowPull<Row>> pull_rows(const std::string& node) {
    auto opened = pull(node);
    if (!opened) return opened.status();
    return RowPull<Row>::of(std::move(*opened));
  }

  Result<Table> table(const std::string& name) const {
    detail::Failure failure;
    ArrowArrayStream stream{};
    flowrun_table_info info{};
    info.size = sizeof(info);
    const flowrun_code code =
        flowrun_engine_table(get(), name.c_str(), 0, &stream, &info, failure.get());
    if (code != FLOWRUN_OK) return failure.status(code);
    Table table{{}, info.epoch, info.num_rows, info.dropped_rows};
    const auto taken = take_batches(stream, table.batches);
    if (!taken) return taken.status();
    return table;
  }
  // One SELECT over the live tables, as of one epoch, and the static ones; on this thread, while
  // the engine goes on. A failure's line and column are the statement's. Code::cancelled: it took
  // too long.
  Result<SqlAnswer> sql(const std::string& statement, const SqlOptions& options = {}) const {
    flowrun_sql_options raw{};
    raw.size = sizeof(raw);
    raw.max_rows = options.max_rows;
    raw.time_limit = options.time_limit.count();
    if (options.cancelled) {
      raw.cancelled = [](void* context) {
        return (*static_cast<const std::function<bool()>*>(context))() ? 1 : 0;
      };
      raw.context = const_cast<std::function<bool()>*>(&options.cancelled);
    }
    detail::Failure failure;
    ArrowArrayStream stream{};
    flowrun_sql_info info{};
    info.size = sizeof(info);
    const flowrun_code code =
        flowrun_engine_sql(get(), statement.c_str(), &raw, &stream, &info, failure.get());
    if (code != FLOWRUN_OK) return failure.status(code);
    SqlAnswer answer{{}, {}, info.num_rows, info.more != 0};
    auto schema = take_batches(stream, answer.batches);
    if (!schema) return schema.status();
    answer.schema = *schema;
    return answer;
  }
  // The same as structs or tuples; columns are found by name.
  template <class Row>
  Result<std::vector<Row>> sql_rows(const std::string& statement,
                                    const SqlOptions& options = {}) const {
    auto answer = sql(statement, options);
    if (!answer) return answer.status();
    std::vector<Row> rows;
    for (const Batch& batch : answer->batches) {
      auto some = rows_of<Row>(batch);
      if (!some) return some.status();
      for (Row& row : *some) rows.push_back(std::move(row));
    }
    return rows;
  }
  Result<Progress> progress() const {
    detail::Failure failure;
    Progress progress{};
    progress.size = sizeof(progress);
    const flowrun_code code = flowrun_engine_progress(get(), &progress, failure.get());
    if (code != FLOWRUN_OK) return failure.status(code);
    return progress;
  }
  std::string progress_json() const { return detail::owned(flowrun_engine_progress_json(get())); }
  std::string explain() const { return detail::owned(flowrun_engine_explain(get())); }
  std::string name() const { return flowrun_engine_name(get()); }

 private:
  explicit Engine(std::unique_ptr<Settings> settings) : settings_(std::move(settings)) {}
  flowrun_engine* get() const { return engine_.get(); }

  // All that is in the stream, which is released; gives its schema.
  static Result<Schema> take_batches(ArrowArrayStream& stream, std::vector<Batch>& batches) {
    ArrowSchema raw{};
    stream.get_schema(&stream, &raw);
    Schema schema(&raw);
    ArrowArray array{};
    int failed = 0;
    while ((failed = stream.get_next(&stream, &array)) == 0 && array.release)
      batches.emplace_back(schema, &array);
    Status status;
    if (failed != 0) status = Status(Code::invalid, stream.get_last_error(&stream));
    stream.release(&stream);
    if (!status) return status;
    return schema;
  }

  template <class Load>
  static Result<Engine> make(Settings settings, Diagnostics* diagnostics, Load load);
  static Diagnostics read(const flowrun_diagnostics* found);
  static std::vector<const char*> pointers(const std::vector<std::string>& texts) {
    std::vector<const char*> raw;
    for (const std::string& text : texts) raw.push_back(text.c_str());
    return raw;
  }

  struct Destroy {
    void operator()(flowrun_engine* engine) const { flowrun_engine_destroy(engine); }
  };
  std::unique_ptr<Settings> settings_;  // before the engine, which calls what is in it
  std::unique_ptr<flowrun_engine, Destroy> engine_;
};

template <class Load>
Result<Engine> Engine::make(Settings given, Diagnostics* diagnostics, Load load) {
  Engine made(std::make_unique<Settings>(std::move(given)));
  Settings& settings = *made.settings_;
  const auto set = pointers(settings.set);
  const auto only = pointers(settings.only);
  const auto plugins = pointers(settings.plugins);
  const auto plugin_folders = pointers(settings.plugin_folders);
  flowrun_clock clock{};
  clock.size = sizeof(clock);
  clock.context = settings.clock;
  clock.now = [](void* context) { return static_cast<Clock*>(context)->now(); };
  clock.monotonic = [](void* context) { return static_cast<Clock*>(context)->monotonic(); };
  flowrun_settings raw{};
  raw.size = sizeof(raw);
  raw.set = set.data();
  raw.num_set = set.size();
  raw.only = only.data();
  raw.num_only = only.size();
  raw.plugins = plugins.data();
  raw.num_plugins = plugins.size();
  raw.plugin_folders = plugin_folders.data();
  raw.num_plugin_folders = plugin_folders.size();
  raw.registry = settings.registry ? settings.registry->get() : nullptr;
  raw.threads = settings.threads;
  raw.stepped = settings.stepped ? 1 : 0;
  raw.memory = settings.memory;
  raw.epochs = settings.epochs;
  raw.run_for = settings.run_for.count();
  raw.clock = settings.clock ? &clock : nullptr;
  raw.context = &settings;
  if (settings.on_log) {
    raw.on_log = [](void* context, int32_t level, const char* node, const char* message) {
      static_cast<Settings*>(context)->on_log(static_cast<LogLevel>(level), node, message);
    };
  }
  if (settings.on_progress) {
    raw.on_progress = [](void* context, const flowrun_progress* progress) {
      static_cast<Settings*>(context)->on_progress(*progress);
    };
  }
  if (settings.on_console) {
    raw.on_console = [](void* context, const char* text, uint64_t size) {
      static_cast<Settings*>(context)->on_console({text, size});
    };
  }
  detail::Failure failure;
  flowrun_engine* engine = nullptr;
  flowrun_diagnostics* found = nullptr;
  const flowrun_code code = load(&raw, &engine, &found, failure.get());
  made.engine_.reset(engine);
  if (diagnostics) *diagnostics = read(found);
  flowrun_diagnostics_release(found);
  if (code != FLOWRUN_OK) return failure.status(code);
  return made;
}

inline Diagnostics Engine::read(const flowrun_diagnostics* found) {
  Diagnostics diagnostics;
  for (uint64_t i = 0; i < flowrun_diagnostics_count(found); ++i) {
    flowrun_diagnostic raw{};
    raw.size = sizeof(raw);
    flowrun_diagnostics_get(found, i, &raw);
    diagnostics.list.push_back({static_cast<Diagnostic::Severity>(raw.severity), raw.message,
                                raw.node, raw.file, raw.line, raw.column, raw.length});
  }
  diagnostics.text = flowrun_diagnostics_text(found);
  return diagnostics;
}

}  // namespace api_v1
}  // namespace flowrun

#endif
