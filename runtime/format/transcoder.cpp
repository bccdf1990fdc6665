#include "runtime/format/transcoder.h"

#include <fmt/format.h>
#include <iconv.h>

#include <array>
#include <cerrno>

#include "runtime/columnar/type.h"

namespace flowrun {

namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

class IconvTranscoder final : public Transcoder {
 public:
  IconvTranscoder(iconv_t handle, bool finds_byte_order)
      : handle_(handle), finds_byte_order_(finds_byte_order) {}
  ~IconvTranscoder() override { iconv_close(handle_); }
  IconvTranscoder(const IconvTranscoder&) = delete;
  IconvTranscoder& operator=(const IconvTranscoder&) = delete;

  void append(std::string_view bytes, bool at_end, std::string& out) override {
    rest_ += bytes;
    if (finds_byte_order_ && (rest_.size() >= 2 || at_end)) find_byte_order();
    if (finds_byte_order_) return;
    char* in = rest_.data();
    size_t left = rest_.size();
    while (left > 0) {
      std::array<char, 4096> piece;
      char* to = piece.data();
      size_t room = piece.size();
      const size_t result = iconv(handle_, &in, &left, &to, &room);
      const int error = errno;
      out.append(piece.data(), piece.size() - room);
      if (result != static_cast<size_t>(-1) || error == E2BIG) continue;
      if (error == EINVAL && !at_end) break;
      out += kReplacement;
      ++in;
      --left;
    }
    rest_.erase(0, rest_.size() - left);
  }

 private:
  // UTF-16 by its mark; the handle reads big-endian.
  void find_byte_order() {
    finds_byte_order_ = false;
    if (rest_.starts_with("\xff\xfe")) {
      iconv_close(handle_);
      handle_ = iconv_open("UTF-8", "UTF-16LE");
      rest_.erase(0, 2);
    } else if (rest_.starts_with("\xfe\xff")) {
      rest_.erase(0, 2);
    }
  }

  iconv_t handle_;
  bool finds_byte_order_;
  std::string rest_;
};

}  // namespace

bool is_utf8_name(std::string_view charset) {
  return names_equal(charset, "UTF-8") || names_equal(charset, "UTF8");
}

Result<std::unique_ptr<Transcoder>> Transcoder::make(const std::string& charset) {
  const bool any_order = names_equal(charset, "UTF-16") || names_equal(charset, "UTF16");
  const iconv_t handle = iconv_open("UTF-8", any_order ? "UTF-16BE" : charset.c_str());
  // iconv_open's value for a failure.
  if (handle == reinterpret_cast<iconv_t>(-1)) {  // NOLINT(performance-no-int-to-ptr)
    return Error::invalid(fmt::format(
        "unknown encoding `{}` — write one such as UTF-8, ISO-8859-1 or UTF-16", charset));
  }
  return std::unique_ptr<Transcoder>(std::make_unique<IconvTranscoder>(handle, any_order));
}

}  // namespace flowrun
