// Text and bytes: codes, base 64, hexadecimal, character sets, sounds.
#include <algorithm>
#include <array>

#include "runtime/columnar/builder.h"
#include "runtime/expr/analyzer.h"
#include "runtime/expr/coercion.h"
#include "runtime/expr/functions/functions.h"
#include "runtime/expr/scalar.h"
#include "runtime/format/unicode_case.h"
#include "runtime/format/utf8.h"

namespace flowrun {

namespace {

using Text = std::string_view;

constexpr Text kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr Text kHex = "0123456789ABCDEF";
constexpr size_t kBase64Line = 76;

// MIME's base 64: lines of 76 characters.
void append_base64(Text bytes, std::string& out) {
  size_t line = 0;
  for (size_t at = 0; at < bytes.size(); at += 3) {
    if (line == kBase64Line) {
      out += "\r\n";
      line = 0;
    }
    const size_t left = std::min<size_t>(bytes.size() - at, 3);
    uint32_t group = 0;
    for (size_t i = 0; i < 3; ++i)
      group = group << 8 | (i < left ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    for (size_t i = 0; i < 4; ++i) out += i <= left ? kBase64[group >> (18 - 6 * i) & 63] : '=';
    line += 4;
  }
}

// Characters outside the alphabet are skipped.
void decode_base64(Text text, std::string& out) {
  uint32_t group = 0;
  int bits = 0;
  for (const char c : text) {
    if (c == '=') break;
    const size_t digit = kBase64.find(c);
    if (digit == Text::npos) continue;
    group = group << 6 | static_cast<uint32_t>(digit);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out += static_cast<char>(group >> bits & 0xff);
  }
}

void append_hex(Text bytes, std::string& out) {
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
}

void append_hex_number(int64_t number, std::string& out) {
  auto rest = static_cast<uint64_t>(number);
  std::array<char, 16> digits{};
  size_t at = digits.size();
  do {
    digits[--at] = kHex[rest & 15];
    rest >>= 4;
  } while (rest != 0);
  out.append(digits.data() + at, digits.size() - at);
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// An odd first digit is a byte of its own.
bool decode_hex(Text text, std::string& out) {
  int high = text.size() % 2 == 0 ? -1 : 0;
  for (const char c : text) {
    const int digit = hex_digit(c);
    if (digit < 0) return false;
    if (high < 0) {
      high = digit;
    } else {
      out += static_cast<char>(high << 4 | digit);
      high = -1;
    }
  }
  return true;
}

// Groups of four characters of the alphabet with spaces anywhere, the last one of two to four and
// perhaps filled up with `=`.
bool is_base64(Text text) {
  size_t characters = 0;
  size_t padding = 0;
  for (const char c : text) {
    if (c == '=') {
      if (++padding > 2 || characters % 4 < 2) return false;
    } else if (kBase64.find(c) != Text::npos) {
      if (padding > 0) return false;
      ++characters;
    } else if (padding > 0 || (c != ' ' && (c < '\t' || c > '\r'))) {
      return false;
    }
  }
  return padding > 0 ? (characters + padding) % 4 == 0 : characters % 4 != 1;
}

bool decode_checked_base64(Text text, std::string& out) {
  if (!is_base64(text)) return false;
  decode_base64(text, out);
  return true;
}

// Whatever is not of the alphabet is passed over, but a last character alone makes no byte.
Status decode_whole_base64(Text text, std::string& out) {
  const auto size = std::ranges::count_if(text.substr(0, text.find('=')),
                                          [](char c) { return kBase64.find(c) != Text::npos; });
  if (size % 4 == 1)
    return Error::data("unbase64 cannot read '" + std::string(text) +
                       "': its last character makes no byte");
  decode_base64(text, out);
  return {};
}

// As a decoder that says false, but fails.
template <bool (*kDecode)(Text, std::string&)>
Status decode_or_fail(Text text, std::string& out) {
  if (kDecode(text, out)) return {};
  return Error::data("to_binary cannot read '" + std::string(text) +
                     "' in its format — try_to_binary gives null there");
}

// [try_]to_binary(text[, format]): short for the decoder that the constant format names.
Result<TypedPtr> build_to_binary(CallSite& site, bool fails) {
  std::string format = "hex";
  if (site.size() == 2) {
    const auto* constant = dynamic_cast<const ConstantNode*>(site.argument(1).get());
    const bool text = constant != nullptr && (constant->type.id() == TypeId::string ||
                                              constant->type.id() == TypeId::null);
    if (!text) return site.wrong_argument(1, "'hex', 'base64' or 'utf-8' as a constant");
    format = constant->value()->is_null(0) ? "" : lower_name(constant->value()->string(0));
  }
  TypedPtr made;
  if (format == "hex") {
    FLOWRUN_TRY(
        made, site.call_as(fails ? "unhex or fail" : "unhex", site.function(), {site.argument(0)}));
  } else if (format == "base64") {
    FLOWRUN_TRY(made, site.call_as(fails ? "unbase64 or fail" : "unbase64 or null", site.function(),
                                   {site.argument(0)}));
  } else if (format == "utf-8" || format == "utf8") {
    FLOWRUN_TRY(made, site.call_as("encode", site.function(),
                                   {site.argument(0), CallSite::constant(constant_text("UTF-8"))}));
  } else if (format.empty() || !fails) {
    made = CallSite::constant(null_column(Type::binary(), 1));
  } else {
    return site.wrong_argument(1, "'hex', 'base64' or 'utf-8'");
  }
  return CallSite::named(made, site.default_name());
}

constexpr Text kSoundexCodes = "01230120022455012623010202";  // A to Z

// American soundex; texts that do not begin with an ASCII letter are their own.
void append_soundex(Text text, std::string& out) {
  const auto code_of = [](char c) -> char {
    const char upper = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    if (upper < 'A' || upper > 'Z') return ' ';
    // h and w do not part equal codes.
    if (upper == 'H' || upper == 'W') return '7';
    return kSoundexCodes[static_cast<size_t>(upper - 'A')];
  };
  if (text.empty() || code_of(text[0]) == ' ') {
    out += text;
    return;
  }
  out += text[0] >= 'a' ? static_cast<char>(text[0] - 'a' + 'A') : text[0];
  size_t size = 1;
  char last = code_of(text[0]);
  for (size_t i = 1; i < text.size() && size < 4; ++i) {
    const char code = code_of(text[i]);
    if (code == ' ') {
      last = '0';
    } else if (code != '7') {
      if (code != '0' && code != last) {
        out += code;
        ++size;
      }
      last = code;
    }
  }
  out.append(4 - size, '0');
}

// The character of a code below 256; none below 0.
void append_chr(int64_t code, std::string& out) {
  if (code >= 0) append_code_point(static_cast<uint32_t>(code & 0xff), out);
}

enum class Charset : uint8_t { utf8, ascii, latin1, utf16, utf16be, utf16le, utf32 };

std::optional<Charset> find_charset(Text name) {
  const std::string upper = [name] {
    std::string text;
    append_upper(name, text);
    return text;
  }();
  constexpr std::array<std::pair<Text, Charset>, 7> kCharsets{{{"UTF-8", Charset::utf8},
                                                               {"US-ASCII", Charset::ascii},
                                                               {"ISO-8859-1", Charset::latin1},
                                                               {"UTF-16", Charset::utf16},
                                                               {"UTF-16BE", Charset::utf16be},
                                                               {"UTF-16LE", Charset::utf16le},
                                                               {"UTF-32", Charset::utf32}}};
  for (const auto& [known, charset] : kCharsets) {
    if (upper == known) return charset;
  }
  return std::nullopt;
}

Error unknown_charset(Text name) {
  return Error::data(
      "unknown charset `" + std::string(name) +
      "` — it is one of UTF-8, US-ASCII, ISO-8859-1, UTF-16, UTF-16BE, UTF-16LE, UTF-32");
}
Error bad_character(Text name) {
  return Error::data("a text holds characters or bytes that " + std::string(name) + " has not");
}

void append_unit(uint32_t unit, bool little, std::string& out) {
  const auto high = static_cast<char>(unit >> 8 & 0xff);
  const auto low = static_cast<char>(unit & 0xff);
  out += little ? low : high;
  out += little ? high : low;
}

Status encode(Text text, Text name, std::string& out) {
  const auto charset = find_charset(name);
  if (!charset) return unknown_charset(name);
  if (*charset == Charset::utf8) {
    out += text;
    return {};
  }
  const bool little = *charset == Charset::utf16le;
  if (*charset == Charset::utf16 && !text.empty()) append_unit(0xfeff, false, out);
  while (!text.empty()) {
    const uint32_t point = take_code_point(text);
    if (*charset == Charset::ascii || *charset == Charset::latin1) {
      if (point > (*charset == Charset::ascii ? 0x7fU : 0xffU)) return bad_character(name);
      out += static_cast<char>(point);
    } else if (*charset == Charset::utf32) {
      append_unit(point >> 16, false, out);
      append_unit(point, false, out);
    } else if (point < 0x10000) {
      append_unit(point, little, out);
    } else {
      append_unit(0xd800 + ((point - 0x10000) >> 10), little, out);
      append_unit(0xdc00 + ((point - 0x10000) & 0x3ff), little, out);
    }
  }
  return {};
}

Status decode_utf16(Text bytes, Charset charset, Text name, std::string& out) {
  if (bytes.size() % 2 != 0) return bad_character(name);
  bool little = charset == Charset::utf16le;
  SurrogateJoiner joiner(out);
  for (size_t i = 0; i < bytes.size(); i += 2) {
    const auto first = static_cast<unsigned char>(bytes[i]);
    const auto second = static_cast<unsigned char>(bytes[i + 1]);
    const auto unit = static_cast<uint16_t>(little ? second << 8 | first : first << 8 | second);
    if (i == 0 && charset == Charset::utf16 && (unit == 0xfeff || unit == 0xfffe)) {
      little = unit == 0xfffe;
    } else {
      joiner.append(unit);
    }
  }
  joiner.flush();
  if (joiner.saw_lone_surrogate()) return bad_character(name);
  return {};
}

Status decode(Binary binary, Text name, std::string& out) {
  const auto charset = find_charset(name);
  if (!charset) return unknown_charset(name);
  switch (*charset) {
    case Charset::utf8:
      if (!is_valid_utf8(binary.bytes)) return bad_character(name);
      out += binary.bytes;
      return {};
    case Charset::ascii:
    case Charset::latin1:
      for (const char c : binary.bytes) {
        if (*charset == Charset::ascii && static_cast<signed char>(c) < 0)
          return bad_character(name);
        append_code_point(static_cast<unsigned char>(c), out);
      }
      return {};
    case Charset::utf32: {
      if (binary.bytes.size() % 4 != 0) return bad_character(name);
      for (size_t i = 0; i < binary.bytes.size(); i += 4) {
        uint32_t point = 0;
        for (size_t b = 0; b < 4; ++b)
          point = point << 8 | static_cast<unsigned char>(binary.bytes[i + b]);
        if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return bad_character(name);
        append_code_point(point, out);
      }
      return {};
    }
    default:
      return decode_utf16(binary.bytes, *charset, name, out);
  }
}

// In single quotes, with these escaped.
void append_quoted(Text text, std::string& out) {
  out += '\'';
  for (const char c : text) {
    if (c == '\'') out += '\\';
    out += c;
  }
  out += '\'';
}

ScalarFunction hex_function() {
  ScalarFunction text = overloads(
      "hex", "",
      {scalar<std::string(int64_t)>("", "", append_hex_number),
       scalar<std::string(Binary)>(
           "", "", [](Binary binary, std::string& out) { append_hex(binary.bytes, out); }),
       scalar<std::string(Text)>("", "",
                                 [](Text bytes, std::string& out) { append_hex(bytes, out); })});
  text.doc = "hex(x): a whole number, a text or a binary value in hexadecimal digits.";
  return text;
}

}  // namespace

void register_string_encoding_functions(FunctionRegistry& registry) {
  registry.add(scalar<int32_t(Text)>(
      "ascii", "ascii(text): the code of the first character; 0 if there is none.",
      [](Text text) { return text.empty() ? 0 : static_cast<int32_t>(take_code_point(text)); }));
  registry.add(scalar<std::string(int64_t)>(
      {"chr", "char"}, "chr(code): the character of a code modulo 256.", append_chr));
  registry.add(scalar<std::string(Binary)>(
      "base64", "base64(x): in base 64, in lines of 76 characters.",
      [](Binary binary, std::string& out) { append_base64(binary.bytes, out); }));
  registry.add(scalar<BinaryText(Text)>("unbase64", "unbase64(text): the bytes of base 64.",
                                        decode_whole_base64)
                   .may_fail());
  registry.add(hex_function());
  registry.add(scalar<BinaryText(Text)>(
      "unhex", "unhex(text): the bytes of hexadecimal digits; null if there are others.",
      decode_hex));
  registry.add(scalar<std::string(Text)>("soundex", "soundex(text): how an English word sounds.",
                                         append_soundex)
                   .without_casts({Type::string()}));
  registry.add(
      scalar<BinaryText(Text, Text)>(
          "encode", "encode(text, charset): the bytes of a text in a character set.", encode)
          .may_fail());
  registry.add(
      scalar<std::string(Binary, Text)>(
          "decode charset", "decode(bytes, charset): the text of bytes in a character set.", decode)
          .may_fail());
  registry.add(scalar<BinaryText(Text)>("unhex or fail", "to_binary(text, 'hex').",
                                        decode_or_fail<decode_hex>)
                   .may_fail());
  registry.add(scalar<BinaryText(Text)>("unbase64 or fail", "to_binary(text, 'base64').",
                                        decode_or_fail<decode_checked_base64>)
                   .may_fail());
  registry.add(scalar<BinaryText(Text)>("unbase64 or null", "try_to_binary(text, 'base64').",
                                        decode_checked_base64));
  registry.add(ScalarFunction(
      "to_binary",
      "to_binary(text[, format]): the bytes that a text in 'hex', "
      "'base64' or 'utf-8' stands for.",
      1, 2, BuildFunction([](CallSite& site) { return build_to_binary(site, true); })));
  registry.add(ScalarFunction(
      "try_to_binary",
      "try_to_binary(text[, format]): as to_binary, null where the text "
      "is not in the format.",
      1, 2, BuildFunction([](CallSite& site) { return build_to_binary(site, false); })));
  registry.add(scalar<std::string(Text)>("quote", "quote(text): in single quotes.", append_quoted));
  registry.add(scalar<bool(Text)>("is_valid_utf8", "is_valid_utf8(text): are its bytes UTF-8?",
                                  is_valid_utf8));
}

}  // namespace flowrun
