#include "runtime/config/diagnostic.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <utf8proc.h>

#include <algorithm>
#include <tuple>

namespace flowrun {

namespace {

constexpr size_t kGutter = 5;  // of the line number
constexpr size_t kMostKept = 500;
constexpr size_t kLongestLine = 160;  // in bytes; more is cut around the place

std::string_view file_of(const Position& position) {
  return position.file ? std::string_view(*position.file) : std::string_view();
}

auto identity(const Diagnostic& diagnostic) {
  return std::tuple(file_of(diagnostic.position), diagnostic.position.line,
                    diagnostic.position.column, std::string_view(diagnostic.message));
}

// The bytes to underline: those the error is about, else the word that stands there.
size_t underlined(std::string_view line, const Position& position) {
  const size_t start = std::min(line.size(), static_cast<size_t>(std::max(position.column, 1)) - 1);
  if (position.length > 0)
    return std::min(static_cast<size_t>(position.length), line.size() - start);
  size_t end = start;
  const auto is_word = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || (c & 0x80) != 0;
  };
  while (end < line.size() && is_word(line[end])) ++end;
  return end - start;
}

// Columns of a terminal that a text takes.
size_t width(std::string_view text) {
  size_t columns = 0;
  for (size_t i = 0; i < text.size();) {
    utf8proc_int32_t code = 0;
    const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data() + i);
    const auto length =
        utf8proc_iterate(bytes, static_cast<utf8proc_ssize_t>(text.size() - i), &code);
    if (length <= 0) return columns + text.size() - i;
    columns += static_cast<size_t>(std::max(0, utf8proc_charwidth(code)));
    i += static_cast<size_t>(length);
  }
  return columns;
}

