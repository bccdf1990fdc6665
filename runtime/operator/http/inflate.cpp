#include "runtime/operator/http/inflate.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <climits>

#include "runtime/base/check.h"

namespace flowrun {

namespace {

constexpr int kGzipOrZlib = 15 + 32;  // inflateInit2: the largest window, either header

Error broken(const z_stream& z) {
  return Error::data(
      fmt::format("the gzip stream is broken{}{}", z.msg ? ": " : "", z.msg ? z.msg : ""));
}

}  // namespace

struct Inflate::Stream {
  Stream() { FLOWRUN_CHECK(inflateInit2(&z, kGzipOrZlib) == Z_OK, "zlib has memory to begin"); }
  ~Stream() { inflateEnd(&z); }
  z_stream z{};
};

Inflate::Inflate() : stream_(std::make_unique<Stream>()) {}
Inflate::~Inflate() = default;
Inflate::Inflate(Inflate&&) noexcept = default;
Inflate& Inflate::operator=(Inflate&&) noexcept = default;

Result<size_t> Inflate::read(std::string_view& input, std::span<char> space) {
  z_stream& z = stream_->z;
  if (failed_) return broken(z);
  if (at_end_) {
    if (input.empty()) return 0;
    inflateReset(&z);  // another member follows
    at_end_ = false;
  }
  const auto offered = static_cast<uInt>(std::min<size_t>(input.size(), INT_MAX));
  const auto room = static_cast<uInt>(std::min<size_t>(space.size(), INT_MAX));
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));  // zlib only reads it
  z.avail_in = offered;
  z.next_out = reinterpret_cast<Bytef*>(space.data());
  z.avail_out = room;
  const int result = inflate(&z, Z_SYNC_FLUSH);
  input.remove_prefix(offered - z.avail_in);
  if (result == Z_STREAM_END) {
    at_end_ = true;
  } else if (result != Z_OK && result != Z_BUF_ERROR) {
    failed_ = true;
    if (z.avail_out == room) return broken(z);
  }
  return static_cast<size_t>(room - z.avail_out);
}

}  // namespace flowrun
