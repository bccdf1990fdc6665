#include "runtime/operator/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <system_error>

extern char** environ;  // NOLINT: as POSIX says

namespace flowrun {

namespace {

constexpr size_t kKeptError = 2000;  // bytes of standard error that are told

// The program as it runs.
struct Child {
  pid_t pid = -1;
  Descriptor ended;  // readable when it has
  Descriptor input;
  Descriptor error;
};

std::string reason_of(int error) { return std::generic_category().message(error); }

// Two ends of one stream. Sockets, so that writing to a program that has gone raises no SIGPIPE.
Status make_pair(Descriptor& ours, Descriptor& theirs) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return Error::from_errno("cannot make a pipe", errno);
  ours = Descriptor(ends[0]);
  theirs = Descriptor(ends[1]);
  fcntl(ours.get(), F_SETFL, O_NONBLOCK);
  return {};
}

Result<Child> start(const std::vector<std::string>& command) {
  Child child;
  Descriptor their_input, their_error;
  FLOWRUN_RETURN_IF_ERROR(make_pair(child.input, their_input));
  FLOWRUN_RETURN_IF_ERROR(make_pair(child.error, their_error));
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, their_input.get(), STDIN_FILENO);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&files, their_error.get(), STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t all, none;
  sigfillset(&all);
  sigemptyset(&none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const int failed = posix_spawnp(&child.pid, words[0], &files, &attributes, words.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  if (failed != 0)
    return Error::io(fmt::format("cannot start `{}`: {}", command[0], reason_of(failed)));
  child.ended = Descriptor(static_cast<int>(syscall(SYS_pidfd_open, child.pid, 0)));
  return child;
}

// Writes what the program takes now; closes its input when all is written, or it takes no more.
void feed(Child& child, std::string_view& input) {
  while (!input.empty()) {
    const ssize_t sent = send(child.input.get(), input.data(), input.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (sent < 0) break;
    input.remove_prefix(static_cast<size_t>(sent));
  }
  child.input.reset();
}

void read_error(Child& child, std::string& text) {
  std::array<char, 4096> piece{};
  while (true) {
    const ssize_t got = recv(child.error.get(), piece.data(), piece.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got == 0) child.error.reset();
    if (got <= 0) break;
    text.append(piece.data(), static_cast<size_t>(got));
    if (text.size() > 2 * kKeptError) text.erase(0, text.size() - kKeptError);
  }
}

Status judge(const std::string& name, int status, std::string error) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  if (error.size() > kKeptError) error.erase(0, error.size() - kKeptError);
  while (error.ends_with('\n')) error.pop_back();
  const std::string how = WIFSIGNALED(status)
                              ? fmt::format("was killed by signal {}", WTERMSIG(status))
                              : fmt::format("ended with {}", WEXITSTATUS(status));
  return Error::io(fmt::format("`{}` {}{}{}", name, how, error.empty() ? "" : ": ", error));
}

// Feeds the program and listens to it until it has ended.
Status attend(Child& child, std::string_view input, std::string& error, const Wakeup& wakeup,
              int64_t deadline, const std::string& name) {
  feed(child, input);
  while (true) {
    std::array<pollfd, 4> waits{{{wakeup.fd(), POLLIN, 0},
                                 {child.ended.get(), POLLIN, 0},
                                 {child.input.get(), POLLOUT, 0},
                                 {child.error.get(), POLLIN, 0}}};
    const int ready = poll(waits.data(), waits.size(), poll_timeout(deadline));
    if (ready < 0 && errno != EINTR) return Error::from_errno("cannot wait for a program", errno);
    if (ready <= 0 && steady_now() >= deadline)
      return Error::io(fmt::format("`{}` takes too long — raise `timeout`", name));
    if (ready <= 0) continue;
    if (waits[0].revents != 0) return Error::cancelled();
    if (child.input && waits[2].revents != 0) feed(child, input);
    if (child.error && waits[3].revents != 0) read_error(child, error);
    if (waits[1].revents != 0) return {};
  }
}

}  // namespace

Status run_program(const std::vector<std::string>& command, std::string_view input,
                   const Wakeup& wakeup, int64_t deadline) {
  FLOWRUN_TRY(Child child, start(command));
  std::string error;
  Status attended = child.ended ? attend(child, input, error, wakeup, deadline, command[0])
                                : Status(Error::from_errno("cannot wait for a program", errno));
  if (!attended) kill(-child.pid, SIGKILL);
  int status = 0;
  while (waitpid(child.pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!attended) return attended;
  if (child.error) read_error(child, error);
  return judge(command[0], status, std::move(error));
}

Status find_program(const std::string& name) {
  const auto failure = [&](int error) { return Error::from_errno("cannot start " + name, error); };
  const auto judge = [](const std::string& path) {
    struct stat status {};
    if (stat(path.c_str(), &status) != 0) return errno;
    if (S_ISDIR(status.st_mode)) return EISDIR;
    return access(path.c_str(), X_OK) == 0 ? 0 : errno;
  };
  if (name.find('/') != std::string::npos) {
    const int error = judge(name);
    return error == 0 ? ok_status() : failure(error);
  }
  const char* path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  std::string_view folders = path ? path : "/usr/local/bin:/bin:/usr/bin";
  int worst = ENOENT;
  while (!folders.empty()) {
    const size_t end = std::min(folders.find(':'), folders.size());
    const int error = judge(std::string(folders.substr(0, end)) + "/" + name);
    if (error == 0) return {};
    if (error == EACCES) worst = error;
    folders.remove_prefix(std::min(end + 1, folders.size()));
  }
  return failure(worst);
}

}  // namespace flowrun
