// What may stand in a pipeline file at all, before it is looked at as YAML.

#include <utf8proc.h>

#include "runtime/config/yaml_document.h"

namespace flowrun {

namespace {

std::string hexadecimal(unsigned char byte) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  return {kDigits[byte >> 4], kDigits[byte & 15]};
}

// '\r\n' and lone '\r' to '\n', in place.
void unify_line_ends(std::string& text) {
  size_t end = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r') {
      if (i + 1 < text.size() && text[i + 1] == '\n') ++i;
      text[end++] = '\n';
    } else {
      text[end++] = text[i];
    }
  }
  text.resize(end);
}

Position position_of(std::string_view text, size_t offset,
                     const std::shared_ptr<const std::string>& file) {
  Position position{file, 1, 1, 1};
  for (size_t i = 0; i < offset; ++i) {
    ++position.column;
    if (text[i] == '\n') ++position.line, position.column = 1;
  }
  return position;
}

bool is_forbidden(unsigned char c) { return (c < 0x20 && c != '\t' && c != '\n') || c == 0x7F; }

// The length of the UTF-8 sequence at `offset`, 0 if it is none.
size_t sequence_length(std::string_view text, size_t offset) {
  utf8proc_int32_t code = 0;
  const auto rest = static_cast<utf8proc_ssize_t>(text.size() - offset);
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data() + offset);
  const utf8proc_ssize_t length = utf8proc_iterate(bytes, rest, &code);
  return length > 0 ? static_cast<size_t>(length) : 0;
}

Status check_characters(std::string_view text, const std::shared_ptr<const std::string>& file) {
  for (size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (is_forbidden(byte)) {
      return Error::invalid("the control character 0x" + hexadecimal(byte) +
                            " cannot stand in a pipeline file — remove it, or write an escape in "
                            "double quotes")
          .at(position_of(text, i, file));
    }
    const size_t length = byte < 0x80 ? 1 : sequence_length(text, i);
    if (length == 0) {
      return Error::invalid("the byte 0x" + hexadecimal(byte) +
                            " is no UTF-8 — save the file as UTF-8")
          .at(position_of(text, i, file));
    }
    i += length;
  }
  return {};
}

}  // namespace

Result<std::string> clean_yaml_text(std::string text,
                                    const std::shared_ptr<const std::string>& file,
                                    const YamlLimits& limits) {
  const Position start{file, 1, 1, 0};
  if (text.size() > limits.bytes) {
    return Error::invalid("the file has " + std::to_string(text.size()) +
                          " bytes — a pipeline file may have " +
                          std::to_string(limits.bytes >> 20) + " MiB")
        .at(start);
  }
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    return Error::invalid("the file is UTF-16 — save it as UTF-8").at(start);
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  unify_line_ends(text);
  FLOWRUN_RETURN_IF_ERROR(check_characters(text, file));
  return text;
}

}  // namespace flowrun
