#pragma once
// Positions: the next message to be read of each partition; flowrun's offset of a Kafka source.
//
// As text, the form in which it stands in checkpoints: `orders:0=17,1=4;users:0=0`, topics and
// partitions in order. Names of topics hold none of these marks.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace kafka {

using PartitionPositions = std::map<int32_t, int64_t>;
using Positions = std::map<std::string, PartitionPositions, std::less<>>;

std::string positions_text(const Positions& positions);
// Throws Error::data when it is no such text.
Positions parse_positions(std::string_view text);

}  // namespace kafka
