// From java.util.regex's grammar to RE2's.
#include <algorithm>
#include <array>
#include <cstdio>

#include "runtime/expr/java_regex.h"
#include "runtime/format/unicode_case.h"

namespace flowrun {
namespace {

constexpr uint32_t kLastCodePoint = 0x10ffff;

// A set of code points as sorted, disjoint ranges, both ends in.
class CodePointSet {
 public:
  struct Range {
    uint32_t first;
    uint32_t last;
  };
  CodePointSet() = default;
  CodePointSet(std::initializer_list<Range> ranges) : ranges_(ranges) { normalise(); }

  void add(uint32_t first, uint32_t last) {
    ranges_.push_back({first, last});
    normalise();
  }
  void add(const CodePointSet& other) {
    ranges_.insert(ranges_.end(), other.ranges_.begin(), other.ranges_.end());
    normalise();
  }
  [[nodiscard]] CodePointSet complement() const {
    CodePointSet result;
    uint32_t next = 0;
    for (const Range& range : ranges_) {
      if (range.first > next) result.ranges_.push_back({next, range.first - 1});
      next = range.last + 1;
    }
    if (next <= kLastCodePoint) result.ranges_.push_back({next, kLastCodePoint});
    return result;
  }
  [[nodiscard]] CodePointSet intersect(const CodePointSet& other) const {
    CodePointSet both = complement();
    both.add(other.complement());
    return both.complement();
  }
  void append_to(std::string& out) const {
    for (const Range& range : ranges_) {
      append_point(range.first, out);
      if (range.last == range.first) continue;
      out += '-';
      append_point(range.last, out);
    }
  }
  [[nodiscard]] bool empty() const { return ranges_.empty(); }
  [[nodiscard]] bool is_single() const {
    return ranges_.size() == 1 && ranges_[0].first == ranges_[0].last;
  }
  // REQUIRES: not empty.
  [[nodiscard]] uint32_t least() const { return ranges_.front().first; }

  static void append_point(uint32_t point, std::string& out) {
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "\\x{%x}", point);
    out += text.data();
  }

 private:
  void normalise() {
    std::sort(ranges_.begin(), ranges_.end(),
              [](const Range& a, const Range& b) { return a.first < b.first; });
    std::vector<Range> merged;
    for (const Range& range : ranges_) {
      if (!merged.empty() && range.first <= merged.back().last + 1) {
        merged.back().last = std::max(merged.back().last, range.last);
      } else {
        merged.push_back(range);
      }
    }
    ranges_ = std::move(merged);
  }

