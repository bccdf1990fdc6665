#pragma once
// Compressor: text in, gzip or zstd out, in members that may follow one another in a file.
//
//   std::unique_ptr<Compressor> compressor = make_compressor(Compression::gzip);
//   compressor->append("text", out);
//   compressor->finish(out);          // what was appended since the last finish can be read now

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace flowrun {

enum class Compression : uint8_t { none, gzip, zstd };

// Of files: "", ".gz", ".zst".
std::string_view extension_of(Compression compression);

// Not thread-safe.
class Compressor {
 public:
  virtual ~Compressor() = default;
  virtual void append(std::string_view text, std::string& out) = 0;
  // Ends the member; nothing if nothing was appended.
  virtual void finish(std::string& out) = 0;
};

// Null for none.
std::unique_ptr<Compressor> make_compressor(Compression compression);

}  // namespace flowrun
