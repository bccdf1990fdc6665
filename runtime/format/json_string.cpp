// Text in quotes and base64: the parts of json_writer.h that look at bytes.
#include <array>
#include <cstring>

#include "runtime/format/json_writer.h"
#include "runtime/format/utf8.h"

namespace flowrun {

namespace {

constexpr uint64_t kOnes = 0x0101010101010101;
constexpr uint64_t kHighs = 0x8080808080808080;

// Are all eight bytes ASCII that needs no escape? (Bit tricks: a byte below n, and a byte equal to
// zero.)
bool all_plain(const char* bytes) {
  uint64_t word;
  std::memcpy(&word, bytes, sizeof word);
  const uint64_t quote = word ^ (kOnes * '"');
  const uint64_t backslash = word ^ (kOnes * '\\');
  const uint64_t special = word | (word - kOnes * 0x20) | (quote - kOnes) | (backslash - kOnes);
  return (special & kHighs) == 0;
}

bool is_plain(char c) {
  const auto byte = static_cast<uint8_t>(c);
  return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
}

const char* skip_plain(const char* at, const char* end) {
  while (end - at >= 8 && all_plain(at)) at += 8;
  while (at < end && is_plain(*at)) ++at;
  return at;
}

void append_escape(char c, std::string& out) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  switch (c) {
    case '"':
      out += "\\\"";
      break;
    case '\\':
      out += "\\\\";
      break;
    case '\n':
      out += "\\n";
      break;
    case '\r':
      out += "\\r";
      break;
    case '\t':
      out += "\\t";
      break;
    case '\b':
      out += "\\b";
      break;
    case '\f':
      out += "\\f";
      break;
    default:
      out += "\\u00";
      out += kHex[static_cast<uint8_t>(c) >> 4];
      out += kHex[c & 15];
  }
}

// Escapes text that is valid UTF-8.
void append_escaped(const char* at, const char* end, std::string& out) {
  while (at < end) {
    const char* run = at;
    while (at < end && (is_plain(*at) || static_cast<uint8_t>(*at) >= 0x80)) ++at;
    out.append(run, at);
    if (at < end) append_escape(*at++, out);
  }
}

}  // namespace

void append_json_string(std::string_view text, std::string& out) {
  const char* begin = text.data();
  const char* end = begin + text.size();
  const char* plain = skip_plain(begin, end);
  out += '"';
  out.append(begin, plain);
  if (plain < end) {
    const std::string_view rest(plain, static_cast<size_t>(end - plain));
    if (is_valid_utf8(rest)) {
      append_escaped(plain, end, out);
    } else {
      std::string repaired;
      append_replacing_invalid_utf8(rest, repaired);
      append_escaped(repaired.data(), repaired.data() + repaired.size(), out);
    }
  }
  out += '"';
}

void append_base64(std::string_view bytes, std::string& out) {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto byte = [&](size_t i) {
    return i < bytes.size() ? static_cast<uint32_t>(static_cast<uint8_t>(bytes[i])) : 0;
  };
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const uint32_t bits = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    out += kDigits[bits >> 18];
    out += kDigits[bits >> 12 & 63];
    out += i + 1 < bytes.size() ? kDigits[bits >> 6 & 63] : '=';
    out += i + 2 < bytes.size() ? kDigits[bits & 63] : '=';
  }
}

}  // namespace flowrun
