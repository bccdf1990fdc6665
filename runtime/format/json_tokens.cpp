#include "runtime/format/json_tokens.h"

#include <fmt/format.h>

#include <utility>

#include "runtime/format/utf8.h"

namespace flowrun {

namespace {

bool is_digit(int c) { return c >= '0' && c <= '9'; }

// Java's identifier characters; every byte of a longer UTF-8 sequence counts as one.
bool is_identifier_start(int c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' || c >= 0x80;
}
bool is_identifier_part(int c) { return is_identifier_start(c) || is_digit(c); }

bool is_name_char(int c) {
  return is_identifier_part(c) || c == '@' || c == '#' || c == '*' || c == '-' || c == '+';
}

}  // namespace

void JsonTokens::reset(std::string_view record) {
  record_ = record;
  at_ = options_.source && record.starts_with("\xef\xbb\xbf") ? 3 : 0;
  token_start_ = 0;
  current_ = JsonToken::none;
  after_name_ = JsonToken::none;
  incomplete_ = false;
  lone_surrogate_ = false;
  if (contexts_.empty()) contexts_.resize(8);
  contexts_[0] = {};
  depth_ = 0;
}

const std::string* JsonTokens::name() const {
  size_t depth = depth_;
  if (current_ == JsonToken::start_object || current_ == JsonToken::start_array) --depth;
  const Context& context = contexts_[depth];
  return context.has_name ? &context.name : nullptr;
}

bool JsonTokens::fail(std::string message) {
  error_ = fmt::format("{} at byte {}", message, at_);
  return false;
}

bool JsonTokens::fail_at_char(int c, std::string_view expected) {
  if (c == kEnd) return fail(fmt::format("the record ends where {} is expected", expected));
  if (c == kError) return false;
  const bool printable = c >= 0x20 && c < 0x7f;
  return fail(
      printable
          ? fmt::format("unexpected `{}` where {} is expected", static_cast<char>(c), expected)
          : fmt::format("unexpected byte 0x{:02x} where {} is expected", c, expected));
}

int JsonTokens::skip_white_space() {
  while (has_more()) {
    const int c = byte_at(at_++);
    if (c > ' ') {
      if (c != '/') return c;
      if (!skip_comment()) return kError;
    } else if (c != ' ' && c != '\n' && c != '\r' && c != '\t') {
      fail_at_char(c, "white space");
      return kError;
    }
  }
  return kEnd;
}

bool JsonTokens::skip_comment() {
  if (!options_.allow_comments) return fail_at_char('/', "JSON without comments");
  if (!has_more()) return fail("a comment is not closed");
  const int kind = byte_at(at_++);
  if (kind == '/') {
    while (has_more() && byte_at(at_) != '\n' && byte_at(at_) != '\r') ++at_;
    return true;
  }
  if (kind != '*') return fail_at_char(kind, "a comment");
  const size_t end = record_.find("*/", at_);
  if (end == std::string_view::npos) {
    at_ = record_.size();
    return fail("a comment is not closed");
  }
  at_ = end + 2;
  return true;
}

int JsonTokens::skip_comma(int c) {
  if (c != ',') {
    fail_at_char(c, "a comma");
    return kError;
  }
  const int next = skip_white_space();
  if (next == kEnd) fail("the record ends behind a comma");
  return next == kEnd ? kError : next;
}

int JsonTokens::skip_colon() {
  const int c = skip_white_space();
  if (c != ':') {
    fail_at_char(c, "a colon");
    return kError;
  }
  const int next = skip_white_space();
  if (next == kEnd) fail("the record ends where a value is expected");
  return next == kEnd ? kError : next;
}

bool JsonTokens::push(bool is_object) {
  if (depth_ + 1 > kMaxDepth) return fail("the record is nested deeper than 1000 levels");
  ++depth_;
  if (contexts_.size() <= depth_) contexts_.resize(depth_ * 2);
  Context& context = contexts_[depth_];
  context.is_object = is_object;
  context.has_name = false;
  context.index = -1;
  return true;
}

bool JsonTokens::pop(int closer) {
  if (depth_ == 0 || contexts_[depth_].is_object != (closer == '}')) {
    return fail(fmt::format("unexpected `{}`", static_cast<char>(closer)));
  }
  --depth_;
  return true;
}

bool JsonTokens::finish(JsonToken token) {
  if (token == JsonToken::start_object || token == JsonToken::start_array) {
    if (!push(token == JsonToken::start_object)) return false;
  }
  current_ = token;
  return true;
}

bool JsonTokens::next_after_name() {
  token_start_ = next_start_;
  return finish(std::exchange(after_name_, JsonToken::none));
}

bool JsonTokens::next() {
  if (current_ == JsonToken::field_name) return next_after_name();
  if (incomplete_) {
    incomplete_ = false;
    if (!quoted('"', nullptr)) return false;
  }
  int c = skip_white_space();
  if (c == kError) return false;
  if (c == kEnd) {
    if (depth_ > 0) return fail("the record ends inside an object or array");
    current_ = JsonToken::end_of_text;
    return true;
  }
  token_start_ = at_ - 1;
  if (c == ']' || c == '}') {
    if (!pop(c)) return false;
    current_ = c == ']' ? JsonToken::end_array : JsonToken::end_object;
    return true;
  }
  Context& context = contexts_[depth_];
  ++context.index;
  if (depth_ > 0 && context.index > 0) {
    c = skip_comma(c);
    if (c == kError) return false;
    token_start_ = at_ - 1;
  }
  if (!context.is_object) {
    JsonToken token = JsonToken::none;
    return value(c, token) && finish(token);
  }
  if (!field_name(c)) return false;
  context.has_name = true;
  current_ = JsonToken::field_name;
  c = skip_colon();
  if (c == kError) return false;
  next_start_ = at_ - 1;
  return value(c, after_name_);
}

bool JsonTokens::skip_children() {
  if (current_ != JsonToken::start_object && current_ != JsonToken::start_array) return true;
  for (size_t open = 1; open > 0;) {
    if (!next()) return false;
    if (current_ == JsonToken::start_object || current_ == JsonToken::start_array) ++open;
    if (current_ == JsonToken::end_object || current_ == JsonToken::end_array) --open;
    if (current_ == JsonToken::end_of_text)
      return fail("the record ends inside an object or array");
  }
  return true;
}

bool JsonTokens::field_name(int c) {
  std::string& name = contexts_[depth_].name;
  name.clear();
  if (c == '"' || (c == '\'' && options_.allow_single_quotes)) {
    if (!quoted(static_cast<char>(c), &name)) return false;
  } else if (!unquoted_name(c)) {
    return false;
  }
  return name.size() <= kMaxName || fail("a name is longer than 50000 bytes");
}

bool JsonTokens::unquoted_name(int c) {
  if (!options_.allow_unquoted_field_names || !is_name_char(c))
    return fail_at_char(c, "a name in quotes");
  std::string& name = contexts_[depth_].name;
  name += static_cast<char>(c);
  while (has_more() && is_name_char(byte_at(at_))) name += record_[at_++];
  return true;
}

bool JsonTokens::value(int c, JsonToken& token) {
  switch (c) {
    case '"':
      incomplete_ = true;
      token = JsonToken::string;
      return true;
    case '[':
      token = JsonToken::start_array;
      return true;
    case '{':
      token = JsonToken::start_object;
      return true;
    case 't':
      return word("true", 1, JsonToken::true_, token);
    case 'f':
      return word("false", 1, JsonToken::false_, token);
    case 'n':
      return word("null", 1, JsonToken::null, token);
    default:
      return c == '-' || is_digit(c) ? number(c, token) : odd_value(c, token);
  }
}

bool JsonTokens::odd_value(int c, JsonToken& token) {
  const size_t start = at_ - 1;
  if (c == '\'' && options_.allow_single_quotes) {
    text_.clear();
    token = JsonToken::string;
    return quoted('\'', &text_);
  }
  if (c == 'N' || c == 'I') {
    const std::string_view name = c == 'N' ? "NaN" : "Infinity";
    if (!word(name, 1, JsonToken::not_finite, token)) return false;
    text_ = name;
    return options_.allow_non_numeric_numbers || fail(fmt::format("{} is not allowed here", name));
  }
  if (c == '+') {
    if (!has_more()) return fail_at_char(kEnd, "a value");
    return not_finite(false, byte_at(at_++), token);
  }
  if (is_identifier_start(c)) return fail_at_word(start);
  return fail_at_char(c, "a value");
}

// "-INF", "-Infinity", "+INF", "+Infinity"; `c` is the character behind the sign.
bool JsonTokens::not_finite(bool negative, int c, JsonToken& token) {
  if (c != 'I') return fail_at_char(c, negative ? "a digit behind the minus" : "a value");
  if (!has_more()) return fail_at_char(kEnd, "a number");
  const int second = byte_at(at_++);
  if (second != 'N' && second != 'n') return fail_at_char(second, "a number");
  const std::string name =
      fmt::format("{}{}", negative ? '-' : '+', second == 'N' ? "INF" : "Infinity");
  if (!word(name, 3, JsonToken::not_finite, token)) return false;
  text_ = name;
  return options_.allow_non_numeric_numbers || fail(fmt::format("{} is not allowed here", name));
}

bool JsonTokens::fail_at_word(size_t start) {
  while (has_more() && is_identifier_part(byte_at(at_))) ++at_;
  constexpr size_t kShown = 40;
  std::string shown;
  append_replacing_invalid_utf8(record_.substr(start, std::min(at_ - start, kShown)), shown);
  return fail(fmt::format("unknown word `{}`", shown));
}

// The first `matched` characters of the word are behind us.
bool JsonTokens::word(std::string_view word, size_t matched, JsonToken token_if_matched,
                      JsonToken& token) {
  const size_t start = at_ - matched;
  for (size_t i = matched; i < word.size(); ++i) {
    if (!has_more() || record_[at_] != word[i]) return fail_at_word(start);
    ++at_;
  }
  if (has_more() && is_identifier_part(byte_at(at_))) return fail_at_word(start);
  token = token_if_matched;
  return true;
}

bool JsonTokens::number(int c, JsonToken& token) {
  text_.clear();
  if (c != '-') return digits_after_sign(c, false, token);
  if (!has_more()) return fail_at_char(kEnd, "a digit");
  const int first = byte_at(at_++);
  if (!is_digit(first)) return not_finite(true, first, token);
  text_ = '-';
  return digits_after_sign(first, true, token);
}

bool JsonTokens::digits_after_sign(int c, bool negative, JsonToken& token) {
  if (c == '0' && has_more() && is_digit(byte_at(at_))) {
    if (!options_.allow_numeric_leading_zeros) return fail("leading zeros are not allowed");
    while (c == '0' && has_more() && is_digit(byte_at(at_))) c = byte_at(at_++);
  }
  text_ += static_cast<char>(c);
  const auto take_digits = [&] {
    const size_t start = at_;
    while (has_more() && is_digit(byte_at(at_))) text_ += record_[at_++];
    return at_ > start;
  };
  take_digits();
  token = JsonToken::integer;
  if (has_more() && record_[at_] == '.') {
    text_ += record_[at_++];
    if (!take_digits()) return fail("no digit behind the decimal point");
    token = JsonToken::decimal;
  }
  if (has_more() && (record_[at_] == 'e' || record_[at_] == 'E')) {
    text_ += record_[at_++];
    if (has_more() && (record_[at_] == '+' || record_[at_] == '-')) text_ += record_[at_++];
    if (!take_digits()) return fail("no digit behind the exponent");
    token = JsonToken::decimal;
  }
  return text_.size() - (negative ? 1 : 0) <= kMaxDigits ||
         fail("a number has more than 1000 digits");
}

bool JsonTokens::read_string() {
  if (!incomplete_) return true;
  incomplete_ = false;
  text_.clear();
  return quoted('"', &text_);
}

// From behind the opening quote to behind the closing one; `out` may be null: then only checked.
bool JsonTokens::quoted(char quote, std::string* out) {
  std::string unused;
  SurrogateJoiner joiner(out ? *out : unused);
  lone_surrogate_ = false;
  while (true) {
    if (!has_more()) return fail("the record ends inside a string");
    const int c = byte_at(at_++);
    if (c == '\\') {
      if (!escape(out, &joiner)) return false;
      continue;
    }
    joiner.flush();
    if (c == quote) break;
    if (c < ' ' && !options_.allow_unquoted_control_chars) {
      return fail(fmt::format("control character 0x{:02x} inside a string", c));
    }
    if (c >= 0x80 && options_.source) {
      if (!non_ascii(c, out, &joiner)) return false;
    } else if (out) {
      *out += static_cast<char>(c);
    }
  }
  lone_surrogate_ = joiner.saw_lone_surrogate();
  return true;
}

// A file's bytes are decoded by Jackson itself, which is more lenient than Java's decoder: overlong
// forms pass.
bool JsonTokens::non_ascii(int c, std::string* out, SurrogateJoiner* joiner) {
  const int length = (c & 0xe0) == 0xc0 ? 2 : (c & 0xf0) == 0xe0 ? 3 : (c & 0xf8) == 0xf0 ? 4 : 0;
  if (length == 0) return fail(fmt::format("invalid UTF-8 byte 0x{:02x}", c));
  auto code_point = static_cast<uint32_t>(c & (0x7f >> length));
  for (int i = 1; i < length; ++i) {
    if (!has_more()) return fail("the record ends inside a character");
    const int following = byte_at(at_++);
    if ((following & 0xc0) != 0x80)
      return fail(fmt::format("invalid UTF-8 byte 0x{:02x}", following));
    code_point = (code_point << 6) | static_cast<uint32_t>(following & 0x3f);
  }
  if (code_point >= 0xd800 && code_point < 0xe000) return fail("a surrogate in UTF-8");
  if (!out) return true;
  if (code_point > 0x10ffff) {
    joiner->append(0xdc00);
    joiner->append(0xdc00);
  } else {
    append_code_point(code_point, *out);
  }
  return true;
}

bool JsonTokens::escape(std::string* out, SurrogateJoiner* joiner) {
  if (!has_more()) return fail("the record ends inside an escape");
  const int c = byte_at(at_++);
  uint32_t unit = 0;
  switch (c) {
    case 'b':
      unit = '\b';
      break;
    case 't':
      unit = '\t';
      break;
    case 'n':
      unit = '\n';
      break;
    case 'f':
      unit = '\f';
      break;
    case 'r':
      unit = '\r';
      break;
    case '"':
    case '/':
    case '\\':
      unit = static_cast<uint32_t>(c);
      break;
    case 'u':
      for (int i = 0; i < 4; ++i) {
        if (!has_more()) return fail("the record ends inside an escape");
        const int digit = byte_at(at_++);
        const int lower = digit | 0x20;
        const bool hex = is_digit(digit) || (lower >= 'a' && lower <= 'f');
        if (!hex) return fail_at_char(digit, "a hexadecimal digit");
        unit = unit * 16 + static_cast<uint32_t>(is_digit(digit) ? digit - '0' : lower - 'a' + 10);
      }
      break;
    default:
      if (!options_.allow_backslash_escaping_any_character &&
          !(c == '\'' && options_.allow_single_quotes)) {
        return fail_at_char(c, "an escape");
      }
      joiner->flush();
      if (out) *out += static_cast<char>(c);
      return true;
  }
  if (out) joiner->append(static_cast<uint16_t>(unit));
  return true;
}

int JsonTokens::base64_next() { return has_more() ? byte_at(at_++) : kEnd; }

namespace {

constexpr int kPadding = -2;
constexpr int kNotBase64 = -1;

int base64_bits(int c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (is_digit(c)) return c - '0' + 52;
  if (c == '+') return 62;
  if (c == '/') return 63;
  return c == '=' ? kPadding : kNotBase64;
}

}  // namespace

// An escaped character inside base64; index is its place in the group of four. Escaped white space
// may stand before a group: bits is then kNotBase64.
bool JsonTokens::base64_escape(int c, int index, int& bits) {
  if (c != '\\') return fail_at_char(c, "base64");
  std::string unescaped;
  SurrogateJoiner joiner(unescaped);
  if (!escape(&unescaped, &joiner)) return false;
  const int decoded = unescaped.size() == 1 ? static_cast<unsigned char>(unescaped[0]) : 0x80;
  bits = base64_bits(decoded);
  if (decoded <= ' ' && index == 0) return true;
  if (bits >= 0 || (bits == kPadding && index >= 2)) return true;
  return fail_at_char(decoded, "base64");
}

bool JsonTokens::read_base64(std::string& out) {
  out.clear();
  while (true) {
    int c = base64_next();
    while (c != kEnd && c <= ' ') c = base64_next();
    uint32_t data = 0;
    for (int index = 0; index < 4; ++index) {
      if (index > 0) c = base64_next();
      if (c == kEnd) return fail("the record ends inside a string");
      int bits = base64_bits(c);
      if (bits < 0 && c == '"') {
        if (index == 0) {
          incomplete_ = false;
          return true;
        }
        if (index >= 2) --at_;
        return fail("base64 ends inside a group of four");
      }
      if (bits == kNotBase64 || (bits == kPadding && index < 2)) {
        if (!base64_escape(c, index, bits)) return false;
        if (bits == kNotBase64) break;
      }
      if (bits == kPadding) {
        if (index == 2) {
          const int second = base64_next();
          int padding = base64_bits(second);
          if (padding != kPadding && !(base64_escape(second, 3, padding) && padding == kPadding)) {
            return fail("base64 lacks its padding");
          }
        }
        data <<= index == 2 ? 12 : 6;
        out += static_cast<char>(data >> 16);
        if (index == 3) out += static_cast<char>((data >> 8) & 0xff);
        break;
      }
      data = (data << 6) | static_cast<uint32_t>(bits);
      if (index == 3) {
        for (const int shift : {16, 8, 0}) out += static_cast<char>((data >> shift) & 0xff);
      }
    }
  }
}

}  // namespace flowrun
