// flowrun test: pipelines run on the rows of their tests, in virtual time, and what they give is
// compared.

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "runtime/base/clock.h"
#include "runtime/embed/pipeline.h"
#include "tools/flowrun/commands.h"
#include "tools/flowrun/plugin_path.h"
#include "tools/flowrun/signals.h"
#include "tools/flowrun/terminal.h"
#include "tools/flowrun/test_report.h"
#include "tools/flowrun/test_update.h"
#include "tools/flowrun/text.h"

namespace flowrun {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kWatchPause{300};

Status write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  if (!file.flush()) return Error::from_errno("cannot write " + path, errno);
  return ok_status();
}

// The tests under a folder, or the one that a pipeline or a test file names.
Result<std::vector<std::string>> find_tests(const std::vector<std::string>& places) {
  std::set<std::string> found;
  for (const std::string& place : places) {
    std::error_code failure;
    if (!fs::is_directory(place, failure)) {
      const bool is_test = place.ends_with(kTestSuffix);
      const std::string stem = place.substr(0, place.rfind(".yaml"));
      found.insert(is_test || !place.ends_with(".yaml") ? place : stem + std::string(kTestSuffix));
      continue;
    }
    const size_t before = found.size();
    for (fs::recursive_directory_iterator entry(place, failure), end; !failure && entry != end;
         entry.increment(failure)) {
      const std::string path = entry->path().lexically_normal().string();
      if (path.ends_with(kTestSuffix)) found.insert(path);
    }
    if (failure) return Error::io("cannot read " + place + ": " + failure.message());
    if (found.size() == before)
      return Error::invalid("there is no *.test.yaml in " + place +
                            " — write one beside its pipeline, `flowrun test --update` fills it");
  }
  return std::vector<std::string>(found.begin(), found.end());
}

class TestRun {
 public:
  TestRun(const TestCommand& command, Terminal& terminal)
      : command_(command), terminal_(terminal) {}

  TestResult run(const std::string& file);
  // Files that the tests read, to be watched.
  [[nodiscard]] const std::set<std::string>& read_files() const { return read_; }

 private:
  void run_pipeline(const PipelineTest& test, TestResult& result);
  void refuse(TestResult& result, Diagnostics& diagnostics, const SourceTexts& sources) const;
  void update(const PipelineTest& test, const TestScript& script, TestResult& result);

  const TestCommand& command_;
  Terminal& terminal_;
  SourceTexts sources_;
  std::set<std::string> read_;
};

void TestRun::refuse(TestResult& result, Diagnostics& diagnostics,
                     const SourceTexts& sources) const {
  put_in_order(diagnostics);
  result.refused = true;
  result.failures.push_back(render_text(
      diagnostics, sources, {.colors = terminal_.colours(), .outcome = "the test did not run"}));
}

TestResult TestRun::run(const std::string& file) {
  TestResult result;
  result.file = file;
  const int64_t started = system_clock().monotonic();
  Diagnostics diagnostics;
  sources_ = {};
  read_.insert(file);
  if (const auto test = read_pipeline_test(file, diagnostics, sources_)) {
    run_pipeline(*test, result);
  } else {
    refuse(result, diagnostics, sources_);
  }
  result.duration = system_clock().monotonic() - started;
  return result;
}

void TestRun::run_pipeline(const PipelineTest& test, TestResult& result) {
  read_.insert(test.pipeline);
  TestScript script(test);
  Pipeline pipeline(plugin_path());
  PipelineChanges changes;
  changes.operators = [&script](const Registry& real) { return script.operators(real); };
  const bool loaded = pipeline.load(
      {.file = test.pipeline, .set = test.set, .only = {}, .plugins = command_.plugins},
      script.engine_options(), changes);
  for (const std::string& path : pipeline.files()) read_.insert(path);
  if (!loaded) {
    result.refused = true;
    result.failures.push_back(pipeline.diagnostics_text(terminal_.colours()));
    return;
  }
  Diagnostics diagnostics;
  script.check_inputs(diagnostics);
  if (!diagnostics.empty()) return refuse(result, diagnostics, sources_);
  const Status done = pipeline.engine().run();
  result.simulated = script.elapsed();
  if (!done) {
    result.failures.push_back("  " + done.error().message + "\n");
    return;
  }
  result.failures = compare(test, script, diagnostics);
  if (command_.update &&
      !(result.failures.empty() && diagnostics.empty() && !test.expected.empty()))
    return update(test, script, result);
  if (diagnostics.empty()) return;
  result.failures.clear();
  refuse(result, diagnostics, sources_);
}

void TestRun::update(const PipelineTest& test, const TestScript& script, TestResult& result) {
  result.failures.clear();
  const std::string text = updated_text(test, script);
  if (text == test.text) return;
  if (const Status written = write_file(test.file, text); !written) {
    result.failures.push_back("  " + written.error().message + "\n");
    return;
  }
  static_cast<void>(terminal_.write(test.file + ": updated\n" + line_diff(test.text, text)));
}

std::string summary_of(const TestResult& result) {
  if (!result.passed())
    return fmt::format("{}: {}\n", result.file, result.refused ? "refused" : "failed");
  return fmt::format("{}: passed ({} in {} ms)\n", result.file,
                     fmt::format("{:g} s", static_cast<double>(result.simulated) / 1e6),
                     result.duration / 1000);
}

// Runs all tests once; the exit code.
int run_all(const TestCommand& command, Terminal& terminal, TestRun& run) {
  const auto report = [&](const Error& error) {
    terminal.line(error.message);
    return kExitRefused;
  };
  const auto tests = find_tests(command.places);
  if (!tests) return report(tests.error());
  std::vector<TestResult> results;
  size_t passed = 0;
  int exit_code = kExitDone;
  for (const std::string& test : *tests) {
    results.push_back(run.run(test));
    const TestResult& result = results.back();
    std::string text = summary_of(result);
    for (const std::string& failure : result.failures) text += failure;
    if (const Status written = terminal.write(text); !written) return report(written.error());
    if (result.passed()) ++passed;
    if (!result.passed())
      exit_code = std::max(exit_code, result.refused ? kExitRefused : kExitFailed);
  }
  const size_t failed = results.size() - passed;
  if (Status written = terminal.write(fmt::format("{} passed, {} failed\n", passed, failed));
      !written)
    return report(written.error());
  if (!command.junit.empty()) {
    if (const Status written = write_file(command.junit, junit_xml(results)); !written)
      return report(written.error());
  }
  return exit_code;
}

// When the files were changed last, and how many there are.
std::pair<fs::file_time_type, size_t> newest(const TestCommand& command,
                                             const std::set<std::string>& files) {
  fs::file_time_type latest = fs::file_time_type::min();
  std::error_code failure;
  for (const std::string& file : files) {
    const fs::file_time_type time = fs::last_write_time(file, failure);
    if (!failure) latest = std::max(latest, time);
  }
  const auto tests = find_tests(command.places);
  return {latest, tests ? tests->size() : 0};
}

}  // namespace

int execute(const TestCommand& command) {
  Terminal terminal(Terminal::standard());
  TestRun run(command, terminal);
  if (!command.watch) return run_all(command, terminal, run);
  std::atomic<bool> stopped = false;
  const SignalWatcher signals([&](int) { stopped = true; }, [](int) { std::_Exit(kExitDone); });
  while (!stopped) {
    run_all(command, terminal, run);
    terminal.line("watching; Ctrl-C ends");
    const auto before = newest(command, run.read_files());
    while (!stopped && newest(command, run.read_files()) == before)
      std::this_thread::sleep_for(kWatchPause);
  }
  return kExitDone;
}

}  // namespace flowrun
