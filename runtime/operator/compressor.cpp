#include "runtime/operator/compressor.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>

#include "runtime/base/check.h"

namespace flowrun {

namespace {

constexpr size_t kRoom = 64 << 10;  // what the output grows by

class Gzip final : public Compressor {
 public:
  Gzip() {
    constexpr int kGzipWindow = 15 + 16, kMemory = 8;
    FLOWRUN_CHECK(deflateInit2(&z_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, kMemory,
                               Z_DEFAULT_STRATEGY) == Z_OK,
                  "zlib has memory to begin");
  }
  ~Gzip() override { deflateEnd(&z_); }
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;

  void append(std::string_view text, std::string& out) override {
    begun_ = begun_ || !text.empty();
    while (!text.empty()) {
      constexpr size_t kMost = 1 << 30;
      const std::string_view piece = text.substr(0, kMost);
      z_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));  // it only reads
      z_.avail_in = static_cast<uInt>(piece.size());
      while (z_.avail_in > 0) run(Z_NO_FLUSH, out);
      text.remove_prefix(piece.size());
    }
  }
  void finish(std::string& out) override {
    if (!begun_) return;
    while (run(Z_FINISH, out) != Z_STREAM_END) {
    }
    deflateReset(&z_);
    begun_ = false;
  }

 private:
  int run(int flush, std::string& out) {
    const size_t before = out.size();
    out.resize(before + kRoom);
    z_.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    z_.avail_out = kRoom;
    const int result = deflate(&z_, flush);
    FLOWRUN_CHECK(result != Z_STREAM_ERROR, "zlib is called in the right state");
    out.resize(before + kRoom - z_.avail_out);
    return result;
  }

  z_stream z_{};
  bool begun_ = false;
};

class Zstd final : public Compressor {
 public:
  Zstd() : context_(ZSTD_createCCtx()) {
    FLOWRUN_CHECK(context_ != nullptr, "zstd has memory to begin");
  }
  ~Zstd() override { ZSTD_freeCCtx(context_); }
  Zstd(const Zstd&) = delete;
  Zstd& operator=(const Zstd&) = delete;

  void append(std::string_view text, std::string& out) override {
    begun_ = begun_ || !text.empty();
    ZSTD_inBuffer in{text.data(), text.size(), 0};
    while (in.pos < in.size) run(in, ZSTD_e_continue, out);
  }
  void finish(std::string& out) override {
    if (!begun_) return;
    ZSTD_inBuffer nothing{nullptr, 0, 0};
    while (run(nothing, ZSTD_e_end, out) > 0) {
    }
    begun_ = false;
  }

 private:
  size_t run(ZSTD_inBuffer& in, ZSTD_EndDirective how, std::string& out) {
    const size_t before = out.size();
    out.resize(before + kRoom);
    ZSTD_outBuffer made{out.data() + before, kRoom, 0};
    const size_t left = ZSTD_compressStream2(context_, &made, &in, how);
    FLOWRUN_CHECK(ZSTD_isError(left) == 0, "zstd is called in the right state");
    out.resize(before + made.pos);
    return left;
  }

  ZSTD_CCtx* context_;
  bool begun_ = false;
};

}  // namespace

std::string_view extension_of(Compression compression) {
  switch (compression) {
    case Compression::gzip:
      return ".gz";
    case Compression::zstd:
      return ".zst";
    default:
      return "";
  }
}

std::unique_ptr<Compressor> make_compressor(Compression compression) {
  switch (compression) {
    case Compression::gzip:
      return std::make_unique<Gzip>();
    case Compression::zstd:
      return std::make_unique<Zstd>();
    default:
      return nullptr;
  }
}

}  // namespace flowrun
