#include "runtime/state/row_pattern.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/columnar/type.h"

namespace flowrun {

namespace {

constexpr int kMostNested = 100;
constexpr int64_t kMostTimes = 1000;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || is_digit(c);
}

class PatternParser {
 public:
  explicit PatternParser(std::string_view text) : text_(text) {}

  Result<RowPattern> parse() {
    FLOWRUN_TRY(pattern_.root, choice());
    if (!at_end()) return unexpected("the end of the pattern");
    return std::move(pattern_);
  }

 private:
  void skip_blanks() {
    while (position_ < text_.size() && is_blank(text_[position_])) ++position_;
  }
  bool at_end() {
    skip_blanks();
    return position_ == text_.size();
  }
  bool next_is(char c) { return !at_end() && text_[position_] == c; }
  bool accept(char c) {
    if (!next_is(c)) return false;
    ++position_;
    return true;
  }
  Error unexpected(std::string_view wanted) {
    if (at_end()) {
      return Error::invalid(fmt::format("the pattern ends too early — {} is missing", wanted))
          .at_offset(position_);
    }
    return Error::invalid(fmt::format("`{}` is not expected here in the pattern — write {}",
                                      text_[position_], wanted))
        .at_offset(position_);
  }

  Result<PatternPart> choice() {
    if (++depth_ > kMostNested)
      return Error::invalid("the pattern has too many brackets in one another")
          .at_offset(position_);
    PatternPart whole{.kind = PatternPart::Kind::choice};
    do {
      FLOWRUN_TRY(whole.parts.emplace_back(), sequence());
    } while (accept('|'));
    --depth_;
    return whole.parts.size() == 1 ? PatternPart(whole.parts[0]) : std::move(whole);
  }

  Result<PatternPart> sequence() {
    PatternPart whole{.kind = PatternPart::Kind::sequence};
    do {
      FLOWRUN_TRY(whole.parts.emplace_back(), repeat());
    } while (!at_end() && text_[position_] != '|' && text_[position_] != ')');
    return whole.parts.size() == 1 ? PatternPart(whole.parts[0]) : std::move(whole);
  }

  Result<PatternPart> repeat() {
    FLOWRUN_TRY(PatternPart inner, primary());
    PatternPart whole{.kind = PatternPart::Kind::repeat};
    if (accept('*')) {
      whole.least = 0;
    } else if (accept('+')) {
      whole.least = 1;
    } else if (accept('?')) {
      whole.most = 1;
    } else if (next_is('{')) {
      FLOWRUN_RETURN_IF_ERROR(times(whole));
    } else {
      return inner;
    }
    whole.reluctant = accept('?');
    if (next_is('*') || next_is('+') || next_is('?') || next_is('{'))
      return Error::invalid("only one quantifier may stand behind a variable — put brackets around")
          .at_offset(position_);
    whole.parts.push_back(std::move(inner));
    return whole;
  }

  // {n} {n,} {n,m} {,m}
  Status times(PatternPart& whole) {
    const size_t begin = position_++;
    FLOWRUN_TRY(const std::optional<int64_t> least, number());
    whole.least = least.value_or(0);
    whole.most = least;
    const bool range = accept(',');
    if (range) {
      FLOWRUN_TRY(whole.most, number());
    }
    if (!accept('}')) return unexpected("{n}, {n,}, {n,m} or {,m}");
    if (!least && !whole.most)
      return Error::invalid(
                 "a quantifier names at least one number — write {n}, {n,}, {n,m} or {,m}")
          .at_offset(begin);
    if (whole.most && (*whole.most < whole.least || *whole.most == 0)) {
      return Error::invalid(
                 fmt::format("{{{},{}}} is no range — the second number is above zero and "
                             "not below the first",
                             whole.least, *whole.most))
          .at_offset(begin);
    }
    return {};
  }

  Result<std::optional<int64_t>> number() {
    skip_blanks();
    const size_t begin = position_;
    int64_t value = 0;
    while (position_ < text_.size() && is_digit(text_[position_])) {
      value = value * 10 + (text_[position_++] - '0');
      if (value > kMostTimes)
        return Error::invalid(fmt::format("a quantifier goes up to {}", kMostTimes))
            .at_offset(begin);
    }
    if (position_ == begin) return std::optional<int64_t>();
    return std::optional<int64_t>(value);
  }

  Result<PatternPart> primary() {
    if (next_is('(')) {
      const size_t begin = position_++;
      if (next_is(')')) return Error::invalid("a group without a variable").at_offset(begin);
      FLOWRUN_TRY(PatternPart inner, choice());
      if (!accept(')')) return unexpected("a closing bracket");
      return inner;
    }
    if (next_is('^') || next_is('$')) {
      return Error::invalid(
                 "a stream has no first and no last row, so `^` and `$` mean nothing — "
                 "leave them out")
          .at_offset(position_);
    }
    if (next_is('{')) {
      return Error::invalid(
                 "exclusions `{- -}` are for all rows per match — one row per match has "
                 "no use for them; leave the braces out")
          .at_offset(position_);
    }
    return variable();
  }

  Result<PatternPart> variable() {
    skip_blanks();
    const size_t begin = position_;
    std::string name;
    if (accept('`')) {
      const size_t end = text_.find('`', position_);
      if (end == std::string_view::npos || end == position_)
        return Error::invalid("a name in back-quotes has no end, or nothing in it")
            .at_offset(begin);
      name = text_.substr(position_, end - position_);
      position_ = end + 1;
    } else {
      while (position_ < text_.size() && is_name(text_[position_])) ++position_;
      name = text_.substr(begin, position_ - begin);
      if (name.empty() || is_digit(name[0])) {
        position_ = begin;
        return unexpected("a variable such as `A`");
      }
      if (names_equal(name, "permute") && next_is('(')) {
        return Error::invalid("`permute` is not supported — write the orders out: (A B | B A)")
            .at_offset(begin);
      }
    }
    PatternPart part;
    part.variable = pattern_.find(name).value_or(pattern_.variables.size());
    if (part.variable == pattern_.variables.size()) {
      if (part.variable == RowPattern::kMostVariables)
        return Error::invalid(
                   fmt::format("a pattern has at most {} variables", RowPattern::kMostVariables))
            .at_offset(begin);
      pattern_.variables.push_back(std::move(name));
    }
    return part;
  }

  std::string_view text_;
  size_t position_ = 0;
  int depth_ = 0;
  RowPattern pattern_;
};

}  // namespace

std::optional<size_t> RowPattern::find(std::string_view name) const {
  const auto found = std::ranges::find_if(
      variables, [&](const std::string& variable) { return names_equal(variable, name); });
  if (found == variables.end()) return std::nullopt;
  return static_cast<size_t>(found - variables.begin());
}

Result<RowPattern> parse_row_pattern(std::string_view text) { return PatternParser(text).parse(); }

}  // namespace flowrun