  std::vector<Range> ranges_;
};

const CodePointSet& digits() {
  static const CodePointSet set{{'0', '9'}};
  return set;
}
const CodePointSet& words() {
  static const CodePointSet set{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
  return set;
}
const CodePointSet& spaces() {
  static const CodePointSet set{{'\t', '\r'}, {' ', ' '}};
  return set;
}
const CodePointSet& horizontal_spaces() {
  static const CodePointSet set{{'\t', '\t'},     {' ', ' '},       {0xa0, 0xa0},
                                {0x1680, 0x1680}, {0x180e, 0x180e}, {0x2000, 0x200a},
                                {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000}};
  return set;
}
const CodePointSet& line_ends() {
  static const CodePointSet set{{'\n', '\r'}, {0x85, 0x85}, {0x2028, 0x2029}};
  return set;
}
// What `.` does not match.
const CodePointSet& line_terminators() {
  static const CodePointSet set{{'\n', '\n'}, {'\r', '\r'}, {0x85, 0x85}, {0x2028, 0x2029}};
  return set;
}

// \d \w \s \h \v, and by their capitals the complements.
std::optional<CodePointSet> shorthand(char letter) {
  switch (letter) {
    case 'd':
      return digits();
    case 'D':
      return digits().complement();
    case 'w':
      return words();
    case 'W':
      return words().complement();
    case 's':
      return spaces();
    case 'S':
      return spaces().complement();
    case 'h':
      return horizontal_spaces();
    case 'H':
      return horizontal_spaces().complement();
    case 'v':
      return line_ends();
    case 'V':
      return line_ends().complement();
    default:
      return std::nullopt;
  }
}

// \p{Alpha} and kin: ASCII in Java.
std::optional<CodePointSet> posix_class(std::string_view name) {
  if (name == "Lower") return CodePointSet{{'a', 'z'}};
  if (name == "Upper") return CodePointSet{{'A', 'Z'}};
  if (name == "ASCII") return CodePointSet{{0, 0x7f}};
  if (name == "Alpha") return CodePointSet{{'A', 'Z'}, {'a', 'z'}};
  if (name == "Digit") return digits();
  if (name == "Alnum") return CodePointSet{{'0', '9'}, {'A', 'Z'}, {'a', 'z'}};
  if (name == "Punct") return CodePointSet{{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}};
  if (name == "Graph") return CodePointSet{{'!', '~'}};
  if (name == "Print") return CodePointSet{{' ', '~'}};
  if (name == "Blank") return CodePointSet{{'\t', '\t'}, {' ', ' '}};
  if (name == "Cntrl") return CodePointSet{{0, 0x1f}, {0x7f, 0x7f}};
  if (name == "XDigit") return CodePointSet{{'0', '9'}, {'A', 'F'}, {'a', 'f'}};
  if (name == "Space") return spaces();
  return std::nullopt;
}

// A Unicode property as RE2 names it; empty if it has none such.
std::string unicode_property(std::string_view name) {
  for (const std::string_view prefix : {"general_category=", "gc=", "script=", "sc=", "Is"}) {
    if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
  }
  if (name == "Alphabetic" || name == "javaAlphabetic") return "L";
  if (name == "Lowercase" || name == "javaLowerCase") return "Ll";
  if (name == "Uppercase" || name == "javaUpperCase") return "Lu";
  if (name == "Punctuation") return "P";
  if (name == "Digit" || name == "javaDigit") return "Nd";
  if (name == "Letter" || name == "javaLetter") return "L";
  if (name == "White_Space" || name == "javaWhitespace") return "Z";
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  });
  return plain ? std::string(name) : "";
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// What a class, or an escape for one, stands for: code points, and properties that only RE2 can
// expand.
struct ClassContent {
  CodePointSet points;
  std::string properties;  // \p{L}\P{Lu}
};

class Translator {
 public:
  explicit Translator(std::string_view pattern) : pattern_(pattern), rest_(pattern) {}

  Result<std::string> translate() {
    FLOWRUN_RETURN_IF_ERROR(alternatives(0));
    if (!rest_.empty()) return broken("a ) has no (");
    return std::move(out_);
  }

 private:
  Error broken(const std::string& why) const {
    return Error::data("`" + std::string(pattern_) + "` is no regular expression: " + why);
  }
  Error refused(const std::string& what) const {
    return Error::invalid("the regular expression `" + std::string(pattern_) + "` uses " + what +
                          ", which needs backtracking and is not supported — rewrite it without");
  }
  Error unsupported(const std::string& what) const {
    return Error::invalid("the regular expression `" + std::string(pattern_) + "` uses " + what +
                          ", which is not supported — rewrite it without");
  }
  [[nodiscard]] bool at(char c) const { return !rest_.empty() && rest_[0] == c; }
  bool take(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }

  Status alternatives(int depth);
  Status group(int depth);
  Status flags();
  Status quantifier();
  Status escape();
  Result<uint32_t> escaped_point(char letter);
  Result<std::optional<ClassContent>> escaped_class(char letter);
  Status character_class();
  Result<ClassContent> class_body();
  Result<ClassContent> class_operand();
  Result<ClassContent> class_item();
  void append_class(const ClassContent& content, bool negated);
  void append_literal(uint32_t point) {
    const bool plain = (point >= '0' && point <= '9') || (point >= 'A' && point <= 'Z') ||
                       (point >= 'a' && point <= 'z');
    if (plain) {
      out_ += static_cast<char>(point);
    } else {
      CodePointSet::append_point(point, out_);
    }
  }

