#include "tools/flowrun/signals.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cstdint>

#include "runtime/base/check.h"

namespace flowrun {

SignalWatcher::SignalWatcher(std::function<void(int)> on_first, std::function<void(int)> on_second)
    : on_first_(std::move(on_first)), on_second_(std::move(on_second)) {
  sigset_t watched;
  sigemptyset(&watched);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&watched, signal);
  pthread_sigmask(SIG_BLOCK, &watched, &previous_);
  signals_ = signalfd(-1, &watched, SFD_CLOEXEC);
  end_ = eventfd(0, EFD_CLOEXEC);
  FLOWRUN_CHECK(signals_ >= 0 && end_ >= 0, "descriptors for signals can be made");
  thread_ = std::thread([this] { watch(); });
}

SignalWatcher::~SignalWatcher() {
  const uint64_t one = 1;
  FLOWRUN_CHECK(::write(end_, &one, sizeof one) == sizeof one, "an eventfd takes a number");
  thread_.join();
  ::close(signals_);
  ::close(end_);
  if (seen_ == 0) pthread_sigmask(SIG_SETMASK, &previous_, nullptr);
}

void SignalWatcher::watch() {
  std::array<pollfd, 2> descriptors = {{{signals_, POLLIN, 0}, {end_, POLLIN, 0}}};
  for (;;) {
    if (::poll(descriptors.data(), descriptors.size(), -1) < 0) continue;
    if (descriptors[1].revents != 0) return;
    signalfd_siginfo info{};
    if (::read(signals_, &info, sizeof info) != sizeof info) continue;
    const auto signal = static_cast<int>(info.ssi_signo);
    seen_++ == 0 ? on_first_(signal) : on_second_(signal);
  }
}

}  // namespace flowrun
