#pragma once
// UTF-8 as Java's decoder and encoder treat it: what is not valid becomes U+FFFD, a lone surrogate
// `?`.

#include <cstdint>
#include <string>
#include <string_view>

namespace flowrun {

bool is_valid_utf8(std::string_view text);

// Appends `text` with each malformed sequence (of the length that Java's decoder takes for one) as
// U+FFFD.
void append_replacing_invalid_utf8(std::string_view text, std::string& out);

// REQUIRES: code_point <= 0x10ffff and no surrogate.
void append_code_point(uint32_t code_point, std::string& out);

// Turns UTF-16 code units into UTF-8 one by one; a surrogate without its partner becomes `?`.
class SurrogateJoiner {
 public:
  explicit SurrogateJoiner(std::string& out) : out_(out) {}
  void append(uint16_t unit);
  // To be called before other text is appended and at the end.
  void flush();
  [[nodiscard]] bool saw_lone_surrogate() const { return saw_lone_; }

 private:
  std::string& out_;
  uint16_t high_ = 0;
  bool saw_lone_ = false;
};

}  // namespace flowrun