  std::string_view pattern_;
  std::string_view rest_;
  std::string out_;
  bool dot_matches_all_ = false;
  bool quantifiable_ = false;
};

constexpr int kDeepest = 200;

// Up to the end or a closing parenthesis, which stays.
Status Translator::alternatives(int depth) {
  if (depth > kDeepest) return broken("its groups are nested too deeply");
  quantifiable_ = false;
  while (!rest_.empty() && !at(')')) {
    const char c = rest_[0];
    if (c == '(') {
      FLOWRUN_RETURN_IF_ERROR(group(depth));
    } else if (c == '[') {
      FLOWRUN_RETURN_IF_ERROR(character_class());
      quantifiable_ = true;
    } else if (c == '\\') {
      FLOWRUN_RETURN_IF_ERROR(escape());
    } else if (c == '*' || c == '+' || c == '?' || c == '{') {
      FLOWRUN_RETURN_IF_ERROR(quantifier());
    } else if (c == '|' || c == '^' || c == '$') {
      out_ += c;
      rest_.remove_prefix(1);
      quantifiable_ = c != '|';
    } else if (c == '.') {
      rest_.remove_prefix(1);
      if (dot_matches_all_) {
        out_ += "(?s:.)";
      } else {
        append_class({line_terminators(), ""}, true);
      }
      quantifiable_ = true;
    } else {
      append_literal(take_code_point(rest_));
      quantifiable_ = true;
    }
  }
  return {};
}

Status Translator::group(int depth) {
  rest_.remove_prefix(1);
  const bool outer_dot = dot_matches_all_;
  if (take("?=") || take("?!") || take("?<=") || take("?<!")) return refused("look-around");
  if (take("?>")) return refused("an atomic group");
  if (take("?<")) {
    out_ += "(?P<";
  } else if (take("?:")) {
    out_ += "(?:";
  } else if (take("?")) {
    FLOWRUN_RETURN_IF_ERROR(flags());
    if (take(")")) {  // for the rest of the group around
      quantifiable_ = false;
      return {};
    }
  } else {
    out_ += '(';
  }
  if (out_.ends_with("(?P<")) {
    const size_t end = rest_.find('>');
    if (end == std::string_view::npos) return broken("a group's name is not closed");
    out_ += rest_.substr(0, end + 1);
    rest_.remove_prefix(end + 1);
  }
  FLOWRUN_RETURN_IF_ERROR(alternatives(depth + 1));
  if (!take(")")) return broken("a ( is not closed");
  out_ += ')';
  dot_matches_all_ = outer_dot;
  quantifiable_ = true;
  return {};
}

// (?i-s) or (?i-s: — the closing parenthesis is left for the caller, the colon is taken.
Status Translator::flags() {
  std::string kept;
  bool on = true;
  for (; !rest_.empty() && !at(')') && !at(':'); rest_.remove_prefix(1)) {
    const char flag = rest_[0];
    if (flag == '-') {
      on = false;
      kept += '-';
    } else if (flag == 's') {
      dot_matches_all_ = on;
    } else if (flag == 'i' || flag == 'm') {
      kept += flag;
    } else if (flag == 'x' || flag == 'd' || flag == 'U') {
      return unsupported("the flag " + std::string(1, flag));
    } else if (flag != 'u') {
      return broken("there is no flag " + std::string(1, flag));
    }
  }
  if (rest_.empty()) return broken("a ( is not closed");
  if (kept.ends_with('-')) kept.pop_back();
  if (take(":")) {
    out_ += "(?" + kept + ":";
  } else if (!kept.empty()) {
    out_ += "(?" + kept + ")";
  }
  return {};
}

Status Translator::quantifier() {
  if (!quantifiable_) return broken("a " + std::string(1, rest_[0]) + " has nothing to repeat");
  if (at('{')) {
    const size_t end = rest_.find('}');
    const std::string_view counts = end == std::string_view::npos ? "" : rest_.substr(1, end - 1);
    const size_t comma = counts.find(',');
    const auto all_digits = [](std::string_view text) {
      return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
    };
    const std::string_view least = counts.substr(0, comma);
    const std::string_view most = comma == std::string_view::npos ? "" : counts.substr(comma + 1);
    if (least.empty() || !all_digits(least) || !all_digits(most))
      return broken("a { repeats nothing");
    out_ += rest_.substr(0, end + 1);
    rest_.remove_prefix(end + 1);
  } else {
    out_ += rest_[0];
    rest_.remove_prefix(1);
  }
  if (at('+')) return refused("a possessive quantifier");
  if (take("?")) out_ += '?';
  quantifiable_ = false;
  return {};
}

Status Translator::escape() {
  rest_.remove_prefix(1);
  if (rest_.empty()) return broken("it ends with a backslash");
  const char letter = rest_[0];
  quantifiable_ = true;
  if (letter == 'Q') {
    rest_.remove_prefix(1);
    const size_t end = rest_.find("\\E");
    std::string_view quoted = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 2);
    while (!quoted.empty()) append_literal(take_code_point(quoted));
    return {};
  }
  if ((letter >= '1' && letter <= '9') || letter == 'k') return refused("a back-reference");
  if (letter == 'G' || letter == 'X' || letter == 'N')
    return unsupported("\\" + std::string(1, letter));
  if (letter == 'b' || letter == 'B' || letter == 'A' || letter == 'z') {
    out_ += '\\';
    out_ += letter;
    rest_.remove_prefix(1);
    return {};
  }
  if (letter == 'Z') {
    out_ += "\\z";
    rest_.remove_prefix(1);
    return {};
  }
  if (letter == 'R') {
    out_ += "(?:\\r\\n|[\\x{a}-\\x{d}\\x{85}\\x{2028}\\x{2029}])";
    rest_.remove_prefix(1);
    return {};
  }
  FLOWRUN_TRY(const auto content, escaped_class(letter));
  if (content) {
    append_class(*content, false);
    return {};
  }
  FLOWRUN_TRY(const uint32_t point, escaped_point(letter));
  append_literal(point);
  return {};
}

