#pragma once
// run_program: a program that is given input and waited for.
//
//   Status ran = run_program({"/usr/bin/notify-send", "rows"}, "{\"a\":1}\n", wakeup, deadline);
//
// The program is started without a shell, in a process group of its own, with the bytes on its
// standard input, nothing on its standard output and no other descriptor of ours. It need not read
// its input. Ends when the program has ended. Errors: `io` when it cannot be started, ends with
// anything but 0 (the message has the end of what it wrote on standard error) or does not end by
// the deadline, `cancelled` after Wakeup::signal; in both it is killed, with what it started.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/operator/tcp.h"

namespace flowrun {

// REQUIRES: command is not empty; its first word is a path, or looked up in PATH.
Status run_program(const std::vector<std::string>& command, std::string_view input,
                   const Wakeup& wakeup, int64_t deadline);

// Whether there is such a program and it may be started; starts nothing. Errors: `io`.
Status find_program(const std::string& name);

}  // namespace flowrun
