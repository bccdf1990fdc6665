#include "runtime/format/unicode_case.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>

#include "runtime/format/utf8.h"

namespace flowrun {
namespace {

constexpr uint32_t kCapitalSigma = 0x3a3;
constexpr uint32_t kSmallSigma = 0x3c3;
constexpr uint32_t kFinalSigma = 0x3c2;
constexpr uint32_t kCapitalDottedI = 0x130;
constexpr std::string_view kLowerDottedI = "i\xcc\x87";

// Characters whose upper case is more than one: Unicode's SpecialCasing.txt, in order.
struct SpecialUpper {
  uint32_t from;
  std::string_view upper;
};
// clang-format off
constexpr std::array<SpecialUpper, 102> kSpecialUpper{{
    {0x00df, "\x53\x53"},
    {0x0149, "\xca\xbc\x4e"},
    {0x01f0, "\x4a\xcc\x8c"},
    {0x0390, "\xce\x99\xcc\x88\xcc\x81"},
    {0x03b0, "\xce\xa5\xcc\x88\xcc\x81"},
    {0x0587, "\xd4\xb5\xd5\x92"},
    {0x1e96, "\x48\xcc\xb1"},
    {0x1e97, "\x54\xcc\x88"},
    {0x1e98, "\x57\xcc\x8a"},
    {0x1e99, "\x59\xcc\x8a"},
    {0x1e9a, "\x41\xca\xbe"},
    {0x1f50, "\xce\xa5\xcc\x93"},
    {0x1f52, "\xce\xa5\xcc\x93\xcc\x80"},
    {0x1f54, "\xce\xa5\xcc\x93\xcc\x81"},
    {0x1f56, "\xce\xa5\xcc\x93\xcd\x82"},
    {0x1f80, "\xe1\xbc\x88\xce\x99"},
    {0x1f81, "\xe1\xbc\x89\xce\x99"},
    {0x1f82, "\xe1\xbc\x8a\xce\x99"},
    {0x1f83, "\xe1\xbc\x8b\xce\x99"},
    {0x1f84, "\xe1\xbc\x8c\xce\x99"},
    {0x1f85, "\xe1\xbc\x8d\xce\x99"},
    {0x1f86, "\xe1\xbc\x8e\xce\x99"},
    {0x1f87, "\xe1\xbc\x8f\xce\x99"},
    {0x1f88, "\xe1\xbc\x88\xce\x99"},
    {0x1f89, "\xe1\xbc\x89\xce\x99"},
    {0x1f8a, "\xe1\xbc\x8a\xce\x99"},
    {0x1f8b, "\xe1\xbc\x8b\xce\x99"},
    {0x1f8c, "\xe1\xbc\x8c\xce\x99"},
    {0x1f8d, "\xe1\xbc\x8d\xce\x99"},
    {0x1f8e, "\xe1\xbc\x8e\xce\x99"},
    {0x1f8f, "\xe1\xbc\x8f\xce\x99"},
    {0x1f90, "\xe1\xbc\xa8\xce\x99"},
    {0x1f91, "\xe1\xbc\xa9\xce\x99"},
    {0x1f92, "\xe1\xbc\xaa\xce\x99"},
    {0x1f93, "\xe1\xbc\xab\xce\x99"},
    {0x1f94, "\xe1\xbc\xac\xce\x99"},
    {0x1f95, "\xe1\xbc\xad\xce\x99"},
    {0x1f96, "\xe1\xbc\xae\xce\x99"},
    {0x1f97, "\xe1\xbc\xaf\xce\x99"},
    {0x1f98, "\xe1\xbc\xa8\xce\x99"},
    {0x1f99, "\xe1\xbc\xa9\xce\x99"},
    {0x1f9a, "\xe1\xbc\xaa\xce\x99"},
    {0x1f9b, "\xe1\xbc\xab\xce\x99"},
    {0x1f9c, "\xe1\xbc\xac\xce\x99"},
    {0x1f9d, "\xe1\xbc\xad\xce\x99"},
    {0x1f9e, "\xe1\xbc\xae\xce\x99"},
    {0x1f9f, "\xe1\xbc\xaf\xce\x99"},
    {0x1fa0, "\xe1\xbd\xa8\xce\x99"},
    {0x1fa1, "\xe1\xbd\xa9\xce\x99"},
    {0x1fa2, "\xe1\xbd\xaa\xce\x99"},
    {0x1fa3, "\xe1\xbd\xab\xce\x99"},
    {0x1fa4, "\xe1\xbd\xac\xce\x99"},
    {0x1fa5, "\xe1\xbd\xad\xce\x99"},
    {0x1fa6, "\xe1\xbd\xae\xce\x99"},
    {0x1fa7, "\xe1\xbd\xaf\xce\x99"},
    {0x1fa8, "\xe1\xbd\xa8\xce\x99"},
    {0x1fa9, "\xe1\xbd\xa9\xce\x99"},
    {0x1faa, "\xe1\xbd\xaa\xce\x99"},
    {0x1fab, "\xe1\xbd\xab\xce\x99"},
    {0x1fac, "\xe1\xbd\xac\xce\x99"},
    {0x1fad, "\xe1\xbd\xad\xce\x99"},
    {0x1fae, "\xe1\xbd\xae\xce\x99"},
    {0x1faf, "\xe1\xbd\xaf\xce\x99"},
    {0x1fb2, "\xe1\xbe\xba\xce\x99"},
    {0x1fb3, "\xce\x91\xce\x99"},
    {0x1fb4, "\xce\x86\xce\x99"},
    {0x1fb6, "\xce\x91\xcd\x82"},
    {0x1fb7, "\xce\x91\xcd\x82\xce\x99"},
    {0x1fbc, "\xce\x91\xce\x99"},
    {0x1fc2, "\xe1\xbf\x8a\xce\x99"},
    {0x1fc3, "\xce\x97\xce\x99"},
    {0x1fc4, "\xce\x89\xce\x99"},
    {0x1fc6, "\xce\x97\xcd\x82"},
    {0x1fc7, "\xce\x97\xcd\x82\xce\x99"},
    {0x1fcc, "\xce\x97\xce\x99"},
    {0x1fd2, "\xce\x99\xcc\x88\xcc\x80"},
    {0x1fd3, "\xce\x99\xcc\x88\xcc\x81"},
    {0x1fd6, "\xce\x99\xcd\x82"},
    {0x1fd7, "\xce\x99\xcc\x88\xcd\x82"},
    {0x1fe2, "\xce\xa5\xcc\x88\xcc\x80"},
    {0x1fe3, "\xce\xa5\xcc\x88\xcc\x81"},
    {0x1fe4, "\xce\xa1\xcc\x93"},
    {0x1fe6, "\xce\xa5\xcd\x82"},
    {0x1fe7, "\xce\xa5\xcc\x88\xcd\x82"},
    {0x1ff2, "\xe1\xbf\xba\xce\x99"},
    {0x1ff3, "\xce\xa9\xce\x99"},
    {0x1ff4, "\xce\x8f\xce\x99"},
    {0x1ff6, "\xce\xa9\xcd\x82"},
    {0x1ff7, "\xce\xa9\xcd\x82\xce\x99"},
    {0x1ffc, "\xce\xa9\xce\x99"},
    {0xfb00, "\x46\x46"},
    {0xfb01, "\x46\x49"},
    {0xfb02, "\x46\x4c"},
    {0xfb03, "\x46\x46\x49"},
    {0xfb04, "\x46\x46\x4c"},
    {0xfb05, "\x53\x54"},
    {0xfb06, "\x53\x54"},
    {0xfb13, "\xd5\x84\xd5\x86"},
    {0xfb14, "\xd5\x84\xd4\xb5"},
    {0xfb15, "\xd5\x84\xd4\xbb"},
    {0xfb16, "\xd5\x8e\xd5\x86"},
    {0xfb17, "\xd5\x84\xd4\xbd"}
}};
// clang-format on

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<signed char>(c) >= 0; });
}