// \d, \p{L}: the letter stands at the front, and is taken if it names a class.
Result<std::optional<ClassContent>> Translator::escaped_class(char letter) {
  if (auto set = shorthand(letter)) {
    rest_.remove_prefix(1);
    return std::optional<ClassContent>{ClassContent{std::move(*set), ""}};
  }
  if (letter != 'p' && letter != 'P') return std::optional<ClassContent>{};
  rest_.remove_prefix(1);
  std::string_view name = rest_.substr(0, 1);
  if (at('{')) {
    const size_t end = rest_.find('}');
    if (end == std::string_view::npos) return broken("a property is not closed");
    name = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
  } else if (!rest_.empty()) {
    rest_.remove_prefix(1);
  }
  if (auto set = posix_class(name)) {
    return std::optional<ClassContent>{
        ClassContent{letter == 'P' ? set->complement() : std::move(*set), ""}};
  }
  const std::string property = unicode_property(name);
  if (property.empty()) return unsupported("the property " + std::string(name));
  return std::optional<ClassContent>{
      ClassContent{{}, "\\" + std::string(1, letter) + "{" + property + "}"}};
}

// \t, \u00e9, \x41, \0101, \cA, \. : one character; its letter stands at the front.
Result<uint32_t> Translator::escaped_point(char letter) {
  const auto read_hex = [this](size_t count) -> std::optional<uint32_t> {
    if (rest_.size() < count) return std::nullopt;
    uint32_t value = 0;
    for (size_t i = 0; i < count; ++i) {
      const int digit = hex_value(rest_[i]);
      if (digit < 0) return std::nullopt;
      value = value * 16 + static_cast<uint32_t>(digit);
    }
    rest_.remove_prefix(count);
    return value;
  };
  const bool is_letter = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');
  if (!is_letter && letter != '0') return take_code_point(rest_);
  rest_.remove_prefix(1);
  switch (letter) {
    case 't':
      return uint32_t{'\t'};
    case 'n':
      return uint32_t{'\n'};
    case 'r':
      return uint32_t{'\r'};
    case 'f':
      return uint32_t{'\f'};
    case 'a':
      return uint32_t{'\a'};
    case 'e':
      return uint32_t{0x1b};
    case 'c': {
      if (rest_.empty()) return broken("\\c lacks its letter");
      return take_code_point(rest_) ^ 0x40U;
    }
    case '0': {
      uint32_t value = 0;
      size_t count = 0;
      for (; count < 3 && count < rest_.size() && rest_[count] >= '0' && rest_[count] <= '7' &&
             value < 32;
           ++count) {
        value = value * 8 + static_cast<uint32_t>(rest_[count] - '0');
      }
      rest_.remove_prefix(count);
      if (count == 0) return broken("\\0 lacks its digits");
      return value;
    }
    case 'u':
      if (const auto value = read_hex(4)) return *value;
      return broken("\\u takes four hexadecimal digits");
    case 'x':
      if (at('{')) {
        const size_t end = rest_.find('}');
        rest_.remove_prefix(1);
        const auto value =
            end == std::string_view::npos || end < 2 ? std::nullopt : read_hex(end - 1);
        if (!value || *value > kLastCodePoint) return broken("\\x{...} takes a code point");
        rest_.remove_prefix(1);
        return *value;
      }
      if (const auto value = read_hex(2)) return *value;
      return broken("\\x takes two hexadecimal digits");
    default:
      return broken("there is no escape \\" + std::string(1, letter));
  }
}

