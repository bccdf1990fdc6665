// One component for each ability of a plugin that the examples do not use.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <flowrun/plugin.hpp>
#include <stdexcept>
#include <string>
#include <thread>

using namespace flowrun::plugin;

namespace {

Batch one_text(const std::string& text) {
  Builder<std::string_view> texts;
  texts.append(text);
  return Batch({texts.finish()});
}

void say(const std::string& text) {
  std::printf("%s\n", text.c_str());
  std::fflush(stdout);
}

// Gives a row, then says so and never comes back from read, whatever it is told.
class Stuck final : public Source {
 public:
  static Spec spec() { return Spec("stuck", "Does not end."); }
  explicit Stuck(const Options&) {}
  Schema bind() override { return {{"text", types::string()}}; }
  void open(std::optional<std::string>) override {}
  Chunk read(int64_t) override {
    if (given_) say("stuck");
    while (given_) std::this_thread::sleep_for(std::chrono::hours(1));
    given_ = true;
    Chunk chunk;
    chunk.rows = one_text("before");
    chunk.offset = "1";
    return chunk;
  }

 private:
  bool given_ = false;
};

// Gives a row at each read, for ever.
class Ticking final : public Source {
 public:
  static Spec spec() { return Spec("ticking", "Ticks."); }
  explicit Ticking(const Options&) {}
  Schema bind() override { return {{"text", types::string()}}; }
  void open(std::optional<std::string>) override {}
  Chunk read(int64_t) override {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    Chunk chunk;
    chunk.rows = one_text("tick");
    chunk.offset = std::to_string(++ticks_);
    return chunk;
  }

 private:
  int64_t ticks_ = 0;
};

// Commits an epoch and says so; in the next one it never comes back from `in`, whatever it is told.
class StuckSink : public Sink {
 public:
  static Spec spec_of(const char* name) {
    return Spec(name, "Does not come back.").option(word("in", {"write", "commit"}, "from what"));
  }
  explicit StuckSink(const Options& options) : in_(options.text("in")) {}
  void bind(const Schema&, const flowrun_sink_input&) override {}
  void open(std::optional<std::string>) override {}
  void write(int64_t, const Batch&) override { stay("write"); }
  void commit(int64_t epoch, const std::string&) override {
    stay("commit");
    say("committed " + std::to_string(epoch));
    committed_ = true;
  }

 private:
  void stay(const std::string& call) const {
    if (!committed_ || call != in_) return;
    say("stuck");
    while (true) std::this_thread::sleep_for(std::chrono::hours(1));
  }

  std::string in_;
  bool committed_ = false;
};

class StuckBlocking final : public StuckSink {
 public:
  static Spec spec() { return spec_of("stuck_blocking"); }
  using StuckSink::StuckSink;
};

class StuckInline final : public StuckSink {
 public:
  static Spec spec() { return spec_of("stuck_inline"); }
  using StuckSink::StuckSink;
};

// What a probe comes to, by choice; to open it is told on standard output.
template <class Kind>
class Probed : public Kind {
 public:
  static Spec spec() {
    return Spec("probed", "Can be probed.")
        .option(word("how", {"well", "absent", "throws", "unsure", "mute"}, "What is found."));
  }
  explicit Probed(const Options& options) : how_(options.text("how")) {}
  void open(std::optional<std::string>) override { say("the peer was opened"); }
  void cancel() override { cancelled_ = true; }
  void probe() override {
    if (how_ == "absent") throw Error::unavailable("nobody is there");
    if (how_ == "throws") throw std::runtime_error("probe went wrong");
    if (how_ == "unsure") throw Error(FLOWRUN_CANCELLED, "there is no telling");
    while (how_ == "mute" && !cancelled_)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    if (cancelled_) throw Error::cancelled();
  }

