#include "tools/flowrun/log.h"

#include <fmt/format.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cctype>

#include "runtime/format/utc_text.h"
#include "tools/flowrun/text.h"

namespace flowrun {
namespace {

const char* level_name(LogEvent::Level level) {
  switch (level) {
    case LogEvent::Level::info:
      return "info";
    case LogEvent::Level::warning:
      return "warning";
    case LogEvent::Level::error:
      return "error";
  }
  return "";
}

// What two lines have in common that differ in numbers alone.
std::string kind_of(const LogEvent& event) {
  std::string kind = event.node + '\n';
  bool in_number = false;
  for (const char c : event.message) {
    const bool digit = std::isdigit(static_cast<unsigned char>(c)) != 0;
    if (digit && !in_number) kind += '#';
    in_number = digit || (in_number && (c == '.' || c == ','));
    if (!in_number) kind += c;
  }
  return kind;
}

std::string json_line(const LogEvent& event, int64_t repeated, int64_t now) {
  rapidjson::StringBuffer buffer;
  // Validation off: a message may quote bytes of a record that are no UTF-8.
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  const auto text = [&](const char* key, const std::string& value) {
    writer.Key(key);
    writer.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  };
  writer.StartObject();
  text("time", utc_text(now));
  text("level", level_name(event.level));
  if (!event.node.empty()) text("node", event.node);
  text("message", event.message);
  if (repeated > 0) {
    writer.Key("repeated");
    writer.Int64(repeated);
  }
  writer.EndObject();
  return buffer.GetString();
}

}  // namespace

void Log::event(const LogEvent& event) {
  if (options_.quiet && event.level == LogEvent::Level::info) return;
  const std::lock_guard lock(mutex_);
  std::string kind = kind_of(event);
  if (kinds_.size() >= kMaxKinds && !kinds_.contains(kind)) kind.clear();
  const auto [found, is_new] = kinds_.try_emplace(std::move(kind));
  Folded& folded = found->second;
  const int64_t now = clock_.monotonic();
  folded.last = event;
  if (!is_new && now - folded.written < kFoldPeriod) {
    ++folded.count;
    return;
  }
  if (folded.count > 0) write_count(folded, now);
  folded.written = now;
  write(event, 0);
}

void Log::tick() {
  const std::lock_guard lock(mutex_);
  const int64_t now = clock_.monotonic();
  for (auto& [kind, folded] : kinds_) {
    if (folded.count > 0 && now - folded.written >= kFoldPeriod) write_count(folded, now);
  }
}

void Log::flush() {
  const std::lock_guard lock(mutex_);
  const int64_t now = clock_.monotonic();
  for (auto& [kind, folded] : kinds_) {
    if (folded.count > 0) write_count(folded, now);
  }
}

void Log::write_count(Folded& folded, int64_t now) {
  write(folded.last, folded.count);
  folded.count = 0;
  folded.written = now;
}

void Log::write(const LogEvent& event, int64_t repeated) {
  LogEvent shown = event;
  shown.message = std::string(clip(event.message, kMaxMessage));
  if (options_.format == LogFormat::json) {
    terminal_.line(json_line(shown, repeated, clock_.now()));
    return;
  }
  const Colour colour = event.level == LogEvent::Level::error     ? Colour::red
                        : event.level == LogEvent::Level::warning ? Colour::yellow
                                                                  : Colour::bold;
  std::string line;
  if (!event.node.empty()) line = coloured(event.node + ":", colour, terminal_.colours()) + " ";
  line += shown.message;
  if (repeated > 0) line += fmt::format(" ({} more)", with_separators(repeated));
  terminal_.line(line);
}

}  // namespace flowrun
