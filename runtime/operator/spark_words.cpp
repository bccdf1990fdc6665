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
    Translation{"output_mode", "mode"},
    Translation{"with_column", "with_columns"},
    Translation{"with_columns_renamed", "rename"},
    Translation{"with_column_renamed", "rename"},
    Translation{"with_watermark", "watermark"},
    Translation{"delay_threshold", "delay"},
    Translation{"event_time", "watermark"},
    Translation{"drop_duplicates", "dedup"},
    Translation{"distinct", "dedup"},
    Translation{"deduplicate", "dedup"},
    Translation{"drop_duplicates_within_watermark", "within_watermark"},
    Translation{"select_expr", "select"},
    Translation{"where", "filter"},
    Translation{"order_by", "sort"},
    Translation{"sort_by", "sort"},
    Translation{"window_duration", "window"},
    Translation{"slide_duration", "slide"},
    Translation{"start_time", "start"},
    Translation{"time_column", "on"},
    Translation{"session_window", "session"},
    Translation{"gap_duration", "session"},
    Translation{"na_drop", "dropna"},
    Translation{"na_fill", "fillna"},
    Translation{"from_json", "parse"},
    Translation{"from_csv", "parse"},
    Translation{"read_stream", "source"},
    Translation{"write_stream", "sink"},
    Translation{"query_name", "table"},
    Translation{"processing_time", "trigger"},
    Translation{"checkpoint_location", "checkpoint"},
    Translation{"max_files_per_trigger", "max_files"},
    Translation{"num_rows", "rows"},
    Translation{"delimiter", "sep"},
    Translation{"char_to_escape_quote_escaping", "escape"},
    Translation{"charset", "encoding"},
    Translation{"column_name_of_corrupt_record", "corrupt_record"},
    Translation{"session_local_time_zone", "timezone"},
    Translation{"time_zone", "timezone"},
    Translation{"aggregate", "agg"},
    Translation{"how_many", "limit"},
    Translation{"input", "from"},
    Translation{"inputs", "from"},
    Translation{"alias", "as"},
    Translation{"multiline", "multi_line"},
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
  if (contains(known, snake)) return " — here it is `" + snake + "`";
  const auto found = std::ranges::find(kTranslations, snake, &Translation::spark);
  if (found != kTranslations.end() && contains(known, found->here)) {
    return " — here it is `" + std::string(found->here) + "`";
  }
  return did_you_mean(word, known);
}

}  // namespace flowrun
