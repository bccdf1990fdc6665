#include "runtime/embed/host_engine.h"

#include <charconv>
#include <chrono>
#include <system_error>

#include "runtime/base/check.h"
#include "runtime/columnar/builder.h"
#include "runtime/format/show.h"
#include "runtime/format/time_zone.h"

namespace flowrun {

namespace {

// How often sources that cannot wake a stepped engine are looked at, in microseconds.
constexpr int64_t kPoll = 10'000;
// A push or pull holds so much of `memory:` beside what is in flight: one part of so many.
constexpr int64_t kPortShare = 32;

int64_t real_now() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

Patience remaining(Patience patience, int64_t since) {
  if (!patience) return std::nullopt;
  return std::max<int64_t>(*patience - (real_now() - since), 0);
}

RecordBatch empty_batch(const SchemaPtr& schema) {
  std::vector<ColumnPtr> columns;
  for (const Field& field : schema->fields()) columns.push_back(make_builder(field.type)->finish());
  return RecordBatch(schema, 0, std::move(columns));
}

// Takes the engine's word and passes it on to the host after keeping what last_progress gives.
template <class Event, class Keep>
std::function<void(const Event&)> keeping(std::function<void(const Event&)> host, Keep keep) {
  return [host = std::move(host), keep](const Event& event) {
    keep(event);
    if (host) host(event);
  };
}

}  // namespace

HostEngine::HostEngine(HostSettings settings)
    : settings_(std::move(settings)),
      stepped_(settings_.engine.stepped),
      pool_(BufferPool::create()),
      pipeline_(settings_.plugin_path, &ports_),
      wake_(std::make_shared<WakeDescriptor>()) {}

HostEngine::~HostEngine() {
  FLOWRUN_CHECK(!on_own_thread(),
                "an engine cannot be destroyed in one of its own callbacks — stop it there, and "
                "destroy it on another thread");
  stop();
  if (thread_.joinable()) thread_.join();
  // The last epoch is committed as a stop commits it.
  while (stepped_ && state() == State::running) {
    if (!step_once()) break;
  }
  for (const auto& [node, port] : ports_.pushes()) port->end(ok_status());
  for (const auto& [node, port] : ports_.pulls()) port->end(ok_status());
}

// Every thread of a run has the run's pool as its own, and so has step() while it lasts.
bool HostEngine::on_own_thread() const { return BufferPool::current() == pool_; }

bool HostEngine::load() {
  EngineOptions options = settings_.engine;
  options.pool = pool_;
  options.on_progress = keeping<Progress>(options.on_progress, [this](const Progress& progress) {
    const std::lock_guard lock(mutex_);
    progress_ = progress;
  });
  options.on_committed = [this](const std::string& node, const std::string& offset) {
    const auto port = ports_.pushes().find(node);
    if (port == ports_.pushes().end()) return;
    int64_t ticket = 0;
    std::from_chars(offset.data(), offset.data() + offset.size(), ticket);
    port->second->commit(ticket);
  };
  if (settings_.registry) {
    const Status entered = settings_.registry->enter_into(pipeline_);
    FLOWRUN_CHECK(entered.has_value(), "what a registry has taken can be entered again");
  }
  if (!pipeline_.load(settings_.pipeline, std::move(options))) return false;
  sql_ = std::make_unique<const HostSql>(pipeline_);
  connect_ports();
  return true;
}

void HostEngine::connect_ports() {
  const int64_t room = std::max<int64_t>(pipeline_.engine().memory().value / kPortShare, 1);
  polls_ = pipeline_.num_sources() > ports_.pushes().size();
  for (const auto& [node, port] : ports_.pushes()) {
    port->set_room(room);
    if (stepped_) port->set_waker([wake = wake_] { wake->wake(); });
  }
  for (const auto& [node, port] : ports_.pulls()) port->set_room(room, !stepped_);
  if (stepped_) wake_opened_ = wake_->open();
}

Status HostEngine::start() {
  if (stepped_)
    return Error::invalid(
        "this engine was loaded to be stepped — call step, or load it with threads");
  const std::lock_guard lock(mutex_);
  if (state_ != State::loaded)
    return Error::invalid("this engine was started before — load another one for another run");
  try {
    thread_ = std::thread([this] {
      const PoolScope scope(pool_);
      finish(pipeline_.engine().run());
    });
  } catch (const std::system_error& error) {
    return Error::from_errno("cannot start a thread", error.code().value());
  }
  state_ = State::running;
  return ok_status();
}

void HostEngine::finish(Status how) {
  for (const auto& [node, port] : ports_.pushes()) port->end(how);
  for (const auto& [node, port] : ports_.pulls()) port->end(how);
  {
    const std::lock_guard lock(mutex_);
    state_ = how ? State::ended : State::failed;
    outcome_ = std::move(how);
  }
  changes_.notify_all();
}

Status HostEngine::wait(Patience patience) {
  if (on_own_thread())
    return Error::invalid("an engine's end cannot be waited for in one of its own callbacks");
  std::unique_lock lock(mutex_);
  if (state_ == State::loaded && !stepped_)
    return Error::invalid("this engine was not started — call start before wait");
  const auto over = [this] { return state_ == State::ended || state_ == State::failed; };
  if (!patience) {
    changes_.wait(lock, over);
  } else if (!changes_.wait_for(lock, std::chrono::microseconds(*patience), over)) {
    return Error::unavailable("the run is not over, and the time to wait for it is");
  }
  return outcome_ ? ok_status() : Status(Error(outcome_.error()));
}

void HostEngine::stop() {
  if (state() == State::failed) return;
  for (const auto& [node, port] : ports_.pulls()) port->hurry();
  pipeline_.stop();
  wake_->wake();
}

Status HostEngine::drain(Patience patience) {
  if (on_own_thread())
    return Error::invalid(
        "an engine cannot be drained in one of its own callbacks — stop it there");
  const int64_t began = real_now();
  Status drained;
  for (const auto& [node, port] : ports_.pushes()) port->refuse();
  for (const auto& [node, port] : ports_.pushes()) {
    if (stepped_) drained = step_until_settled(*port, remaining(patience, began));
    if (drained) drained = port->await_settled(port->pushed(), remaining(patience, began));
    if (!drained) break;
  }
  stop();
  while (stepped_ && state() == State::running) {
    const auto last = step(remaining(patience, began));
    if (!last) break;
  }
  const Status ended = wait(remaining(patience, began));
  if (drained && !ended) return Error(ended.error());
  return drained;
}

Status HostEngine::step_until_settled(const PushPort& port, Patience patience) {
  const int64_t began = real_now();
  while (port.committed() < port.pushed()) {
    const Patience left = remaining(patience, began);
    if (left == 0)
      return Error::unavailable("the rows are not yet committed, and the time is over");
    FLOWRUN_TRY(const Engine::Step step, step(left));
    if (step.ended) break;
  }
  return ok_status();
}

Result<Engine::Step> HostEngine::step(Patience patience) {
  if (!stepped_)
    return Error::invalid("this engine runs on threads of its own — load it with stepping to step");
  if (on_own_thread())
    return Error::invalid("an engine cannot be stepped in one of its own callbacks");
  if (!wake_opened_) return Error(wake_opened_.error());
  const std::unique_lock stepping(stepping_, std::try_to_lock);
  if (!stepping) return Error::invalid("this engine is being stepped by another call already");
  if (state() == State::failed || state() == State::ended) {
    FLOWRUN_RETURN_IF_ERROR(outcome());
    return Engine::Step{.made_epoch = false, .ended = true, .next_wake = 0};
  }
  const int64_t began = real_now();
  while (true) {
    wake_->clear();
    FLOWRUN_TRY(const Engine::Step step, step_once());
    const Patience left = remaining(patience, began);
    if (step.made_epoch || step.ended || left == 0) return step;
    int64_t nap = std::max<int64_t>(step.next_wake, 0);
    if (left) nap = std::min(nap, *left);
    wake_->wait(nap);
  }
}

// One round; next_wake is how long may be waited.
Result<Engine::Step> HostEngine::step_once() {
  const PoolScope scope(pool_);
  // A full pull sink holds everything back until the host has taken something.
  for (const auto& [node, port] : ports_.pulls()) {
    if (port->full()) return Engine::Step{.made_epoch = false, .ended = false, .next_wake = kPoll};
  }
  {
    const std::lock_guard lock(mutex_);
    state_ = State::running;
  }
  auto step = pipeline_.engine().step();
  if (!step) {
    Error error = step.error();
    finish(Error(error));
    return error;
  }
  if (step->ended) finish(ok_status());
  const Clock& clock = settings_.engine.clock ? *settings_.engine.clock : system_clock();
  step->next_wake = std::max<int64_t>(step->next_wake - clock.monotonic(), 0);
  if (polls_) step->next_wake = std::min(step->next_wake, kPoll);
  return *step;
}

HostEngine::State HostEngine::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

Status HostEngine::outcome() const {
  const std::lock_guard lock(mutex_);
  return outcome_ ? ok_status() : Status(Error(outcome_.error()));
}

std::optional<Progress> HostEngine::last_progress() const {
  const std::lock_guard lock(mutex_);
  return progress_;
}

Result<std::shared_ptr<const LiveTableSnapshot>> HostEngine::table(const std::string& name) {
  const LiveTable* table = pipeline_.engine().table(name);
  if (!table) {
    return Error::invalid("there is no live table `" + name +
                          "` — name one in a node: `sink: memory, table: " + name + "`");
  }
  auto snapshot = table->snapshot();
  if (!snapshot->schema)
    return Error::unavailable("the live table `" + name + "` is not there yet — start the engine");
  return snapshot;
}

Result<std::string> HostEngine::show(const SchemaPtr& schema,
                                     const std::vector<RecordBatch>& batches, int64_t rows,
                                     int64_t truncate) const {
  FLOWRUN_TRY(const TimeZone* zone, find_time_zone(pipeline_.timezone()));
  std::vector<RecordBatch> head{empty_batch(schema)};
  int64_t wanted = rows + 1;  // one more, so that the frame knows of it
  for (const RecordBatch& batch : batches) {
    if (wanted <= 0) break;
    head.push_back(batch.slice(0, std::min(wanted, batch.num_rows())));
    wanted -= head.back().num_rows();
  }
  return show_frame(concatenate(head), {.rows = rows, .truncate = truncate}, *zone);
}

HostEngine::Place HostEngine::place_of(const Error& error) const {
  const size_t colon = error.message.find(": ");
  const auto node = pipeline_.nodes().find(error.message.substr(0, colon));
  if (colon == std::string::npos || node == pipeline_.nodes().end()) return {"", error.position};
  return {node->first, error.position.known() ? error.position : node->second};
}

}  // namespace flowrun
