#include "tools/flowrun/terminal.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace flowrun {
namespace {

constexpr std::string_view kEraseLine = "\r\x1b[K";
constexpr size_t kUnknownWidth = 80;

// 0, or the error number.
int write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return 0;
}

size_t terminal_width(int descriptor) {
  winsize size{};
  if (ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kUnknownWidth;
  return size.ws_col;
}

bool is_pipe(int descriptor) {
  struct stat status {};
  return fstat(descriptor, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
}

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U; }

}  // namespace

Terminal::Streams Terminal::standard() {
  Streams streams;
  const bool terminal = isatty(streams.error) == 1;
  const char* no_colour =
      std::getenv("NO_COLOR");  // NOLINT(concurrency-mt-unsafe): before any thread
  streams.colours = terminal && (no_colour == nullptr || *no_colour == '\0');
  streams.status = terminal && !is_pipe(streams.out);
  return streams;
}

Status Terminal::write(std::string_view text) {
  const std::lock_guard lock(out_mutex());
  if (streams_.status) erase_status();
  const int error = write_all(streams_.out, text);
  if (streams_.status) draw_status();
  if (error != 0) return Error::from_errno("cannot write to standard output", error);
  return ok_status();
}

void Terminal::line(std::string_view text) {
  const std::lock_guard lock(error_mutex_);
  erase_status();
  write_all(streams_.error, std::string(text) + '\n');
  draw_status();
}

void Terminal::set_status(std::string text) {
  const std::lock_guard lock(error_mutex_);
  if (!streams_.status || text == status_) return;
  erase_status();
  status_ = std::move(text);
  draw_status();
}

void Terminal::erase_status() {
  if (drawn_) write_all(streams_.error, kEraseLine);
  drawn_ = false;
}

void Terminal::leave() noexcept {
  left_ = true;
  pollfd ready{streams_.error, POLLOUT, 0};
  if (drawn_ && ::poll(&ready, 1, 0) == 1 && (ready.revents & POLLOUT) != 0)
    write_all(streams_.error, kEraseLine);
}

void Terminal::draw_status() {
  if (status_.empty() || left_) return;
  // The last column stays free: some terminals wrap when it is filled.
  write_all(streams_.error, clip(status_, terminal_width(streams_.error) - 1));
  drawn_ = true;
}

std::string_view clip(std::string_view text, size_t width) {
  size_t end = 0;
  for (size_t characters = 0; end < text.size(); ++end) {
    if (is_continuation(text[end])) continue;
    if (characters++ == width) break;
  }
  return text.substr(0, end);
}

std::string coloured(std::string_view text, Colour colour, bool colours) {
  if (!colours || colour == Colour::none) return std::string(text);
  constexpr std::string_view kBold = "\x1b[1m", kRed = "\x1b[31m", kYellow = "\x1b[33m",
                             kPlain = "\x1b[0m";
  const std::string_view start = colour == Colour::bold  ? kBold
                                 : colour == Colour::red ? kRed
                                                         : kYellow;
  return std::string(start).append(text).append(kPlain);
}

}  // namespace flowrun
