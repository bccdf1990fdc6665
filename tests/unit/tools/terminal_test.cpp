// The terminal's one writer and the folding log, over pipes.

#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <csignal>
#include <future>
#include <string>

#include "runtime/base/clock.h"
#include "tools/flowrun/log.h"
#include "tools/flowrun/signals.h"
#include "tools/flowrun/status_line.h"
#include "tools/flowrun/terminal.h"
#include "tools/flowrun/text.h"

using namespace flowrun;

namespace {

// Which signals this thread blocks, put back at the end; one that waits by then is taken away.
class SignalsKept {
 public:
  SignalsKept() { pthread_sigmask(SIG_SETMASK, nullptr, &before_); }
  ~SignalsKept() {
    constexpr timespec at_once{};
    sigset_t ended;
    sigemptyset(&ended);
    for (const int signal : {SIGINT, SIGTERM}) sigaddset(&ended, signal);
    while (pending(SIGINT) || pending(SIGTERM)) sigtimedwait(&ended, nullptr, &at_once);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  SignalsKept(const SignalsKept&) = delete;
  SignalsKept& operator=(const SignalsKept&) = delete;

  static bool pending(int signal) {
    sigset_t waiting;
    sigpending(&waiting);
    return sigismember(&waiting, signal) == 1;
  }
  static bool blocked(int signal) {
    sigset_t now;
    pthread_sigmask(SIG_SETMASK, nullptr, &now);
    return sigismember(&now, signal) == 1;
  }

 private:
  sigset_t before_{};
};

// Two pipes in place of standard output and standard error.
class Pipes {
 public:
  Pipes() { REQUIRE((pipe(out_.data()) == 0 && pipe(error_.data()) == 0)); }
  ~Pipes() {
    for (const int descriptor : {out_[0], out_[1], error_[0], error_[1]}) ::close(descriptor);
  }
  Terminal::Streams streams(bool status) {
    return {.out = out_[1], .error = error_[1], .status = status};
  }
  std::string out() { return drain(out_[0], out_[1]); }
  std::string error() { return drain(error_[0], error_[1]); }

 private:
  static std::string drain(int from, int to) {
    constexpr char kEnd = '\x04';
    REQUIRE(::write(to, &kEnd, 1) == 1);
    std::string text;
    for (char c = 0; ::read(from, &c, 1) == 1 && c != kEnd;) text += c;
    return text;
  }
  std::array<int, 2> out_{};
  std::array<int, 2> error_{};
};

LogEvent warning(std::string message) {
  return {LogEvent::Level::warning, "readings", std::move(message)};
}

}  // namespace

TEST_CASE("results go to standard output and lines to standard error") {
  Pipes pipes;
  Terminal terminal(pipes.streams(false));
  CHECK(terminal.write("a\nb\n"));
  terminal.line("told");
  terminal.set_status("never seen in a pipe");
  CHECK(pipes.out() == "a\nb\n");
  CHECK(pipes.error() == "told\n");
}

TEST_CASE("the status line leaves before anything is written and comes back after") {
  Pipes pipes;
  {
    Terminal terminal(pipes.streams(true));
    terminal.set_status("epoch 1");
    CHECK(terminal.write("frame\n"));
    terminal.line("line");
  }
  CHECK(pipes.out() == "frame\n");
  const std::string erase = "\r\x1b[K";
  CHECK(pipes.error() == "epoch 1" + erase + "epoch 1" + erase + "line\nepoch 1" + erase);
}

TEST_CASE("a closed standard output is an error that is returned") {
  std::signal(SIGPIPE, SIG_IGN);
  std::array<int, 2> ends{};
  REQUIRE(pipe(ends.data()) == 0);
  ::close(ends[0]);
  Terminal terminal({.out = ends[1], .error = 2});
  const Status written = terminal.write("nobody reads");
  REQUIRE(!written);
  CHECK(written.error().message == "cannot write to standard output: Broken pipe");
  ::close(ends[1]);
}

TEST_CASE("text is clipped at characters, not at bytes") {
  CHECK(clip("naïve · text", 7) == "naïve ·");
  CHECK(clip("short", 80) == "short");
}

TEST_CASE("a line that repeats is written once, then counted every 30 seconds") {
  Pipes pipes;
  Terminal terminal(pipes.streams(false));
  ManualClock clock(0);
  Log log(terminal, clock, {});
  for (int i = 0; i < 1000; ++i) log.event(warning("record " + std::to_string(i) + " is no JSON"));
  log.event(warning("something else"));
  CHECK(pipes.error() == "readings: record 0 is no JSON\nreadings: something else\n");
  clock.advance(Log::kFoldPeriod);
  log.tick();
  CHECK(pipes.error() == "readings: record 999 is no JSON (999 more)\n");
  log.tick();
  CHECK(pipes.error().empty());
}

TEST_CASE("the log stays small when every line is of another kind") {
  Pipes pipes;
  Terminal terminal(pipes.streams(false));
  ManualClock clock(0);
  Log log(terminal, clock, {});
  for (int i = 0; i < 2000; ++i) {
    std::string message = "kind ";
    for (int n = i; n > 0; n /= 26) message += static_cast<char>('a' + n % 26);
    log.event(warning(message));
  }
  const std::string text = pipes.error();
  CHECK(static_cast<size_t>(std::count(text.begin(), text.end(), '\n')) == Log::kMaxKinds + 1);
}

TEST_CASE("quiet keeps warnings, and json is one object a line") {
  Pipes pipes;
  Terminal terminal(pipes.streams(false));
  ManualClock clock(1'700'000'000'123'456);
  Log log(terminal, clock, {.format = LogFormat::json, .quiet = true});
  log.info("nothing of note");
  log.event(warning("a \"quoted\" reason"));
  CHECK(
      pipes.error() ==
      R"({"time":"2023-11-14T22:13:20.123Z","level":"warning","node":"readings","message":"a \"quoted\" reason"})"
      "\n");
}

