#include "plugins/kafka/positions.h"

#include <charconv>
#include <flowrun/plugin.hpp>

namespace kafka {

namespace {

// Takes what stands before `mark` off the text; all of it if the mark is not there.
std::string_view take_until(std::string_view& text, char mark) {
  const size_t end = std::min(text.find(mark), text.size());
  const std::string_view taken = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return taken;
}

template <class Number>
bool read_number(std::string_view text, Number& number) {
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  return code == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string positions_text(const Positions& positions) {
  std::string text;
  for (const auto& [topic, partitions] : positions) {
    if (!text.empty()) text += ';';
    text += topic;
    char mark = ':';
    for (const auto& [partition, next] : partitions) {
      text += mark + std::to_string(partition) + '=' + std::to_string(next);
      mark = ',';
    }
  }
  return text;
}

Positions parse_positions(std::string_view text) {
  Positions positions;
  for (std::string_view rest = text; !rest.empty();) {
    std::string_view partitions = take_until(rest, ';');
    const std::string_view topic = take_until(partitions, ':');
    PartitionPositions& own = positions[std::string(topic)];
    while (!partitions.empty()) {
      std::string_view next = take_until(partitions, ',');
      const std::string_view partition = take_until(next, '=');
      int32_t number = 0;
      int64_t at = 0;
      if (!read_number(partition, number) || !read_number(next, at))
        throw flowrun::plugin::Error::data("this is no offset of a Kafka source: " +
                                           std::string(text));
      own[number] = at;
    }
  }
  return positions;
}

}  // namespace kafka
