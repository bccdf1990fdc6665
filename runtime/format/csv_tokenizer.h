#pragma once
// CsvTokenizer: a record's fields, cut as univocity cuts them under Spark's settings.
//
// A quote counts at the beginning of a value only. A value in quotes ends at a quote before a
// separator, a line end or white space; at any other quote it turns out to be no quoted value at
// all: it is then the text up to the next separator, quotes and all (univocity's
// STOP_AT_DELIMITER). Inside quotes the escape stands before a quote or another escape. A record
// that ends inside quotes ends the value.

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/format/csv_options.h"

namespace flowrun {

struct CsvField {
  enum class Kind : uint8_t {
    plain,         // text is part of the record
    made,          // text is not: quotes or escapes were taken out
    empty,         // nothing between two separators
    quoted_empty,  // ""
  };
  Kind kind = Kind::empty;
  std::string_view text;
};

// Not thread-safe; meant to be reused.
class CsvTokenizer {
 public:
  // `options` must outlive this.
  explicit CsvTokenizer(const CsvReadOptions& options) : options_(options) {}

  // The fields of one record without its line end; they live until the next call. Line ends inside
  // are text.
  const std::vector<CsvField>& fields(std::string_view record);
  // The length of the first record of `text`, without its line end; npos if it may go on behind the
  // text. Line ends inside quotes belong to it.
  [[nodiscard]] size_t record_length(std::string_view text, bool at_end);

  // A line that is no record: blank, or a comment.
  [[nodiscard]] bool skips(std::string_view line) const;

 private:
  // Reads the value at `at`; leaves `at` at the separator, the line end or the end behind it.
  void value(std::string_view text, size_t& at);
  void quoted_value(std::string_view text, size_t& at);
  void broken_value(std::string_view text, size_t start, size_t& at);
  void add(CsvField::Kind kind, std::string_view text);
  [[nodiscard]] bool at_separator(std::string_view text, size_t at) const {
    return text[at] == options_.sep[0] &&
           (options_.sep.size() == 1 || text.substr(at).starts_with(options_.sep));
  }
  [[nodiscard]] bool at_stop(std::string_view text, size_t at) const {
    return at >= text.size() || at_separator(text, at) || is_line_end(text[at]);
  }
  [[nodiscard]] bool is_line_end(char c) const { return cuts_ && (c == '\n' || c == '\r'); }
  [[nodiscard]] bool is_white_space(char c) const { return static_cast<unsigned char>(c) <= ' '; }

  const CsvReadOptions& options_;
  std::vector<CsvField> fields_;
  std::deque<std::string> made_;  // what fields of kind made stand in; a deque, so that they stay
  size_t num_made_ = 0;
  bool cuts_ = false;  // line ends outside quotes end the record
  bool open_ = false;  // the text ended inside quotes
};

}  // namespace flowrun
