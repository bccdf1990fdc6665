#pragma once
// The data that the simulators draw from, compiled in by tools/simulate/embed.

#include <cstdint>
#include <span>
#include <string_view>

namespace flowrun::simulate {

struct Movement {
  std::string_view axes;  // `"x":0.01,"y":-0.02,"z":0.03}` and a line break, numbers as recorded
  int64_t lag;  // nanoseconds that creation lay behind arrival, less the least of the recording
};

// The recording of data/watches-hhar.jsonl, in its order.
std::span<const Movement> movements();

// One list per play: whole records, `{"character":"...","quote":"..."}` and a line break, in the
// play's order.
std::span<const std::span<const std::string_view>> plays();

inline constexpr uint32_t kAbsent = UINT32_MAX;

// A recorded change of a wiki: an object without line break, but for its two times.
struct Change {
  std::string_view text;
  uint32_t timestamp;  // where the seconds since 1970 belong
  uint32_t date;       // where `meta.dt` belongs, or kAbsent
};

// The events of data/recentchange.jsonl, in its order.
std::span<const Change> changes();

// The titles of the pages about the communes of Haute-Garonne, as JSON text without quotes.
std::span<const std::string_view> communes();

}  // namespace flowrun::simulate
