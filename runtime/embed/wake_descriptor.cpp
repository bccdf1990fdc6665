#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "runtime/embed/host_engine.h"

namespace flowrun {

WakeDescriptor::~WakeDescriptor() {
  if (descriptor_ >= 0) close(descriptor_);
}

Status WakeDescriptor::open() {
  descriptor_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (descriptor_ < 0) return Error::from_errno("cannot make an eventfd", errno);
  return ok_status();
}

void WakeDescriptor::wake() const {
  if (descriptor_ >= 0) static_cast<void>(eventfd_write(descriptor_, 1));
}

void WakeDescriptor::clear() const {
  eventfd_t count = 0;
  if (descriptor_ >= 0) static_cast<void>(eventfd_read(descriptor_, &count));
}

void WakeDescriptor::wait(int64_t timeout) const {
  pollfd watched{descriptor_, POLLIN, 0};
  timespec time{};
  time.tv_sec = timeout / 1'000'000;
  time.tv_nsec = timeout % 1'000'000 * 1'000;
  static_cast<void>(ppoll(&watched, 1, &time, nullptr));
}

}  // namespace flowrun