char upper_ascii(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }
char lower_ascii(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// One character of a text: its bytes, and its code point unless they are broken.
struct Character {
  std::string_view bytes;
  int32_t code_point;  // -1: no UTF-8

  static Character at_front(std::string_view text) {
    int32_t code_point = -1;
    const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
    const auto size =
        utf8proc_iterate(bytes, static_cast<utf8proc_ssize_t>(text.size()), &code_point);
    if (size <= 0) return {text.substr(0, 1), -1};
    return {text.substr(0, static_cast<size_t>(size)), code_point};
  }
};

bool is_cased(int32_t code_point) {
  const auto category = utf8proc_category(code_point);
  return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LL ||
         category == UTF8PROC_CATEGORY_LT;
}

// Characters that do not part a letter from the letters around it.
bool is_case_ignorable(int32_t code_point) {
  switch (utf8proc_category(code_point)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK:
      return true;
    default:
      return code_point == '\'' || code_point == '.' || code_point == ':' || code_point == 0x2019;
  }
}

bool cased_letter_follows(std::string_view text) {
  while (!text.empty()) {
    const Character next = Character::at_front(text);
    if (next.code_point < 0 || !is_case_ignorable(next.code_point)) {
      return next.code_point >= 0 && is_cased(next.code_point);
    }
    text.remove_prefix(next.bytes.size());
  }
  return false;
}

void append_upper_of(const Character& character, std::string& out) {
  if (character.code_point < 0) {
    out += character.bytes;
    return;
  }
  const auto code_point = static_cast<uint32_t>(character.code_point);
  const auto special =
      std::lower_bound(kSpecialUpper.begin(), kSpecialUpper.end(), code_point,
                       [](const SpecialUpper& entry, uint32_t c) { return entry.from < c; });
  if (special != kSpecialUpper.end() && special->from == code_point) {
    out += special->upper;
  } else {
    append_code_point(static_cast<uint32_t>(utf8proc_toupper(character.code_point)), out);
  }
}

// Lower case letter by letter; remembers whether a letter came before, for the final sigma.
class Lowering {
 public:
  // `rest` is the text behind `character`.
  void append(const Character& character, std::string_view rest, std::string& out) {
    const int32_t code_point = character.code_point;
    if (code_point < 0) {
      out += character.bytes;
    } else if (code_point == kCapitalDottedI) {
      out += kLowerDottedI;
    } else if (code_point == kCapitalSigma) {
      append_code_point(after_letter_ && !cased_letter_follows(rest) ? kFinalSigma : kSmallSigma,
                        out);
    } else {
      append_code_point(static_cast<uint32_t>(utf8proc_tolower(code_point)), out);
    }
    note(code_point);
  }
  void note(int32_t code_point) {
    if (code_point >= 0 && is_case_ignorable(code_point)) return;
    after_letter_ = code_point >= 0 && is_cased(code_point);
  }

 private:
  bool after_letter_ = false;
};

}  // namespace