TEST_CASE("the first signal and the second are told apart") {
  const SignalsKept kept;
  std::promise<int> first, second;
  const SignalWatcher watcher([&](int signal) { first.set_value(signal); },
                              [&](int signal) { second.set_value(signal); });
  REQUIRE(kill(getpid(), SIGINT) == 0);
  CHECK(first.get_future().get() == SIGINT);
  REQUIRE(kill(getpid(), SIGTERM) == 0);
  CHECK(second.get_future().get() == SIGTERM);
}

TEST_CASE("what was asked to end is not killed by a signal that comes after its end") {
  const SignalsKept kept;
  std::promise<int> first;
  {
    const SignalWatcher watcher([&](int signal) { first.set_value(signal); }, [](int) {});
    REQUIRE(kill(getpid(), SIGINT) == 0);
    CHECK(first.get_future().get() == SIGINT);
  }
  REQUIRE(kill(getpid(), SIGINT) == 0);
  CHECK(SignalsKept::pending(SIGINT));
}

TEST_CASE("what ends by itself gives the signals back") {
  const SignalsKept kept;
  {
    const SignalWatcher watcher([](int) {}, [](int) {});
  }
  CHECK_FALSE(SignalsKept::blocked(SIGINT));
}

TEST_CASE("numbers, sizes and times are written for people") {
  CHECK(with_separators(1234567) == "1,234,567");
  CHECK(with_separators(-999) == "-999");
  CHECK(with_separators(-1000) == "-1,000");
  CHECK(size_text(512) == "512 B");
  CHECK(size_text(1258291) == "1.2 MiB");
  CHECK(size_text(256 << 20) == "256 MiB");
  CHECK(plural(1, "epoch") == "1 epoch");
  CHECK(plural(0, "epoch") == "0 epochs");
  CHECK(seconds_text(250'000) == "0.25 s");
}

TEST_CASE("the status line says what runs, and nothing that is not known") {
  Progress progress;
  progress.epoch = 3;
  progress.input_rows_per_second = 1024.4;
  progress.rejected_rows = 10;
  progress.memory_bytes = 1258291;
  CHECK(status_line(progress) == "epoch 3 · 1,024 rec/s · late 0 · rejected 10 · 1.2 MiB");
  progress.lag = 200'000;
  progress.has_watermark = true;
  progress.watermark = 1'772'373'785'000'000;
  CHECK(status_line(progress) ==
        "epoch 3 · 1,024 rec/s · lag 0.2 s · watermark 14:03:05 · late 0 · rejected 10 · 1.2 MiB");
}

TEST_CASE("the summary says how many rows were late, and where") {
  RunSummary summary;
  Progress progress;
  progress.input_rows = 1000;
  progress.late_rows = 12;
  progress.states = {{"per_window", 3, 100, 12}, {"activities", 7, 100, 0}};
  summary.add(progress);
  summary.add(progress);
  CHECK(summary.text("iot", 6'100'000) ==
        "iot: 2 epochs, 2,000 rows in 6.1 s; late: 12 in per_window");
}
