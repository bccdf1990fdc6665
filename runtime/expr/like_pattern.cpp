#include "runtime/expr/like_pattern.h"

#include <fmt/format.h>

namespace flowrun {

namespace {

constexpr size_t kNone = std::string_view::npos;

size_t character_length(char first) {
  const auto byte = static_cast<unsigned char>(first);
  if (byte < 0xc0) return 1;
  return byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

}  // namespace

Result<LikePattern> LikePattern::compile(std::string_view pattern, std::string_view escape) {
  LikePattern compiled;
  compiled.pieces_.emplace_back();
  for (size_t at = 0; at < pattern.size();) {
    Piece& piece = compiled.pieces_.back();
    if (!escape.empty() && pattern.substr(at).starts_with(escape)) {
      at += escape.size();
      if (at >= pattern.size()) {
        return Error::data(
            fmt::format("the LIKE pattern '{}' ends with its escape character", pattern));
      }
      const bool special = pattern[at] == '%' || pattern[at] == '_';
      if (!special && !pattern.substr(at).starts_with(escape)) {
        return Error::data(fmt::format(
            "the LIKE pattern '{}' escapes `{}` — only %, _ and the escape itself can be", pattern,
            pattern[at]));
      }
      const size_t length = special ? 1 : escape.size();
      piece.bytes += pattern.substr(at, length);
      piece.wild.append(length, '\0');
      at += length;
    } else if (pattern[at] == '%') {
      compiled.pieces_.emplace_back();
      ++at;
    } else {
      const bool one = pattern[at] == '_';
      piece.bytes += pattern[at++];
      piece.wild += one ? '\1' : '\0';
      piece.has_wild = piece.has_wild || one;
    }
  }
  return compiled;
}

size_t LikePattern::Piece::match_at(std::string_view text, size_t at) const {
  const size_t begin = at;
  if (!has_wild) return text.substr(at).starts_with(bytes) ? bytes.size() : kNone;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (at >= text.size()) return kNone;
    if (wild[i] != 0) {
      at = std::min(at + character_length(text[at]), text.size());
    } else if (text[at++] != bytes[i]) {
      return kNone;
    }
  }
  return at - begin;
}

// The last place where the piece ends the text, at or after `from`.
bool LikePattern::Piece::ends(std::string_view text, size_t from) const {
  if (!has_wild) return text.size() >= from + bytes.size() && text.ends_with(bytes);
  for (size_t at = from; at <= text.size();
       at += at < text.size() ? character_length(text[at]) : 1) {
    const size_t length = match_at(text, at);
    if (length != kNone && at + length == text.size()) return true;
  }
  return false;
}

bool LikePattern::matches(std::string_view text) const {
  const Piece& first = pieces_.front();
  size_t at = first.match_at(text, 0);
  if (at == kNone) return false;
  if (pieces_.size() == 1) return at == text.size();
  for (size_t i = 1; i + 1 < pieces_.size(); ++i) {
    const Piece& piece = pieces_[i];
    if (!piece.has_wild) {
      const size_t found = text.find(piece.bytes, at);
      if (found == kNone) return false;
      at = found + piece.bytes.size();
      continue;
    }
    size_t length = kNone;
    while (at < text.size() && (length = piece.match_at(text, at)) == kNone)
      at += character_length(text[at]);
    if (length == kNone) return false;
    at += length;
  }
  return pieces_.back().ends(text, at);
}

}  // namespace flowrun
