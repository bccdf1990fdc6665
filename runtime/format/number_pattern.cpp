#include "runtime/format/number_pattern.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/format/decimal.h"

namespace flowrun {

// Reads a pattern, and refuses what Spark refuses.
class NumberPattern::Reader {
 public:
  using Kind = Token::Kind;
  explicit Reader(std::string_view pattern) : written_(pattern) {
    for (const char c : pattern)
      pattern_ += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }

  Result<NumberPattern> read() {
    while (at_ < pattern_.size()) FLOWRUN_RETURN_IF_ERROR(token());
    FLOWRUN_RETURN_IF_ERROR(check_order());
    const int precision = whole_ + fraction_;
    if (whole_ == 0 && fraction_ == 0) return wrong("has no digits");
    if (precision > kMaxDecimalPrecision) return wrong("has more than 38 digits");
    NumberPattern result;
    result.tokens_ = std::move(tokens_);
    result.type_ = Type::decimal(precision, fraction_);
    return result;
  }

 private:
  [[nodiscard]] Error wrong(std::string_view why) const {
    return Error::invalid(
        fmt::format("the number format '{}' {} — one is '$9,999.99', made of 0 9 . D , G $ S MI PR",
                    written_, why));
  }
  static bool is_digit(char c) { return c == '0' || c == '9'; }

  Status token() {
    const char c = pattern_[at_];
    if (is_digit(c)) return digits();
    if (pattern_.compare(at_, 2, "MI") == 0 || pattern_.compare(at_, 2, "PR") == 0) {
      at_ += 2;
      if (c == 'M') return add(Kind::minus);
      tokens_.insert(tokens_.begin(), Token{Kind::open});
      return add(Kind::close);
    }
    ++at_;
    switch (c) {
      case '.':
      case 'D':
        behind_point_ = true;
        return add(Kind::point);
      case '$':
        return add(Kind::dollar);
      case 'S':
        return add(Kind::sign);
      case ',':
      case 'G':
        return wrong("has a separator that is not between digits");
      default:
        return wrong(fmt::format("has the character `{}`", c));
    }
  }

  Status add(Kind kind) {
    const auto same = [kind](const Token& token) { return token.kind == kind; };
    if (std::ranges::any_of(tokens_, same)) return wrong("says something twice");
    tokens_.push_back(Token{kind});
    return {};
  }

  // Runs of digits, parted by separators.
  Status digits() {
    Token token{Kind::digits};
    while (true) {
      Run run{0, pattern_[at_] == '0' && !behind_point_};
      for (; at_ < pattern_.size() && is_digit(pattern_[at_]); ++at_) ++run.count;
      (behind_point_ ? fraction_ : whole_) += run.count;
      token.runs.push_back(run);
      const bool separated =
          at_ < pattern_.size() && (pattern_[at_] == ',' || pattern_[at_] == 'G');
      if (!separated) break;
      if (behind_point_ || ++at_ == pattern_.size() || !is_digit(pattern_[at_]))
        return wrong("has a separator that is not between digits before the point");
    }
    tokens_.push_back(std::move(token));
    return {};
  }

  // [open] [MI S] [$] digits [point] [digits] [MI S close]
  Status check_order() {
    const std::vector<std::vector<Kind>> order{{Kind::open},
                                               {Kind::minus, Kind::sign},
                                               {Kind::dollar},
                                               {Kind::digits},
                                               {Kind::point},
                                               {Kind::digits},
                                               {Kind::minus, Kind::sign, Kind::close}};
    size_t next = 0;
    for (const auto& allowed : order) {
      const bool fits =
          next < tokens_.size() && std::ranges::find(allowed, tokens_[next].kind) != allowed.end();
      next += fits ? 1 : 0;
    }
    if (next < tokens_.size()) return wrong("has its parts in a wrong order");
    return {};
  }

  std::string_view written_;
  std::string pattern_;
  size_t at_ = 0;
  std::vector<Token> tokens_;
  bool behind_point_ = false;
  int whole_ = 0;
  int fraction_ = 0;
};

// One text read by a pattern.
class NumberPattern::Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  bool accept(const Token& token) {
    const char next = at_ < text_.size() ? text_[at_] : '\0';
    switch (token.kind) {
      case Token::Kind::digits:
        return digits(token.runs);
      case Token::Kind::point:
        if (next == '.') ++at_, behind_point_ = true;
        return true;
      case Token::Kind::dollar:
        at_ += next == '$' ? 1 : 0;
        return next == '$' || next == '\0';
      case Token::Kind::sign:
        if (next == '+') ++at_;
        [[fallthrough]];
      case Token::Kind::minus:
        if (next == '-') ++at_, negative_ = true;
        return true;
      case Token::Kind::open:
        if (next == '<') ++at_, open_ = true;
        return true;
      case Token::Kind::close:
        if (next != '>') return true;
        if (!open_) return false;
        ++at_;
        open_ = false;
        negative_ = true;
        return true;
    }
    return false;
  }

  [[nodiscard]] std::optional<Decimal128> finish(const Type& type) const {
    if (at_ < text_.size() || open_) return std::nullopt;
    const std::string number = (negative_ ? "-" : "") + whole_ + "." + fraction_;
    return parse_decimal(number, type.precision(), type.scale());
  }

