#include "runtime/config/scalar_source.h"

#include <algorithm>

namespace flowrun {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n'; }

// The offset of the first byte of content: behind the quote, or behind the header line of a block.
size_t content_start(std::string_view source, size_t offset) {
  const char c = offset < source.size() ? source[offset] : ' ';
  if (c == '"' || c == '\'') return offset + 1;
  if (c != '|' && c != '>') return offset;
  return std::min(source.size(), source.find('\n', offset));
}

size_t end_of_quotes(std::string_view source, size_t offset) {
  const char quote = source[offset];
  for (size_t i = offset + 1; i < source.size(); ++i) {
    if (quote == '"' && source[i] == '\\') {
      ++i;
    } else if (source[i] == quote) {
      const bool doubled = quote == '\'' && i + 1 < source.size() && source[i + 1] == quote;
      if (!doubled) return i + 1;
      ++i;
    }
  }
  return source.size();
}

// How many bytes of a double-quoted source the escape at `offset` takes.
size_t escape_length(std::string_view source, size_t offset) {
  const char kind = offset + 1 < source.size() ? source[offset + 1] : ' ';
  if (kind == 'x') return 4;
  if (kind == 'u') return 6;
  return kind == 'U' ? 10 : 2;
}

// Walks text and source side by side, marking where the text leaps in the source.
class Alignment {
 public:
  Alignment(const LineIndex& lines, std::string_view text, size_t start, char style)
      : lines_(lines), source_(lines.source()), text_(text), at_(start), style_(style) {}

  std::vector<TextMark> run() {
    for (size_t i = 0; i < text_.size() && at_ < source_.size();) i = step(i);
    return std::move(marks_);
  }

 private:
  size_t step(size_t i) {
    const char c = source_[at_];
    if (style_ == '"' && c == '\\') return escape(i);
    if (c == text_[i]) {
      if (jumped_) mark(i);
      ++at_;
      if (style_ == '\'' && c == '\'') ++at_, jumped_ = true;
      return i + 1;
    }
    jumped_ = true;
    if (is_blank(c)) {
      ++at_;  // indentation, folded line ends
      return i;
    }
    return i + 1;  // a folded blank of the text
  }

  size_t escape(size_t i) {
    mark(i);
    const bool continues = at_ + 1 < source_.size() && source_[at_ + 1] == '\n';
    at_ = std::min(source_.size(), at_ + escape_length(source_, at_));
    jumped_ = true;
    if (continues) return i;
    ++i;
    while (i < text_.size() && (static_cast<unsigned char>(text_[i]) & 0xC0) == 0x80) ++i;
    return i;
  }

  void mark(size_t i) {
    TextMark here = lines_.mark_at(at_);
    here.offset = static_cast<int32_t>(i);
    marks_.push_back(here);
    jumped_ = false;
  }

  const LineIndex& lines_;
  std::string_view source_;
  std::string_view text_;
  size_t at_;
  char style_;
  bool jumped_ = false;
  std::vector<TextMark> marks_;
};

}  // namespace

LineIndex::LineIndex(std::string_view source) : source_(source), starts_{0} {
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\n') starts_.push_back(i + 1);
  }
}

TextMark LineIndex::mark_at(size_t offset) const {
  const auto after = std::ranges::upper_bound(starts_, offset);
  const auto line = static_cast<size_t>(after - starts_.begin());
  return {0, static_cast<int32_t>(line), static_cast<int32_t>(offset - starts_[line - 1] + 1)};
}

size_t LineIndex::offset_of(int32_t line, int32_t column) const {
  const size_t index = std::min(starts_.size(), static_cast<size_t>(std::max(line, 1))) - 1;
  return std::min(source_.size(), starts_[index] + static_cast<size_t>(std::max(column, 1)) - 1);
}

size_t skip_properties(std::string_view source, size_t offset) {
  while (offset < source.size() && (source[offset] == '&' || source[offset] == '!')) {
    while (offset < source.size() && !is_blank(source[offset])) ++offset;
    while (offset < source.size() && (is_blank(source[offset]) || source[offset] == '#')) {
      const bool comment = source[offset] == '#';
      offset = comment ? std::min(source.size(), source.find('\n', offset)) : offset + 1;
    }
  }
  return offset;
}

ScalarSource locate_scalar(const LineIndex& lines, size_t offset, std::string_view text) {
  const std::string_view source = lines.source();
  ScalarSource scalar;
  scalar.offset = skip_properties(source, offset);
  const char style = scalar.offset < source.size() ? source[scalar.offset] : ' ';
  scalar.quoted = style == '"' || style == '\'';
  const size_t start = content_start(source, scalar.offset);
  const size_t line_end = std::min(source.size(), source.find('\n', scalar.offset));
  const bool in_one_piece =
      source.substr(start).starts_with(text) && text.find('\n') == std::string_view::npos;
  if (scalar.quoted) {
    const size_t end = std::min(end_of_quotes(source, scalar.offset), line_end);
    scalar.length = static_cast<int32_t>(end - scalar.offset);
  } else {
    scalar.length = static_cast<int32_t>(in_one_piece ? text.size() : line_end - scalar.offset);
  }
  const bool escaped = style == '\'' && text.find('\'') != std::string_view::npos;
  if (!in_one_piece || escaped) scalar.marks = Alignment(lines, text, start, style).run();
  return scalar;
}

}  // namespace flowrun
