#include "runtime/format/show.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <vector>

#include "runtime/format/text.h"

namespace flowrun {

namespace {

constexpr size_t kLeastWidth = 3;
constexpr size_t kDots = 3;

struct CodePoint {
  uint32_t value;
  size_t bytes;
};

// The character at the front of `text`, taken to be UTF-8; a stray byte counts as one character.
CodePoint front(std::string_view text) {
  const auto lead = static_cast<uint8_t>(text[0]);
  const size_t bytes = lead < 0xc2 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 1;
  if (bytes == 1 || bytes > text.size()) return {lead, 1};
  uint32_t value = lead & (0xffu >> (bytes + 1));
  for (size_t i = 1; i < bytes; ++i) value = value << 6 | (static_cast<uint8_t>(text[i]) & 0x3f);
  return {value, bytes};
}

size_t utf16_units(uint32_t code_point) { return code_point >= 0x10000 ? 2 : 1; }

// Spark's list of blocks whose characters take two columns.
bool is_wide(uint32_t code_point) {
  struct Block {
    uint32_t first;
    uint32_t last;
  };
  static constexpr Block kWide[] = {{0x1100, 0x115f}, {0x2e80, 0xa4cf}, {0xac00, 0xd7a3},
                                    {0xf900, 0xfaff}, {0xfe10, 0xfe19}, {0xfe30, 0xfe6f},
                                    {0xff00, 0xff60}, {0xffe0, 0xffe6}};
  return std::ranges::any_of(kWide, [&](const Block& block) {
    return code_point >= block.first && code_point <= block.last;
  });
}

size_t width_of(std::string_view text) {
  size_t width = 0;
  while (!text.empty()) {
    const CodePoint point = front(text);
    width += utf16_units(point.value) + (is_wide(point.value) ? 1 : 0);
    text.remove_prefix(point.bytes);
  }
  return width;
}

size_t utf16_length(std::string_view text) {
  size_t length = 0;
  while (!text.empty()) {
    const CodePoint point = front(text);
    length += utf16_units(point.value);
    text.remove_prefix(point.bytes);
  }
  return length;
}

// The first `length` UTF-16 units; half a surrogate pair becomes a question mark.
std::string first_units(std::string_view text, size_t length) {
  std::string_view rest = text;
  size_t units = 0;
  while (!rest.empty() && units < length) {
    const CodePoint point = front(rest);
    units += utf16_units(point.value);
    if (units > length) return std::string(text.substr(0, text.size() - rest.size())) + '?';
    rest.remove_prefix(point.bytes);
  }
  return std::string(text.substr(0, text.size() - rest.size()));
}

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\v':
        out += "\\v";
        break;
      case '\a':
        out += "\\a";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string truncated(std::string text, int64_t truncate) {
  if (truncate <= 0) return text;
  const auto length = static_cast<size_t>(truncate);
  if (utf16_length(text) <= length) return text;
  if (length <= kDots) return first_units(text, length);
  return first_units(text, length - kDots) + "...";
}

using Cells = std::vector<std::string>;

Cells cells_of(const RecordBatch& batch, int64_t row, const ShowOptions& options,
               const TimeZone& zone) {
  Cells cells;
  for (const ColumnPtr& column : batch.columns()) {
    std::string text;
    append_text(*column, row, zone, text, TextStyle::show);
    cells.push_back(truncated(escaped(text), options.truncate));
  }
  return cells;
}

void append_padded(std::string_view text, size_t width, bool right_aligned, std::string& out) {
  const size_t own = width_of(text);
  const size_t padding = own < width ? width - own : 0;
  if (right_aligned) out.append(padding, ' ');
  out += text;
  if (!right_aligned) out.append(padding, ' ');
}

void append_box(const Cells& names, std::span<const Cells> rows, bool right_aligned,
                std::string& out) {
  std::vector<size_t> widths(names.size(), kLeastWidth);
  const auto widen = [&](const Cells& cells) {
    for (size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], width_of(cells[i]));
  };
  widen(names);
  for (const Cells& cells : rows) widen(cells);
  std::string rule = "+";
  for (const size_t width : widths) rule.append(width, '-') += '+';
  rule += widths.empty() ? "+\n" : "\n";
  const auto line = [&](const Cells& cells) {
    out += '|';
    for (size_t i = 0; i < cells.size(); ++i) {
      append_padded(cells[i], widths[i], right_aligned, out);
      out += '|';
    }
    out += cells.empty() ? "|\n" : "\n";
  };
  out += rule;
  line(names);
  out += rule;
  for (const Cells& cells : rows) line(cells);
  out += rule;
}

void append_records(const Cells& names, std::span<const Cells> rows, std::string& out) {
  size_t name_width = kLeastWidth;
  size_t value_width = kLeastWidth;
  for (const std::string& name : names) name_width = std::max(name_width, width_of(name));
  for (const Cells& cells : rows) {
    for (const std::string& cell : cells) value_width = std::max(value_width, width_of(cell));
  }
  for (size_t row = 0; row < rows.size(); ++row) {
    const std::string head = fmt::format("-RECORD {}", row);
    out += fmt::format("{:-<{}}\n", head, std::max(head.size(), name_width + value_width + 5));
    for (size_t i = 0; i < names.size(); ++i) {
      out += ' ';
      append_padded(names[i], name_width, false, out);
      out += " | ";
      append_padded(rows[row][i], value_width, false, out);
      out += " \n";
    }
  }
}

}  // namespace

std::string show_frame(const RecordBatch& batch, const ShowOptions& options, const TimeZone& zone) {
  Cells names;
  for (const Field& field : batch.schema()->fields()) names.push_back(escaped(field.name));
  const int64_t shown = std::min(batch.num_rows(), std::max<int64_t>(options.rows, 0));
  std::vector<Cells> rows;
  for (int64_t row = 0; row < shown; ++row) rows.push_back(cells_of(batch, row, options, zone));
  std::string out;
  if (options.vertical) {
    append_records(names, rows, out);
  } else {
    append_box(names, rows, options.truncate > 0, out);
  }
  if (options.vertical && rows.empty()) {
    out += "(0 rows)\n";
  } else if (shown < batch.num_rows()) {
    out += fmt::format("only showing top {} {}\n", shown, shown == 1 ? "row" : "rows");
  } else {
    out += '\n';
  }
  return out;
}

std::string batch_header(int64_t epoch) {
  static constexpr char kRule[] = "-------------------------------------------\n";
  return fmt::format("{}Batch: {}\n{}", kRule, epoch, kRule);
}

}  // namespace flowrun