 private:
  // Digits, separators and spaces as far as they go; runs are compared from the right.
  bool digits(const std::vector<Run>& runs) {
    std::vector<int> sizes{0};
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c >= '0' && c <= '9') {
        (behind_point_ ? fraction_ : whole_) += c;
        ++sizes.back();
      } else if (c == ',') {
        sizes.push_back(0);
      } else if (c != ' ' && (c < '\t' || c > '\r')) {
        break;
      }
    }
    if (sizes.size() > runs.size()) return false;
    for (size_t i = 0; i < runs.size(); ++i) {
      const Run& run = runs[runs.size() - 1 - i];
      const int size = i < sizes.size() ? sizes[sizes.size() - 1 - i] : 0;
      if (run.exact ? size != run.count : size > run.count) return false;
    }
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
  std::string whole_;
  std::string fraction_;
  bool behind_point_ = false;
  bool negative_ = false;
  bool open_ = false;
};

// One number written by a pattern.
class NumberPattern::Formatter {
 public:
  Formatter(Decimal128 unscaled, int scale, const Type& type) : negative_(unscaled < 0) {
    std::string text;
    append_decimal(unscaled, scale, text);
    const size_t point = std::min(text.find('.'), text.size());
    whole_ = text.substr(0, point);
    whole_.erase(0, std::min(whole_.find_first_not_of("-0"), whole_.size()));
    if (point < text.size()) fraction_ = text.substr(point + 1);
    while (!fraction_.empty() && fraction_.back() == '0') fraction_.pop_back();
    const auto fraction_places = static_cast<size_t>(type.scale());
    const auto whole_places = static_cast<size_t>(type.precision()) - fraction_places;
    if (whole_.size() > whole_places || fraction_.size() > fraction_places) {
      whole_.assign(whole_places, '#');
      fraction_.assign(fraction_places, '#');
    }
    whole_.insert(0, whole_places - whole_.size(), ' ');
    fraction_.resize(fraction_places, '0');
  }

  void append(const Token& token) {
    switch (token.kind) {
      case Token::Kind::digits:
        return digits(token.runs);
      case Token::Kind::point:
        if (!text_.empty() && text_.back() == ' ') text_.back() = '0';
        text_ += '.';
        behind_point_ = true;
        return;
      case Token::Kind::dollar:
        text_ += '$';
        return;
      case Token::Kind::sign:
        strip_lone_point();
        return put_before_spaces(negative_ ? '-' : '+');
      case Token::Kind::minus:
        if (negative_) strip_lone_point();
        return negative_ ? put_before_spaces('-') : static_cast<void>(text_ += ' ');
      case Token::Kind::open:
        if (negative_) text_ += '<';
        return;
      case Token::Kind::close:
        strip_lone_point();
        return negative_ ? put_before_spaces('>') : static_cast<void>(text_ += "  ");
    }
  }

  std::string finish() {
    strip_lone_point();
    return text_.empty() || text_ == "+" || text_ == "-" ? "0" : std::move(text_);
  }

 private:
  void digits(const std::vector<Run>& runs) {
    for (size_t i = 0; i < runs.size(); ++i) {
      if (i > 0) {
        const bool digit = !text_.empty() && text_.back() >= '0' && text_.back() <= '9';
        digit ? static_cast<void>(text_ += ',') : add_space();
      }
      for (int n = 0; n < runs[i].count; ++n) {
        if (behind_point_) {
          text_ += fraction_[next_fraction_++];
        } else {
          whole_digit(whole_[next_whole_++], runs[i].exact);
        }
      }
    }
  }
  void whole_digit(char c, bool with_zeros) {
    if (c != ' ') {
      text_ += c;
    } else if (with_zeros) {
      text_ += '0';
    } else {
      add_space();
    }
  }
  // Spaces go before a sign that stands at the end.
  void add_space() {
    size_t at = text_.size();
    while (at > 0 && std::string_view("+-<").find(text_[at - 1]) != std::string_view::npos) --at;
    text_.insert(at, 1, ' ');
  }
  void put_before_spaces(char c) {
    size_t at = text_.size();
    while (at > 0 && text_[at - 1] == ' ') --at;
    text_.insert(at, 1, c);
  }
  // A point with nothing behind it becomes a space.
  void strip_lone_point() {
    const size_t point = text_.find('.');
    if (point != std::string::npos && (point + 1 == text_.size() || text_[point + 1] == ' '))
      text_[point] = ' ';
  }

  bool negative_;
  std::string whole_;
  std::string fraction_;
  size_t next_whole_ = 0;
  size_t next_fraction_ = 0;
  bool behind_point_ = false;
  std::string text_;
};

Result<NumberPattern> NumberPattern::compile(std::string_view pattern) {
  return Reader(pattern).read();
}

std::optional<Decimal128> NumberPattern::parse(std::string_view text) const {
  Parser parser(text);
  for (const Token& token : tokens_) {
    if (!parser.accept(token)) return std::nullopt;
  }
  return parser.finish(type_);
}

void NumberPattern::format(Decimal128 unscaled, int scale, std::string& out) const {
  Formatter formatter(unscaled, scale, type_);
  for (const Token& token : tokens_) formatter.append(token);
  out += formatter.finish();
}

}  // namespace flowrun
