#include "tools/simulate/event_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace flowrun::simulate {

void EventLog::append(std::string_view lines, std::string& out) {
  for (size_t begin = 0; begin < lines.size();) {
    const size_t end = std::min(lines.find('\n', begin), lines.size());
    if (kept_.size() >= kKept) kept_.pop_front();
    kept_.push_back(fmt::format(
        "event: message\n"
        "id: [{{\"topic\":\"eqiad.mediawiki.recentchange\",\"partition\":0,\"offset\":{}}},"
        "{{\"topic\":\"codfw.mediawiki.recentchange\",\"partition\":0,\"offset\":-1}}]\n"
        "data: {}\n\n",
        next_++, lines.substr(begin, end - begin)));
    out += kept_.back();
    begin = end + 1;
  }
}

void EventLog::append_after(std::string_view id, std::string& out) const {
  constexpr std::string_view kOffset = "\"offset\":";
  const size_t key = id.find(kOffset);
  if (key == std::string_view::npos) return;
  int64_t offset = 0;
  const char* const digits = id.data() + key + kOffset.size();
  if (std::from_chars(digits, id.data() + id.size(), offset).ec != std::errc()) return;
  const int64_t first = next_ - std::ssize(kept_);
  for (int64_t at = std::max(offset + 1, first); at < next_; ++at)
    out += kept_[static_cast<size_t>(at - first)];
}

}  // namespace flowrun::simulate
