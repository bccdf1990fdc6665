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

}  // namespace flowrun::simulate
