#include "runtime/serve/http_message.h"

#include <algorithm>
#include <cctype>

namespace flowrun {

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Result<std::string> percent_decoded(std::string_view text, bool in_query) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && in_query) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) return Error::invalid("a `%` in the address needs two hex digits");
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

std::string percent_encoded(std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '-' || c == '_' || c == '.' || c == '~') {
      out += c;
    } else {
      out += '%';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
  return out;
}

namespace {

// Takes what stands before the separator, and the separator, off the front; all if there is none.
std::string_view take_until(char separator, std::string_view& text) {
  const size_t end = text.find(separator);
  const std::string_view taken = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  return taken;
}

}  // namespace

Status split_target(std::string_view target, ApiRequest& request) {
  FLOWRUN_TRY(request.path, percent_decoded(take_until('?', target), false));
  while (!target.empty()) {
    std::string_view pair = take_until('&', target);
    if (pair.empty()) continue;
    FLOWRUN_TRY(std::string key, percent_decoded(take_until('=', pair), true));
    FLOWRUN_TRY(std::string value, percent_decoded(pair, true));
    request.query[std::move(key)] = std::move(value);
  }
  return ok_status();
}

}  // namespace flowrun
