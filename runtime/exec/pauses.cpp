#include "runtime/exec/pauses.h"

#include <fmt/format.h>

namespace flowrun {

std::string next_try_text(const Error& absent, int64_t pause, const std::string& hint) {
  constexpr int64_t kSecond = 1'000'000;
  const std::string seconds = pause % kSecond == 0
                                  ? fmt::format("{} s", pause / kSecond)
                                  : fmt::format("{:.2g} s", static_cast<double>(pause) / kSecond);
  return fmt::format("{}; next try in {}{}", absent.message, seconds,
                     hint.empty() ? "" : " (" + hint + ")");
}

}  // namespace flowrun
