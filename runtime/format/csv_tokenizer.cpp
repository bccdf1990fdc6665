#include "runtime/format/csv_tokenizer.h"

#include <algorithm>

namespace flowrun {

bool CsvTokenizer::skips(std::string_view line) const {
  if (std::ranges::all_of(line, [&](char c) { return is_white_space(c); })) return true;
  return options_.comment != '\0' && line.starts_with(options_.comment);
}

const std::vector<CsvField>& CsvTokenizer::fields(std::string_view record) {
  fields_.clear();
  num_made_ = 0;
  cuts_ = false;
  for (size_t at = 0;; at += options_.sep.size()) {
    value(record, at);
    if (at >= record.size()) return fields_;
  }
}

size_t CsvTokenizer::record_length(std::string_view text, bool at_end) {
  fields_.clear();
  num_made_ = 0;
  cuts_ = true;
  open_ = false;
  const bool is_comment = options_.comment != '\0' && text.starts_with(options_.comment);
  size_t at = is_comment ? std::min(text.find_first_of("\r\n"), text.size()) : 0;
  while (!is_comment) {
    value(text, at);
    if (at >= text.size() || is_line_end(text[at])) break;
    at += options_.sep.size();
  }
  // A CR at the very end may be half a line end.
  const bool complete = at < text.size() && (text[at] == '\n' || at + 1 < text.size());
  return complete || at_end ? at : std::string_view::npos;
}

void CsvTokenizer::add(CsvField::Kind kind, std::string_view text) {
  fields_.push_back({kind, text});
}

void CsvTokenizer::value(std::string_view text, size_t& at) {
  if (options_.ignore_leading_white_space) {
    while (!at_stop(text, at) && is_white_space(text[at])) ++at;
  }
  if (at_stop(text, at)) return add(CsvField::Kind::empty, {});
  if (options_.quote != '\0' && text[at] == options_.quote) return quoted_value(text, at);
  const size_t start = at;
  while (!at_stop(text, at)) ++at;
  size_t end = at;
  while (options_.ignore_trailing_white_space && end > start && is_white_space(text[end - 1]))
    --end;
  add(end > start ? CsvField::Kind::plain : CsvField::Kind::empty, text.substr(start, end - start));
}

void CsvTokenizer::quoted_value(std::string_view text, size_t& at) {
  const size_t start = at++;
  if (made_.size() == num_made_) made_.emplace_back();
  std::string& made = made_[num_made_];
  made.clear();
  bool copied = false;  // `made` differs from the text between the quotes
  const size_t begin = at;
  size_t end = text.size();
  while (at < text.size()) {
    const char c = text[at];
    const char next = at + 1 < text.size() ? text[at + 1] : '\0';
    const bool is_last = at + 1 >= text.size();
    if (c == options_.escape && c != '\0' && !is_last &&
        (next == options_.quote || (next == c && c != options_.quote))) {
      copied = true;
      made += next;
      at += 2;
    } else if (c == options_.quote) {
      end = at++;
      while (!at_stop(text, at) && is_white_space(text[at])) ++at;
      if (!at_stop(text, at)) return broken_value(text, start, at = end);
      break;
    } else {
      made += c;
      ++at;
    }
  }
  if (end == text.size()) open_ = true;
  if (made.empty()) return add(CsvField::Kind::quoted_empty, {});
  if (!copied) return add(CsvField::Kind::plain, text.substr(begin, end - begin));
  ++num_made_;
  add(CsvField::Kind::made, made);
}

// What began with a quote but does not end with one; `at` is at the quote that shows it.
void CsvTokenizer::broken_value(std::string_view text, size_t start, size_t& at) {
  const size_t rest = at;
  while (!at_stop(text, at)) ++at;
  size_t end = at;
  while (options_.ignore_trailing_white_space && end > rest && is_white_space(text[end - 1])) --end;
  std::string& made = made_[num_made_++];
  made.insert(made.begin(), text[start]);
  made += text.substr(rest, end - rest);
  add(CsvField::Kind::made, made);
}

}  // namespace flowrun
