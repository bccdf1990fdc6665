#include "runtime/operator/spark_words.h"

#include <algorithm>
#include <array>

#include "runtime/base/suggest.h"

namespace flowrun {

namespace {

struct Translation {
  std::string_view spark;  // in snake_case
  std::string_view here;
};

// Only words whose snake_case is not ours; "or" forms are sentences of their own.
constexpr std::array kTranslations = {
    // DataFrame
    Translation{"with_column", "with_columns"},
    Translation{"with_columns_renamed", "rename"},
    Translation{"with_column_renamed", "rename"},
    Translation{"select_expr", "select"},
    Translation{"where", "filter"},
    Translation{"order_by", "sort"},
    Translation{"sort_by", "sort"},
    Translation{"sort_within_partitions", "sort"},
    Translation{"drop_duplicates", "dedup"},
    Translation{"distinct", "dedup"},
    Translation{"deduplicate", "dedup"},
    Translation{"drop_duplicates_within_watermark", "within_watermark"},
    Translation{"na_drop", "dropna"},
    Translation{"na_fill", "fillna"},
    Translation{"how", "dropna"},
    Translation{"union_by_name", "by_name"},
    Translation{"aggregate", "agg"},
    Translation{"group", "group_by"},
    Translation{"having", "filter"},
    Translation{"take", "limit"},
    Translation{"head", "limit"},
    Translation{"how_many", "limit"},
    Translation{"flat_map", "explode"},
    Translation{"posexplode", "explode"},
    Translation{"alias", "as"},
    Translation{"broadcast", "static_join"},
    Translation{"join", "stream_join"},
    Translation{"left_join", "stream_join"},
    Translation{"join_type", "stream_join"},
    Translation{"map_groups_with_state", "pattern"},
    Translation{"match_recognize", "pattern"},
    // windows and watermarks
    Translation{"with_watermark", "watermark"},
    Translation{"delay_threshold", "delay"},
    Translation{"event_time", "watermark"},
    Translation{"window_duration", "window"},
    Translation{"slide_duration", "slide"},
    Translation{"start_time", "start"},
    Translation{"time_column", "on"},
    Translation{"session_window", "session"},
    Translation{"gap_duration", "session"},
    // streams
    Translation{"read_stream", "source"},
    Translation{"write_stream", "sink"},
    Translation{"output_mode", "mode"},
    Translation{"query_name", "table"},
    Translation{"processing_time", "trigger"},
    Translation{"continuous", "trigger"},
    Translation{"checkpoint_location", "checkpoint"},
    Translation{"max_files_per_trigger", "max_files"},
    Translation{"num_rows", "rows"},
    Translation{"load", "path"},
    Translation{"save", "path"},
    Translation{"multiple_watermark_policy", "watermark_policy"},
    Translation{"shuffle_partitions", "partitions"},
    Translation{"num_partitions", "partitions"},
    Translation{"repartition", "partitions"},
    Translation{"coalesce", "partitions"},
    // reading
    Translation{"from_json", "parse"},
    Translation{"from_csv", "parse"},
    Translation{"delimiter", "sep"},
    Translation{"separator", "sep"},
    Translation{"charset", "encoding"},
    Translation{"char_to_escape_quote_escaping", "escape"},
    Translation{"multiline", "multi_line"},
    Translation{"column_name_of_corrupt_record", "corrupt_record"},
    Translation{"session_local_time_zone", "timezone"},
    Translation{"time_zone", "timezone"},
    // words of others
    Translation{"input", "from"},
    Translation{"inputs", "from"},
};

bool contains(std::span<const std::string> known, std::string_view word) {
  return std::ranges::find(known, word) != known.end();
}

}  // namespace

std::string snake_case(std::string_view camel_case) {
  std::string snake;
  for (size_t i = 0; i < camel_case.size(); ++i) {
    const char c = camel_case[i];
    if (c >= 'A' && c <= 'Z') {
      const bool after_small = i > 0 && camel_case[i - 1] >= 'a' && camel_case[i - 1] <= 'z';
      if (after_small) snake += '_';
      snake += static_cast<char>(c - 'A' + 'a');
    } else {
      snake += c == '-' || c == '.' ? '_' : c;
    }
  }
  return snake;
}

std::string suggest_word(std::string_view word, std::span<const std::string> known) {
  const std::string snake = snake_case(word);
  // What a program that reads YAML 1.1 makes of the key `on` when it writes the file again.
  if ((snake == "true" || snake == "yes") && contains(known, "on"))
    return " — meant `on`? YAML 1.1 reads that key as true";
  if (contains(known, snake)) return " — here it is `" + snake + "`";
  const auto found = std::ranges::find(kTranslations, snake, &Translation::spark);
  if (found != kTranslations.end() && contains(known, found->here)) {
    return " — here it is `" + std::string(found->here) + "`";
  }
  return did_you_mean(word, known);
}

}  // namespace flowrun
