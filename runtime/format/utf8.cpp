#include "runtime/format/utf8.h"

#include <simdjson.h>

namespace flowrun {

namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

// Length of the sequence at `at` if it is well formed, else minus the length that is malformed.
int sequence_length(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const auto continues = [&](size_t i) { return (byte(i) & 0xc0) == 0x80; };
  const size_t left = text.size() - at;
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return -1;
  if (first < 0xe0) return left >= 2 && continues(1) ? 2 : -1;
  if (left < 2) return -1;
  if (first < 0xf0) {
    if ((first == 0xe0 && byte(1) < 0xa0) || !continues(1)) return -1;
    if (left < 3 || !continues(2)) return -2;
    return first == 0xed && byte(1) >= 0xa0 ? -3 : 3;
  }
  const bool bad = (first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) > 0x8f);
  if (bad || !continues(1)) return -1;
  if (left < 3 || !continues(2)) return -2;
  return left >= 4 && continues(3) ? 4 : -3;
}

}  // namespace

bool is_valid_utf8(std::string_view text) {
  return simdjson::validate_utf8(text.data(), text.size());
}

void append_replacing_invalid_utf8(std::string_view text, std::string& out) {
  for (size_t at = 0; at < text.size();) {
    const int length = sequence_length(text, at);
    if (length > 0) {
      out.append(text, at, static_cast<size_t>(length));
      at += static_cast<size_t>(length);
    } else {
      out += kReplacement;
      at += static_cast<size_t>(-length);
    }
  }
}

void append_code_point(uint32_t code_point, std::string& out) {
  const auto put = [&](uint32_t byte) { out += static_cast<char>(byte); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xc0 | (code_point >> 6));
    put(0x80 | (code_point & 0x3f));
  } else if (code_point < 0x10000) {
    put(0xe0 | (code_point >> 12));
    put(0x80 | ((code_point >> 6) & 0x3f));
    put(0x80 | (code_point & 0x3f));
  } else {
    put(0xf0 | (code_point >> 18));
    put(0x80 | ((code_point >> 12) & 0x3f));
    put(0x80 | ((code_point >> 6) & 0x3f));
    put(0x80 | (code_point & 0x3f));
  }
}

void SurrogateJoiner::append(uint16_t unit) {
  if (high_ != 0 && unit >= 0xdc00 && unit < 0xe000) {
    append_code_point(0x10000 + ((high_ - 0xd800u) << 10) + (unit - 0xdc00u), out_);
    high_ = 0;
    return;
  }
  flush();
  if (unit >= 0xd800 && unit < 0xdc00) {
    high_ = unit;
  } else if (unit >= 0xdc00 && unit < 0xe000) {
    saw_lone_ = true;
    out_ += '?';
  } else {
    append_code_point(unit, out_);
  }
}

void SurrogateJoiner::flush() {
  if (high_ == 0) return;
  saw_lone_ = true;
  out_ += '?';
  high_ = 0;
}

}  // namespace flowrun
