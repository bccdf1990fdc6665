#include "tools/flowrun/text_edits.h"

#include <algorithm>

namespace flowrun {

std::optional<std::string> TextEdits::apply(std::string_view text) const {
  std::vector<Edit> edits = edits_;
  std::ranges::stable_sort(edits, {}, &Edit::begin);
  std::string out;
  size_t at = 0;
  for (const Edit& edit : edits) {
    if (edit.begin < at || edit.end < edit.begin || edit.end > text.size()) return std::nullopt;
    out += text.substr(at, edit.begin - at);
    out += edit.by;
    at = edit.end;
  }
  return out + std::string(text.substr(at));
}

size_t YamlPieces::begin_of(const Position& position) const {
  return skip_properties(text_, lines_.offset_of(position.line, position.column));
}

size_t YamlPieces::line_of(size_t at) const {
  if (at == 0) return 0;
  const size_t end = text_.rfind('\n', at - 1);
  return end == std::string_view::npos ? 0 : end + 1;
}

size_t YamlPieces::line_after(size_t at) const {
  const size_t end = text_.find('\n', at);
  return end == std::string_view::npos ? text_.size() : end + 1;
}

// Inside a plain text a quote is a letter.
bool YamlPieces::opens_quote(size_t at) const {
  if (text_[at] != '"' && text_[at] != '\'') return false;
  return at == 0 || std::string_view(" \n\t[{,").find(text_[at - 1]) != std::string_view::npos;
}

bool YamlPieces::opens_comment(size_t at) const {
  return text_[at] == '#' &&
         (at == 0 || text_[at - 1] == ' ' || text_[at - 1] == '\n' || text_[at - 1] == '\t');
}

size_t YamlPieces::quote_end(size_t begin) const {
  const char quote = text_[begin];
  for (size_t at = begin + 1; at < text_.size(); ++at) {
    if (text_[at] == '\\' && quote == '"') {
      ++at;
    } else if (text_[at] == quote) {
      if (quote == '"' || at + 1 == text_.size() || text_[at + 1] != quote) return at + 1;
      ++at;
    }
  }
  return text_.size();
}

size_t YamlPieces::comment_from(size_t at) const {
  while (at < text_.size() && text_[at] != '\n' && !opens_comment(at))
    at = opens_quote(at) ? quote_end(at) : at + 1;
  return at;
}

size_t YamlPieces::bracket_end(size_t begin) const {
  size_t depth = 0;
  for (size_t at = begin; at < text_.size();) {
    if (opens_comment(at)) {
      at = line_after(at);
    } else if (opens_quote(at)) {
      at = quote_end(at);
    } else {
      const char c = text_[at++];
      if (c == '{' || c == '[') ++depth;
      if ((c == '}' || c == ']') && --depth == 0) return at;
    }
  }
  return text_.size();
}

size_t YamlPieces::without_spaces(size_t begin, size_t end) const {
  while (end > begin && (text_[end - 1] == ' ' || text_[end - 1] == '\n')) --end;
  return end;
}

size_t YamlPieces::end_of(size_t begin, bool in_flow) const {
  if (begin >= text_.size()) return text_.size();
  if (is_flow(begin)) return bracket_end(begin);
  if (in_flow) {
    if (opens_quote(begin)) return quote_end(begin);
    return without_spaces(begin, std::min(text_.find_first_of(",]}\n", begin), text_.size()));
  }
  size_t end = without_spaces(begin, comment_from(begin));
  const size_t column = column_of(begin);
  for (size_t line = line_after(begin); line < text_.size(); line = line_after(line)) {
    const size_t first = text_.find_first_not_of(' ', line);
    if (first == std::string_view::npos) break;
    if (text_[first] == '\n' || text_[first] == '#') continue;
    if (first - line < column) break;
    end = std::max(end, without_spaces(first, comment_from(first)));
  }
  return end;
}

std::vector<std::string> YamlPieces::comments(size_t begin, size_t end) const {
  std::vector<std::string> found;
  for (size_t at = begin; at < end; at = line_after(at)) {
    at = comment_from(at);
    if (at >= end) break;
    if (text_[at] == '#')
      found.emplace_back(
          text_.substr(at, without_spaces(at, std::min(line_after(at), text_.size())) - at));
  }
  return found;
}

std::pair<size_t, size_t> YamlPieces::extent_of_key(std::string_view key) const {
  const std::string head = std::string(key) + ":";
  size_t begin = std::string_view::npos;
  for (size_t line = 0; line < text_.size(); line = line_after(line)) {
    constexpr std::string_view kBelongs = " \n#-}]";
    if (begin == std::string_view::npos) {
      if (text_.substr(line).starts_with(head)) begin = line;
    } else if (kBelongs.find(text_[line]) == std::string_view::npos) {
      return {begin, line};
    }
  }
  return begin == std::string_view::npos ? std::pair<size_t, size_t>{0, 0}
                                         : std::pair{begin, text_.size()};
}

}  // namespace flowrun
