#include "runtime/expr/java_regex.h"

#include <re2/re2.h>

#include <array>

#include "runtime/format/unicode_case.h"

namespace flowrun {

Result<JavaRegex> JavaRegex::compile(std::string_view pattern) {
  FLOWRUN_TRY(const std::string translated, translate_java_regex(pattern));
  re2::RE2::Options options;
  options.set_log_errors(false);
  auto regex = std::make_shared<re2::RE2>(translated, options);
  if (!regex->ok()) {
    return Error::data("`" + std::string(pattern) +
                       "` is no regular expression: " + regex->error());
  }
  JavaRegex result;
  result.num_groups_ = regex->NumberOfCapturingGroups();
  result.regex_ = std::move(regex);
  return result;
}

bool JavaRegex::matches_somewhere(std::string_view text) const {
  if (regex_->Match(text, 0, text.size(), re2::RE2::UNANCHORED, nullptr, 0)) return true;
  if (text.empty() || text.back() != '\n') return false;
  text.remove_suffix(1);
  return regex_->Match(text, 0, text.size(), re2::RE2::UNANCHORED, nullptr, 0);
}

bool JavaRegex::find(std::string_view text, size_t from, std::span<std::string_view> groups) const {
  if (from > text.size()) return false;
  constexpr size_t kFew = 10;
  std::array<re2::StringPiece, kFew> few;
  std::vector<re2::StringPiece> many(groups.size() > kFew ? groups.size() : 0);
  re2::StringPiece* pieces = many.empty() ? few.data() : many.data();
  if (!regex_->Match(text, from, text.size(), re2::RE2::UNANCHORED, pieces,
                     static_cast<int>(groups.size()))) {
    return false;
  }
  for (size_t i = 0; i < groups.size(); ++i) groups[i] = {pieces[i].data(), pieces[i].size()};
  return true;
}

size_t JavaRegex::after(std::string_view text, std::string_view match) {
  const auto end = static_cast<size_t>(match.data() - text.data()) + match.size();
  if (!match.empty()) return end;
  return end < text.size() ? end + code_point_size(text[end]) : end + 1;
}

std::optional<int> JavaRegex::group_named(std::string_view name) const {
  const auto& names = regex_->NamedCapturingGroups();
  const auto found = names.find(std::string(name));
  if (found == names.end()) return std::nullopt;
  return found->second;
}

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

Error bad_replacement(std::string_view text, const std::string& why) {
  return Error::data("the replacement `" + std::string(text) + "` " + why);
}

// $12 is group 12 if there are as many, else group 1 and the digit 2.
Result<int> read_group(std::string_view text, size_t& at, const JavaRegex& regex) {
  if (at < text.size() && text[at] == '{') {
    const size_t end = text.find('}', at);
    if (end == std::string_view::npos)
      return bad_replacement(text, "names a group without closing it");
    const auto group = regex.group_named(text.substr(at + 1, end - at - 1));
    if (!group) return bad_replacement(text, "names a group that the pattern has not");
    at = end + 1;
    return *group;
  }
  if (at >= text.size() || !is_digit(text[at])) {
    return bad_replacement(text, "has a $ without a group — write \\$ for the character");
  }
  int group = text[at++] - '0';
  if (group > regex.num_groups())
    return bad_replacement(text, "asks for a group that the pattern has not");
  while (at < text.size() && is_digit(text[at]) &&
         group * 10 + (text[at] - '0') <= regex.num_groups()) {
    group = group * 10 + (text[at++] - '0');
  }
  return group;
}

}  // namespace

Result<JavaReplacement> JavaReplacement::compile(std::string_view text, const JavaRegex& regex) {
  JavaReplacement result;
  std::string plain;
  for (size_t at = 0; at < text.size();) {
    const char c = text[at++];
    if (c == '\\') {
      if (at == text.size()) return bad_replacement(text, "ends with a backslash");
      plain += text[at++];
    } else if (c == '$') {
      if (!plain.empty()) result.parts_.push_back({std::move(plain)});
      plain.clear();
      FLOWRUN_TRY(const int group, read_group(text, at, regex));
      result.parts_.push_back({"", group});
    } else {
      plain += c;
    }
  }
  if (!plain.empty()) result.parts_.push_back({std::move(plain)});
  return result;
}

void JavaReplacement::append(std::span<const std::string_view> groups, std::string& out) const {
  for (const Part& part : parts_) {
    out += part.group < 0 ? std::string_view(part.text) : groups[static_cast<size_t>(part.group)];
  }
}

}  // namespace flowrun
