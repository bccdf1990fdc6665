#include "runtime/serve/live_state.h"

#include <algorithm>
#include <cctype>

namespace flowrun {

namespace {

constexpr int64_t kSampleEvery = 200'000;   // microseconds
constexpr int64_t kRatesOver = 10'000'000;  // microseconds

bool same_but_for_numbers(const std::string& a, const std::string& b) {
  const auto without = [](const std::string& text) {
    std::string out;
    std::ranges::copy_if(text, std::back_inserter(out),
                         [](unsigned char c) { return std::isdigit(c) == 0; });
    return out;
  };
  return without(a) == without(b);
}

}  // namespace

const char* phase_name(LiveState::Phase phase) {
  switch (phase) {
    case LiveState::Phase::starting:
      return "starting";
    case LiveState::Phase::running:
      return "running";
    case LiveState::Phase::ended:
      return "ended";
    case LiveState::Phase::failed:
      return "failed";
  }
  return "";
}

void LiveState::on_progress(const Progress& progress) {
  const std::lock_guard lock(mutex_);
  progress_ = progress;
  ++epochs_;
  ++version_;
  for (const SourceProgress& source : progress.sources)
    source_rows_[source.node] += source.input_rows;
  for (const SinkProgress& sink : progress.sinks) sink_rows_[sink.node] += sink.output_rows;
  const int64_t now = system_clock().monotonic();
  if (!samples_.empty() && now - samples_.back().time < kSampleEvery) return;
  samples_.push_back({now, progress.edge_rows});
  while (samples_.size() > 2 && now - samples_.front().time > kRatesOver) samples_.pop_front();
}

void LiveState::on_log(const LogEvent& event) {
  const std::lock_guard lock(mutex_);
  ++version_;
  const auto same = std::ranges::find_if(log_, [&](const LoggedEvent& logged) {
    return logged.event.node == event.node && logged.event.level == event.level &&
           same_but_for_numbers(logged.event.message, event.message);
  });
  LoggedEvent logged{system_clock().now(), event, 1};
  if (same != log_.end()) {
    logged.repeated = same->repeated + 1;
    log_.erase(same);
  }
  log_.push_back(std::move(logged));
  if (log_.size() > kLogLines) log_.pop_front();
}

void LiveState::set_phase(Phase phase, std::string failure) {
  const std::lock_guard lock(mutex_);
  phase_ = phase;
  failure_ = std::move(failure);
  ++version_;
}

LiveState::Phase LiveState::phase() const {
  const std::lock_guard lock(mutex_);
  return phase_;
}

std::string LiveState::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

std::optional<Progress> LiveState::progress() const {
  const std::lock_guard lock(mutex_);
  return progress_;
}

std::vector<LoggedEvent> LiveState::log() const {
  const std::lock_guard lock(mutex_);
  return {log_.begin(), log_.end()};
}

int64_t LiveState::epochs() const {
  const std::lock_guard lock(mutex_);
  return epochs_;
}

std::map<std::string, int64_t> LiveState::rows_of_sources() const {
  const std::lock_guard lock(mutex_);
  return source_rows_;
}

std::map<std::string, int64_t> LiveState::rows_of_sinks() const {
  const std::lock_guard lock(mutex_);
  return sink_rows_;
}

std::vector<double> LiveState::edge_rates() const {
  const std::lock_guard lock(mutex_);
  if (samples_.empty()) return {};
  std::vector<double> rates(samples_.back().rows.size(), 0);
  const auto micros = static_cast<double>(samples_.back().time - samples_.front().time);
  for (size_t i = 0; micros > 0 && i < rates.size(); ++i)
    rates[i] =
        static_cast<double>(samples_.back().rows[i] - samples_.front().rows[i]) * 1e6 / micros;
  return rates;
}

int64_t LiveState::version() const {
  const std::lock_guard lock(mutex_);
  return version_;
}

}  // namespace flowrun