Status Translator::character_class() {
  rest_.remove_prefix(1);
  FLOWRUN_TRY(const ClassContent content, class_body());
  append_class(content, false);
  return {};
}

// Behind a [ up to its ]: operands joined by &&.
Result<ClassContent> Translator::class_body() {
  const bool negated = take("^");
  FLOWRUN_TRY(ClassContent content, class_operand());
  while (take("&&")) {
    FLOWRUN_TRY(const ClassContent other, class_operand());
    if (!content.properties.empty() || !other.properties.empty()) {
      return unsupported("an intersection with a Unicode property");
    }
    content.points = content.points.intersect(other.points);
  }
  if (!take("]")) return broken("a [ is not closed");
  if (!negated) return content;
  if (content.properties.empty()) return ClassContent{content.points.complement(), ""};
  // [^...] of RE2 can say it; a class around it could not, and refuses it.
  return ClassContent{content.points, "^" + content.properties};
}

// The union of items up to && or the closing bracket.
Result<ClassContent> Translator::class_operand() {
  ClassContent content;
  bool first = true;
  while (!rest_.empty() && !rest_.starts_with("&&") && (first || !at(']'))) {
    if (at('[')) {
      rest_.remove_prefix(1);
      FLOWRUN_TRY(const ClassContent nested, class_body());
      if (nested.properties.starts_with('^'))
        return unsupported("a negated class with a property inside a class");
      content.points.add(nested.points);
      content.properties += nested.properties;
    } else {
      FLOWRUN_TRY(const ClassContent item, class_item());
      content.points.add(item.points);
      content.properties += item.properties;
    }
    first = false;
  }
  return content;
}

// A character, a range of them, or an escape for many.
Result<ClassContent> Translator::class_item() {
  const auto one = [this]() -> Result<ClassContent> {
    ClassContent content;
    if (!take("\\")) {
      const uint32_t point = take_code_point(rest_);
      content.points.add(point, point);
      return content;
    }
    if (rest_.empty()) return broken("it ends with a backslash");
    if (take("Q")) {
      const size_t end = rest_.find("\\E");
      std::string_view quoted = rest_.substr(0, end);
      rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 2);
      while (!quoted.empty()) {
        const uint32_t point = take_code_point(quoted);
        content.points.add(point, point);
      }
      return content;
    }
    FLOWRUN_TRY(auto many, escaped_class(rest_[0]));
    if (many) return std::move(*many);
    FLOWRUN_TRY(const uint32_t point, escaped_point(rest_[0]));
    content.points.add(point, point);
    return content;
  };
  const std::string_view before = rest_;
  FLOWRUN_TRY(ClassContent content, one());
  const bool single = !before.starts_with("\\Q") && content.points.is_single();
  if (!single || !at('-') || rest_.size() < 2 || rest_[1] == ']' || rest_[1] == '[' ||
      rest_.substr(1).starts_with("&&")) {
    return content;
  }
  rest_.remove_prefix(1);
  FLOWRUN_TRY(const ClassContent last, one());
  if (last.points.empty()) return broken("a range has no end");
  const uint32_t from = content.points.least();
  const uint32_t to = last.points.least();
  if (to < from) return broken("a range runs backwards");
  content.points.add(from, to);
  return content;
}

void Translator::append_class(const ClassContent& content, bool negated) {
  const bool inverted = content.properties.starts_with('^');
  const std::string properties = inverted ? content.properties.substr(1) : content.properties;
  if (content.points.empty() && properties.empty()) {
    out_ += negated ? "(?s:.)" : "[^\\x{0}-\\x{10ffff}]";
    return;
  }
  out_ += negated != inverted ? "[^" : "[";
  content.points.append_to(out_);
  out_ += properties + "]";
}

}  // namespace

Result<std::string> translate_java_regex(std::string_view pattern) {
  return Translator(pattern).translate();
}

}  // namespace flowrun
