// Digests and hashes. hash and xxhash64 agree with Spark bit by bit, so that rows are spread alike.
#include <openssl/evp.h>

#include <array>
#include <boost/crc.hpp>

#include "runtime/expr/functions/functions.h"
#include "runtime/expr/row_hash.h"
#include "runtime/expr/scalar.h"

namespace flowrun {

namespace {

using Text = std::string_view;

void append_digest(Text bytes, const EVP_MD* algorithm, std::string& out) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, algorithm, nullptr);
  for (unsigned int i = 0; i < size; ++i) {
    out += "0123456789abcdef"[digest[i] >> 4];
    out += "0123456789abcdef"[digest[i] & 15];
  }
}

bool append_sha2(Binary binary, int32_t bits, std::string& out) {
  const EVP_MD* algorithm = nullptr;
  switch (bits) {
    case 0:
    case 256:
      algorithm = EVP_sha256();
      break;
    case 224:
      algorithm = EVP_sha224();
      break;
    case 384:
      algorithm = EVP_sha384();
      break;
    case 512:
      algorithm = EVP_sha512();
      break;
    default:
      return false;
  }
  append_digest(binary.bytes, algorithm, out);
  return true;
}

bool holds_map(const Type& type) {
  if (type.id() == TypeId::map) return true;
  for (const Field& field : type.fields()) {
    if (holds_map(field.type)) return true;
  }
  return false;
}

template <class Algorithm>
ScalarFunction hash_function(const char* name, std::string doc, const Type& type) {
  using Hash = typename Algorithm::Hash;
  const Kernel kernel = [type](const CallContext& context,
                               std::span<const Datum> arguments) -> Result<Datum> {
    constexpr Hash kSeed = 42;
    const int64_t rows = rows_to_compute(arguments, context.num_rows);
    FixedWriter<Hash> writer(type, rows);
    for (int64_t row = 0; row < rows; ++row) {
      Hash hash = kSeed;
      for (const Datum& argument : arguments) {
        hash = RowHasher<Algorithm>::value(*argument.column, argument.at(row), hash);
      }
      writer.set(row, hash);
    }
    return Datum{writer.finish(), rows_to_compute(arguments, 2) == 1};
  };
  return ScalarFunction(
      name, std::move(doc), 1, ScalarFunction::kAnyNumber,
      BindFunction([kernel, type](const Arguments& arguments) -> Result<BoundFunction> {
        for (size_t i = 0; i < arguments.size(); ++i) {
          if (holds_map(arguments.types[i]))
            return wrong_argument(arguments, i, "anything but maps, whose entries have no order");
        }
        return BoundFunction{.arguments = {arguments.types.begin(), arguments.types.end()},
                             .result = type,
                             .kernel = kernel};
      }));
}

}  // namespace

void register_hash_functions(FunctionRegistry& registry) {
  registry.add(scalar<std::string(Binary)>(
      "md5", "md5(x): the MD5 digest in hexadecimal digits.",
      [](Binary x, std::string& out) { append_digest(x.bytes, EVP_md5(), out); }));
  registry.add(scalar<std::string(Binary)>(
      {"sha1", "sha"}, "sha1(x): the SHA-1 digest in hexadecimal digits.",
      [](Binary x, std::string& out) { append_digest(x.bytes, EVP_sha1(), out); }));
  registry.add(scalar<std::string(Binary, int32_t)>(
      "sha2", "sha2(x, bits): the SHA-2 digest of 224, 256 (or 0), 384 or 512 bits.", append_sha2));
  registry.add(
      scalar<int64_t(Binary)>("crc32", "crc32(x): the cyclic redundancy check.", [](Binary x) {
        boost::crc_32_type crc;
        crc.process_bytes(x.bytes.data(), x.bytes.size());
        return static_cast<int64_t>(crc.checksum());
      }));
  registry.add(hash_function<Murmur>("hash", "hash(x, ...): the 32-bit Murmur 3 hash of a row.",
                                     Type::integer()));
  registry.add(hash_function<XxHash>("xxhash64", "xxhash64(x, ...): the 64-bit xxHash of a row.",
                                     Type::bigint()));
}

}  // namespace flowrun
