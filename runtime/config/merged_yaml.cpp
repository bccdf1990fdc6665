#include "runtime/config/merged_yaml.h"

#include <algorithm>

#include "runtime/config/document.h"

namespace flowrun {

namespace {

constexpr size_t kLineWidth = 100;

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// A text that YAML gives back as it is, between braces too.
bool is_plain(const std::string& text) {
  constexpr std::string_view kInside = " _-./$%()<>=+";
  if (text.empty() || text.back() == ' ') return false;
  if (!is_letter_or_digit(text[0]) && text[0] != '_' && text[0] != '/' && text[0] != '.')
    return false;
  return std::ranges::all_of(text, [&](char c) {
    return is_letter_or_digit(c) || kInside.find(c) != std::string_view::npos;
  });
}

std::string quoted(const std::string& text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < ' ') {
      out += "\\x";
      out += kDigits[byte >> 4];
      out += kDigits[byte & 0xf];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string scalar(const std::string& text, bool was_quoted) {
  return !was_quoted && is_plain(text) ? text : quoted(text);
}

std::string in_a_line(const RawValue& value) {
  std::string text;
  switch (value.kind) {
    case RawValue::Kind::empty:
      return "null";
    case RawValue::Kind::scalar:
      return scalar(value.text, value.quoted);
    case RawValue::Kind::list:
      for (const RawValue& item : value.items) text += (text.empty() ? "" : ", ") + in_a_line(item);
      return "[" + text + "]";
    case RawValue::Kind::map:
      for (size_t i = 0; i < value.items.size(); ++i) {
        text += (text.empty() ? "" : ", ") + scalar(value.keys[i].text, value.keys[i].quoted) +
                ": " + in_a_line(value.items[i]);
      }
      return text.empty() ? "{}" : "{ " + text + " }";
  }
  return text;
}

// `key: value`, on one line if it fits, else a line for each entry.
void append_entry(const std::string& indent, const std::string& head, const RawValue& value,
                  std::string& out) {
  const std::string line = indent + head + " " + in_a_line(value);
  const bool parts = value.kind == RawValue::Kind::map || value.kind == RawValue::Kind::list;
  if (!parts || value.items.empty() || line.size() <= kLineWidth) {
    out += line + "\n";
    return;
  }
  out += indent + head + "\n";
  for (size_t i = 0; i < value.items.size(); ++i) {
    const bool map = value.kind == RawValue::Kind::map;
    append_entry(indent + "  ", map ? scalar(value.keys[i].text, value.keys[i].quoted) + ":" : "-",
                 value.items[i], out);
  }
}

// A block such as `nodes:`, with a comment where another file's part begins.
void append_block(const std::string& name, const RawValue& entries, const std::string& main_file,
                  std::string& out) {
  if (entries.keys.empty()) return;
  out += "\n" + name + ":\n";
  std::string file = main_file;
  for (size_t i = 0; i < entries.keys.size(); ++i) {
    const Position& position = entries.keys[i].position;
    const std::string from = position.file ? *position.file : main_file;
    if (from != file) out += "  # from " + from + "\n";
    file = from;
    append_entry("  ", scalar(entries.keys[i].text, entries.keys[i].quoted) + ":", entries.items[i],
                 out);
  }
}

}  // namespace

MergedYaml merged_yaml(const std::string& path, const LoadOptions& options) {
  MergedYaml merged;
  LoadedPlan loaded;
  Result<std::string> text = read_text_file(path, options.limits.bytes);
  if (!text) {
    merged.diagnostics.push_back(make_diagnostic(std::move(text.error())));
    return merged;
  }
  const Document document = merge_document(std::move(*text), path, options, loaded);
  merged.diagnostics = std::move(loaded.diagnostics);
  put_in_order(merged.diagnostics);
  merged.sources = std::move(loaded.sources);
  if (has_errors(merged.diagnostics)) return merged;
  merged.text = "# " + path;
  for (const std::string& file : merged.sources.files()) {
    if (file != path && file != "--set") merged.text += ", " + file;
  }
  merged.text += "\n";
  for (size_t i = 0; i < document.top.keys.size(); ++i) {
    append_entry("", document.top.keys[i].text + ":", document.top.items[i], merged.text);
  }
  append_block("connections", document.connections, path, merged.text);
  append_block("tables", document.tables, path, merged.text);
  append_block("nodes", document.nodes, path, merged.text);
  if (document.chain.kind != RawValue::Kind::empty)
    append_entry("", "chain:", document.chain, merged.text);
  return merged;
}

}  // namespace flowrun