void append_upper(std::string_view text, std::string& out) {
  if (is_ascii(text)) {
    for (const char c : text) out += upper_ascii(c);
    return;
  }
  while (!text.empty()) {
    const Character character = Character::at_front(text);
    append_upper_of(character, out);
    text.remove_prefix(character.bytes.size());
  }
}

void append_lower(std::string_view text, std::string& out) {
  if (is_ascii(text)) {
    for (const char c : text) out += lower_ascii(c);
    return;
  }
  Lowering lowering;
  while (!text.empty()) {
    const Character character = Character::at_front(text);
    text.remove_prefix(character.bytes.size());
    lowering.append(character, text, out);
  }
}

void append_title_words(std::string_view text, std::string& out) {
  Lowering lowering;
  bool starts_word = true;
  while (!text.empty()) {
    const Character character = Character::at_front(text);
    text.remove_prefix(character.bytes.size());
    if (starts_word && character.code_point >= 0) {
      append_code_point(static_cast<uint32_t>(utf8proc_totitle(character.code_point)), out);
      lowering.note(character.code_point);
    } else {
      lowering.append(character, text, out);
    }
    starts_word = character.bytes == " ";
  }
}

size_t code_point_size(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  if (byte >= 0xf0 && byte < 0xf8) return 4;
  if (byte >= 0xe0 && byte < 0xf0) return 3;
  return byte >= 0xc0 && byte < 0xe0 ? 2 : 1;
}

int32_t count_code_points(std::string_view text) {
  int32_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return count;
}

size_t code_point_offset(std::string_view text, int64_t index) {
  size_t at = 0;
  for (; index > 0 && at < text.size(); --index) at += code_point_size(text[at]);
  return std::min(at, text.size());
}

uint32_t take_code_point(std::string_view& text) {
  const Character character = Character::at_front(text);
  const auto first = static_cast<unsigned char>(text[0]);
  text.remove_prefix(character.bytes.size());
  return character.code_point < 0 ? first : static_cast<uint32_t>(character.code_point);
}

LetterKind letter_kind(uint32_t code_point) {
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(code_point))) {
    case UTF8PROC_CATEGORY_LU:
      return LetterKind::upper;
    case UTF8PROC_CATEGORY_LL:
      return LetterKind::lower;
    case UTF8PROC_CATEGORY_ND:
      return LetterKind::digit;
    default:
      return LetterKind::other;
  }
}

}  // namespace flowrun
