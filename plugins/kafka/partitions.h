#pragma once
// Which partitions of which topics a source reads, and from where.

#include <flowrun/plugin.hpp>
#include <regex>
#include <string>
#include <vector>

#include "plugins/kafka/connection.h"
#include "plugins/kafka/positions.h"

namespace kafka {

// Topics by their names or by a pattern that a whole name must match, and where to begin.
class Selection {
 public:
  static flowrun::plugin::Spec with_options(flowrun::plugin::Spec spec);
  // Throws Error::option.
  explicit Selection(const flowrun::plugin::Options& options);

  // The partitions that there are now. A topic that was named and is not there is `missing`.
  struct Found {
    std::map<std::string, std::vector<int32_t>> topics;
    std::string missing;  // "" or the words of the broker
  };
  Found find(rd_kafka_t* client, const Settings& settings, const Complaints& complaints,
             const std::atomic<bool>& cancelled) const;

  // Where a partition begins that is there from the start: an offset, RD_KAFKA_OFFSET_BEGINNING or
  // RD_KAFKA_OFFSET_END.
  int64_t start(const std::string& topic, int32_t partition) const;
  std::string describe() const;

 private:
  std::vector<std::string> topics_;
  std::string pattern_text_;
  std::regex pattern_;
  int64_t start_ = RD_KAFKA_OFFSET_END;
  Positions starts_;  // of single partitions
};

// The first offset that a partition holds, and the one behind its last message that can be read.
struct Extent {
  int64_t low = 0;
  int64_t high = 0;
};
Extent read_extent(rd_kafka_t* client, const std::string& topic, int32_t partition,
                   const Settings& settings, const Complaints& complaints,
                   const std::atomic<bool>& cancelled);

}  // namespace kafka