 private:
  std::string how_;
  std::atomic<bool> cancelled_{false};
};

class ProbedSource final : public Probed<Source> {
 public:
  using Probed::Probed;
  Schema bind() override { return {{"text", types::string()}}; }
  Chunk read(int64_t) override {
    Chunk chunk;
    chunk.mark = FLOWRUN_STREAM_ENDS;
    return chunk;
  }
};

class ProbedSink final : public Probed<Sink> {
 public:
  using Probed::Probed;
  void bind(const Schema&, const flowrun_sink_input&) override {}
  void write(int64_t, const Batch&) override {}
  void commit(int64_t, const std::string&) override {}
};

// Gives one row and rejects two records.
class Rejecting final : public Source {
 public:
  static Spec spec() { return Spec("rejecting", "Rejects records.").port("errors"); }
  explicit Rejecting(const Options&) {}
  Schema bind() override { return {{"text", types::string()}, {"unread", types::bigint()}}; }
  void narrow(const std::vector<bool>& wanted) override { unread_wanted_ = wanted[1]; }
  void open(std::optional<std::string>) override {}
  Chunk read(int64_t) override {
    Chunk chunk;
    Builder<std::string_view> texts;
    texts.append(unread_wanted_ ? "all" : "narrowed");
    chunk.rows = Batch({texts.finish(), nulls(1, types::bigint())});
    chunk.offset = "1";
    chunk.mark = FLOWRUN_STREAM_ENDS;
    chunk.rejected = {{"a peer", "line 1", "too odd", "one"}, {"a peer", "line 2", "odd", "two"}};
    return chunk;
  }

 private:
  bool unread_wanted_ = true;
};

// Keeps rows until the epoch closes; then nulls of x go to port `empty` and count as late.
class Parted final : public Stateful {
 public:
  static Spec spec() {
    return Spec("parted", "Parts rows when the epoch closes.")
        .primary(column("parted", "A double.").required())
        .port("empty");
  }
  explicit Parted(const Options& options) : name_(options.text("parted")) {}
  Schema bind(const Schema& input) override {
    column_ = input.find(name_, types::double_(), "parted");
    return {{"x", types::double_()}};
  }
  std::vector<Schema> bind_ports(const Schema&) override { return {{{"reason", types::string()}}}; }
  void process(Batch batch, const Epoch&, Emitter& out) override {
    const auto values = batch.values<double>(column_);
    Builder<double> kept;
    for (int64_t i = 0; i < batch.num_rows(); ++i) {
      if (values.is_null(i))
        ++empty_;
      else
        kept.append(values[i]);
    }
    if (kept.size() > 0) out.emit(Batch({kept.finish()}));
  }
  void close(const Epoch&, Emitter& out) override {
    for (; empty_ > 0; --empty_) {
      out.count_late(1);
      out.emit(one_text("no x"), 1);
    }
  }
  void save(Writer&) const override {}
  void load(Reader&) override {}

 private:
  std::string name_;
  size_t column_ = 0;
  int64_t empty_ = 0;
};

// Adds a column that tells which columns of it are read.
class Wanted final : public Transform {
 public:
  static Spec spec() { return Spec("wanted", "Tells what is wanted."); }
  explicit Wanted(const Options&) {}
  Schema bind(const Schema& input) override { return input.with({"wanted", types::string()}); }
  void narrow(const std::vector<bool>& wanted, std::vector<bool>& read) override {
    for (const bool one : wanted) wanted_ += one ? '1' : '0';
    for (size_t i = 0; i < read.size(); ++i) read[i] = wanted[i];
  }
  void apply(Batch batch, const Epoch&, Emitter& out) const override {
    Builder<std::string_view> told;
    for (int64_t i = 0; i < batch.num_rows(); ++i) told.append(wanted_);
    batch.add(told.finish());
    out.emit(std::move(batch));
  }

 private:
  std::string wanted_;
};

}  // namespace

FLOWRUN_PLUGIN("able", "1.0.0", source<Stuck>(), source<Rejecting>(FLOWRUN_SOURCE_FINITE),
               source<Ticking>(), source<ProbedSource>(), sink<ProbedSink>(),
               sink<StuckBlocking>(FLOWRUN_APPEND, FLOWRUN_SINK_BLOCKS), sink<StuckInline>(),
               stateful<Parted>("the rows of an epoch", true), transform<Wanted>())
