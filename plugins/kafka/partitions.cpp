#include "plugins/kafka/partitions.h"

#include <charconv>

namespace kafka {

namespace {

constexpr int kSlice = 200;  // milliseconds between two looks at `cancelled`

constexpr const char* kStartingDoc =
    "Where the first run begins: `earliest`, `latest`, or an offset for each partition, `{orders: "
    "{0: 17, 1: -2}}` (-2: earliest, -1: latest; partitions left out: latest). A restart goes on "
    "from its checkpoint; partitions added later are read from their first message.";

bool begins_with_underscores(const std::string& topic) { return topic.rfind("__", 0) == 0; }

PartitionPositions read_starts(const flowrun_value& partitions) {
  PartitionPositions starts;
  for (uint64_t i = 0; i < partitions.num_items; ++i) {
    const std::string key = sdk::detail::string_of(partitions.keys[i]);
    int32_t partition = 0;
    const auto [end, code] = std::from_chars(key.data(), key.data() + key.size(), partition);
    if (code != std::errc() || end != key.data() + key.size() || partition < 0)
      throw sdk::Error::option("starting_offsets",
                               "`" + key + "` is no partition — write its number");
    const int64_t offset = partitions.items[i]->integer;
    if (offset < RD_KAFKA_OFFSET_BEGINNING)
      throw sdk::Error::option(
          "starting_offsets",
          std::to_string(offset) + " is no offset — write a count, -2 (earliest) or -1 (latest)");
    starts[partition] = offset;
  }
  return starts;
}

}  // namespace

sdk::Spec Selection::with_options(sdk::Spec spec) {
  return std::move(spec)
      .option(sdk::list_of(sdk::text("topics", "The topics to read.")))
      .option(sdk::text("pattern",
                        "In place of `topics`: a regular expression that the whole name of a topic "
                        "must match. Topics that come later are found."))
      .option(sdk::one_of("starting_offsets", kStartingDoc,
                          {sdk::word("starting_offsets", {"earliest", "latest"}, ""),
                           sdk::map_of(sdk::map_of(sdk::integer("starting_offsets", "")))})
                  .with_default("latest"));
}

Selection::Selection(const sdk::Options& options)
    : topics_(options.texts("topics")), pattern_text_(options.text("pattern")) {
  if (topics_.empty() == pattern_text_.empty()) {
    throw sdk::Error::invalid(topics_.empty()
                                  ? "it is not said what to read — write `topics:` or `pattern:`"
                                  : "`topics` and `pattern` cannot both be — leave one out");
  }
  if (!pattern_text_.empty()) {
    try {
      pattern_ = std::regex(pattern_text_, std::regex::ECMAScript | std::regex::optimize);
    } catch (const std::regex_error& error) {
      throw sdk::Error::option("pattern",
                               "this is no regular expression: " + std::string(error.what()));
    }
  }
  const flowrun_value* starting = options.find("starting_offsets");
  if (!starting || starting->kind != FLOWRUN_OPTION_MAP) {
    if (options.text("starting_offsets") == "earliest") start_ = RD_KAFKA_OFFSET_BEGINNING;
    return;
  }
  for (uint64_t i = 0; i < starting->num_items; ++i)
    starts_[sdk::detail::string_of(starting->keys[i])] = read_starts(*starting->items[i]);
}

Selection::Found Selection::find(rd_kafka_t* client, const Settings& settings,
                                 const Complaints& complaints,
                                 const std::atomic<bool>& cancelled) const {
  Found found;
  const auto take = [&](const struct rd_kafka_metadata_topic& topic) {
    if (std::string words = words_against(topic); !words.empty()) {
      found.missing = std::move(words);
      return;
    }
    auto& partitions = found.topics[topic.topic];
    for (int i = 0; i < topic.partition_cnt; ++i) partitions.push_back(topic.partitions[i].id);
  };
  if (!pattern_text_.empty()) {
    const MetadataPtr all =
        read_metadata(client, Asked::every, nullptr, settings, complaints, cancelled);
    for (int i = 0; i < all->topic_cnt; ++i) {
      const struct rd_kafka_metadata_topic& topic = all->topics[i];
      if (!begins_with_underscores(topic.topic) && std::regex_match(topic.topic, pattern_))
        take(topic);
    }
    return found;
  }
  for (const std::string& name : topics_) {
    const TopicPtr topic(rd_kafka_topic_new(client, name.c_str(), nullptr));
    const MetadataPtr one =
        read_metadata(client, Asked::known, topic.get(), settings, complaints, cancelled);
    for (int i = 0; i < one->topic_cnt; ++i) take(one->topics[i]);
  }
  return found;
}

int64_t Selection::start(const std::string& topic, int32_t partition) const {
  const auto partitions = starts_.find(topic);
  if (partitions == starts_.end()) return start_;
  const auto found = partitions->second.find(partition);
  return found == partitions->second.end() ? start_ : found->second;
}

std::string Selection::describe() const {
  if (!pattern_text_.empty()) return "topics like " + pattern_text_;
  std::string text;
  for (const std::string& topic : topics_) text += (text.empty() ? "" : ", ") + topic;
  return text;
}

Extent read_extent(rd_kafka_t* client, const std::string& topic, int32_t partition,
                   const Settings& settings, const Complaints& complaints,
                   const std::atomic<bool>& cancelled) {
  const auto end = std::chrono::steady_clock::now() + settings.timeout();
  while (!cancelled) {
    Extent extent;
    const rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(
        client, topic.c_str(), partition, &extent.low, &extent.high, kSlice);
    rd_kafka_poll(client, 0);
    complaints.check_fatal();
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return extent;
    if (std::chrono::steady_clock::now() >= end) {
      throw sdk::Error::unavailable("topic `" + topic + "`, partition " +
                                    std::to_string(partition) + ": " + rd_kafka_err2str(code));
    }
  }
  throw sdk::Error::cancelled();
}

}  // namespace kafka
