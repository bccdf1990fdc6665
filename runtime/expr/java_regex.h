#pragma once
// Regular expressions as java.util.regex writes them, run by RE2.
//
//   FLOWRUN_TRY(JavaRegex regex, JavaRegex::compile("(\\d+)-(\\d+)"));
//   std::vector<std::string_view> groups(3);
//   size_t at = 0;
//   while (regex.find(text, at, groups)) ...      // as Matcher.find
//
// RE2 takes time linear in the text whatever the pattern, and so has no look-around,
// back-references or possessive quantifiers: patterns with these are refused. What Java spells or
// means otherwise is translated: classes with unions and intersections, named groups, the line ends
// that `.` does not match, \h \v \R \Q \E.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/status.h"

namespace re2 {
class RE2;
}

namespace flowrun {

// Java's pattern in RE2's words. Errors have the code `invalid` for what is refused though Java
// takes it, and `data` for what Java refuses too.
Result<std::string> translate_java_regex(std::string_view pattern);

// Immutable and thread-safe.
class JavaRegex {
 public:
  static Result<JavaRegex> compile(std::string_view pattern);

  [[nodiscard]] int num_groups() const { return num_groups_; }
  // Does it match anywhere in the text? Java's $ also stands before a last line end.
  [[nodiscard]] bool matches_somewhere(std::string_view text) const;
  // The first match at or after byte `from`: the whole match in groups[0], then the groups (data()
  // is null where one took no part). REQUIRES: groups.size() <= num_groups() + 1.
  bool find(std::string_view text, size_t from, std::span<std::string_view> groups) const;
  // Where the search goes on after a match, as Matcher.find: behind it, a character on if it was
  // empty.
  static size_t after(std::string_view text, std::string_view match);
  // The number of the group of that name.
  [[nodiscard]] std::optional<int> group_named(std::string_view name) const;

 private:
  std::shared_ptr<const re2::RE2> regex_;
  int num_groups_ = 0;
};

// A replacement text: $1, ${name}, \x for x itself. Errors: `data`, for groups that the regex has
// not.
class JavaReplacement {
 public:
  static Result<JavaReplacement> compile(std::string_view text, const JavaRegex& regex);
  void append(std::span<const std::string_view> groups, std::string& out) const;

 private:
  struct Part {
    std::string text;
    int group = -1;  // then no text
  };
  std::vector<Part> parts_;
};

// Compiles what it is given, and remembers it while it stays the same: for functions whose pattern
// may vary.
class RegexCache {
 public:
  Result<const JavaRegex*> get(std::string_view pattern) {
    if (!regex_ || pattern != source_) {
      auto compiled = JavaRegex::compile(pattern);
      if (!compiled) return Error::data(std::move(compiled.error().message));
      regex_ = std::move(*compiled);
      source_ = pattern;
    }
    return &*regex_;
  }

 private:
  std::string source_;
  std::optional<JavaRegex> regex_;
};

}  // namespace flowrun