bool inside_character(std::string_view text, size_t i) {
  return i < text.size() && (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80;
}

// The part of a long line around [start, start + length), which are moved accordingly.
std::string cut(std::string_view line, size_t& start, size_t& length) {
  if (line.size() <= kLongestLine) return std::string(line);
  size_t first = start > kLongestLine / 2 ? start - kLongestLine / 2 : 0;
  while (inside_character(line, first)) ++first;
  size_t last = std::min(line.size(), first + kLongestLine);
  while (inside_character(line, last)) --last;
  const std::string before = first > 0 ? "..." : "";
  start = start - first + before.size();
  length = std::min(length, last - first);
  return before + std::string(line.substr(first, last - first)) + (last < line.size() ? "..." : "");
}

void append_source(const Diagnostic& diagnostic, const SourceTexts& sources, std::string& out) {
  const std::string_view whole = sources.line(diagnostic.position);
  if (whole.empty()) return;
  size_t start =
      std::min(whole.size(), static_cast<size_t>(std::max(diagnostic.position.column, 1)) - 1);
  size_t length = underlined(whole, diagnostic.position);
  std::string line = cut(whole, start, length);
  std::ranges::replace(line, '\t', ' ');
  const std::string number = std::to_string(diagnostic.position.line);
  out +=
      std::string(kGutter - std::min(kGutter, number.size()), ' ') + number + " | " + line + "\n";
  out += std::string(std::max(kGutter, number.size()), ' ') + " | ";
  const std::string_view shown(line);
  out += std::string(width(shown.substr(0, start)), ' ') + "^";
  const size_t tail = width(shown.substr(start, length));
  if (tail > 1) out += std::string(tail - 1, '~');
  out += "\n";
}

std::string counted(size_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

void append_heading(const Diagnostic& diagnostic, bool colors, std::string& out) {
  const bool is_error = diagnostic.severity == Diagnostic::Severity::error;
  const std::string_view file = file_of(diagnostic.position);
  out += file;
  if (diagnostic.position.known()) {
    out += ":" + std::to_string(diagnostic.position.line) + ":" +
           std::to_string(diagnostic.position.column);
  }
  if (!file.empty() || diagnostic.position.known()) out += ": ";
  if (colors) out += is_error ? "\x1b[1;31m" : "\x1b[1;33m";
  out += is_error ? "error" : "warning";
  if (colors) out += "\x1b[0m";
  out += ": ";
  if (!diagnostic.node.empty()) out += diagnostic.node + ": ";
  out += diagnostic.message + "\n";
}

}  // namespace

bool has_errors(const Diagnostics& diagnostics) {
  return std::ranges::find(diagnostics, Diagnostic::Severity::error, &Diagnostic::severity) !=
         diagnostics.end();
}

Diagnostic make_diagnostic(Error error, std::string node) {
  return {Diagnostic::Severity::error, std::move(error.message), std::move(node),
          std::move(error.position)};
}

void SourceTexts::add(const std::string& file, std::string text) {
  Text& entry = texts_[file];
  entry.bytes = std::move(text);
  entry.starts = {0};
  for (size_t i = 0; i < entry.bytes.size(); ++i) {
    if (entry.bytes[i] == '\n') entry.starts.push_back(i + 1);
  }
}

std::vector<std::string> SourceTexts::files() const {
  std::vector<std::string> names;
  for (const auto& [name, text] : texts_) names.push_back(name);
  return names;
}

void SourceTexts::hide(const Position& position) {
  const auto found = position.file ? texts_.find(*position.file) : texts_.end();
  const std::string_view shown = line(position);
  if (found == texts_.end() || shown.empty()) return;
  std::string& bytes = found->second.bytes;
  const size_t column =
      std::min(shown.size(), static_cast<size_t>(std::max(position.column, 1)) - 1);
  const size_t length = position.length > 0 ? static_cast<size_t>(position.length) : shown.size();
  const size_t start = static_cast<size_t>(shown.data() - bytes.data()) + column;
  const size_t end = start + std::min(length, shown.size() - column);
  for (size_t i = start; i < end; ++i) bytes[i] = '*';
}

std::string_view SourceTexts::line(const Position& position) const {
  const auto found = position.file ? texts_.find(*position.file) : texts_.end();
  if (found == texts_.end() || !position.known()) return {};
  const auto& [bytes, starts] = found->second;
  const auto index = static_cast<size_t>(position.line - 1);
  if (index >= starts.size()) return {};
  const std::string_view rest = std::string_view(bytes).substr(starts[index]);
  return rest.substr(0, rest.find('\n'));
}

void put_in_order(Diagnostics& diagnostics) {
  std::ranges::stable_sort(diagnostics, [](const Diagnostic& a, const Diagnostic& b) {
    return std::tuple(file_of(a.position), a.position.line, a.position.column) <
           std::tuple(file_of(b.position), b.position.line, b.position.column);
  });
  const auto same = [](const Diagnostic& a, const Diagnostic& b) {
    return identity(a) == identity(b);
  };
  diagnostics.erase(std::unique(diagnostics.begin(), diagnostics.end(), same), diagnostics.end());
  size_t errors = 0;
  size_t warnings = 0;
  std::erase_if(diagnostics, [&](const Diagnostic& diagnostic) {
    return ++(diagnostic.severity == Diagnostic::Severity::error ? errors : warnings) > kMostKept;
  });
}

std::string render_text(const Diagnostics& diagnostics, const SourceTexts& sources,
                        const RenderOptions& options) {
  if (diagnostics.empty()) return {};
  std::string out;
  size_t errors = 0;
  for (const Diagnostic& diagnostic : diagnostics) {
    if (diagnostic.severity == Diagnostic::Severity::error) ++errors;
    append_heading(diagnostic, options.colors, out);
    append_source(diagnostic, sources, out);
  }
  const size_t warnings = diagnostics.size() - errors;
  if (errors > 0) out += counted(errors, "error");
  if (warnings > 0) out += (errors > 0 ? ", " : "") + counted(warnings, "warning");
  if (errors > 0) out += "; " + std::string(options.outcome);
  return out + "\n";
}

std::string render_json(const Diagnostics& diagnostics) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  const auto text = [&](std::string_view key, std::string_view value) {
    writer.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
    writer.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  };
  writer.StartArray();
  for (const Diagnostic& diagnostic : diagnostics) {
    writer.StartObject();
    text("severity", diagnostic.severity == Diagnostic::Severity::error ? "error" : "warning");
    text("message", diagnostic.message);
    text("node", diagnostic.node);
    text("file", file_of(diagnostic.position));
    writer.Key("line");
    writer.Int(diagnostic.position.line);
    writer.Key("column");
    writer.Int(diagnostic.position.column);
    writer.Key("length");
    writer.Int(diagnostic.position.length);
    writer.EndObject();
  }
  writer.EndArray();
  return buffer.GetString();
}

}  // namespace flowrun
