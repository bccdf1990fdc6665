#include "runtime/format/json_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "runtime/format/column_filler.h"
#include "runtime/format/json_exact.h"
#include "runtime/format/json_fast.h"

namespace flowrun {

namespace {

Status check_type(const Type& type, std::string_view column) {
  if (type.id() == TypeId::map && type.key().id() != TypeId::string) {
    return Error::invalid(fmt::format(
        "column `{}`: the keys of a map in JSON are strings — write map<string, {}>, not {}",
        column, type.value().simple_string(), type.simple_string()));
  }
  if (type.id() >= TypeId::year_month_interval && type.id() <= TypeId::calendar_interval) {
    return Error::invalid(
        fmt::format("column `{}`: JSON holds no {}", column, type.simple_string()));
  }
  for (const Field& field : type.fields()) FLOWRUN_RETURN_IF_ERROR(check_type(field.type, column));
  return ok_status();
}

}  // namespace

Status check_json_schema(const Schema& schema) {
  for (const Field& field : schema.fields())
    FLOWRUN_RETURN_IF_ERROR(check_type(field.type, field.name));
  return ok_status();
}

struct JsonReader::State {
  State(const SchemaPtr& of, JsonReadOptions with, TextTimes by, const std::vector<bool>& wanted)
      : schema(of), options(std::move(with)), times(std::move(by)) {
    std::vector<Field> fields;
    std::vector<JsonFast::Target> targets;
    fillers.resize(schema->num_fields());
    for (size_t i = 0; i < schema->num_fields(); ++i) {
      if (!wanted[i]) continue;
      const Field& field = schema->field(i);
      fillers[i] = std::make_unique<ColumnFiller>(field.type);
      filled.push_back(fillers[i].get());
      fields.push_back(field);
      targets.push_back({field.name, fillers[i].get()});
    }
    exact = std::make_unique<ExactJson>(fields, options, times);
    fast = std::make_unique<JsonFast>(std::move(targets), times);
  }

  SchemaPtr schema;
  JsonReadOptions options;
  TextTimes times;
  std::vector<std::unique_ptr<ColumnFiller>> fillers;  // one per field, null where it is not wanted
  std::vector<ColumnFiller*> filled;                   // those that are there
  std::unique_ptr<ExactJson> exact;
  std::unique_ptr<JsonFast> fast;
  std::vector<char> copy;  // of what stands in memory without padding
  bool one_to_one = true;
};

JsonReader::JsonReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
JsonReader::~JsonReader() = default;

Result<std::unique_ptr<JsonReader>> JsonReader::make(const SchemaPtr& schema,
                                                     const JsonReadOptions& options,
                                                     const std::vector<bool>& wanted) {
  FLOWRUN_RETURN_IF_ERROR(check_json_schema(*schema));
  FLOWRUN_TRY(TextTimes times,
              TextTimes::make(options.date_format, options.timestamp_format, options.timezone));
  return std::unique_ptr<JsonReader>(
      new JsonReader(std::make_unique<State>(schema, options, std::move(times), wanted)));
}

Result<ReadRows> JsonReader::read(const Column& lines) {
  ReadRows out;
  state_->one_to_one = true;
  for (ColumnFiller* filler : state_->filled) filler->begin(lines.size(), lines);
  if (exact_only_) {
    for (int64_t i = 0; i < lines.size(); ++i) {
      lines.is_null(i) ? append_absent(i, out) : read_exactly(lines, i, lines.string(i), out);
    }
  } else {
    read_blocks(lines, out);
  }
  out.columns.resize(state_->schema->num_fields());
  for (size_t i = 0; i < state_->fillers.size(); ++i) {
    if (state_->fillers[i]) out.columns[i] = state_->fillers[i]->finish(out.num_rows);
  }
  return out;
}

// Keeps ReadRows::lines, which exists only from the first line on that did not give exactly one
// row.
void JsonReader::note_lines(int64_t line, int64_t rows, ReadRows& out) {
  if (state_->one_to_one && rows == 1) {
    ++out.num_rows;
    return;
  }
  if (state_->one_to_one) {
    state_->one_to_one = false;
    for (int64_t i = 0; i < line; ++i) out.lines.push_back(static_cast<int32_t>(i));
  }
  out.lines.insert(out.lines.end(), static_cast<size_t>(rows), static_cast<int32_t>(line));
  out.num_rows += rows;
}

void JsonReader::append_nulls(int64_t line, ReadRows& out) {
  for (ColumnFiller* filler : state_->filled) {
    filler->grow(out.num_rows + 1);
    filler->set_null(out.num_rows);
  }
  note_lines(line, 1, out);
}

void JsonReader::append_absent(int64_t line, ReadRows& out) {
  if (state_->options.source) return note_lines(line, 0, out);
  out.absent.push_back(out.num_rows);
  append_nulls(line, out);
}

namespace {

void fill(const JsonValue& value, int64_t row, ColumnFiller& filler) {
  if (ColumnBuilder* nested = filler.nested()) return append_json_value(value, *nested);
  if (!value.valid) return filler.set_null(row);
  const Type& type = filler.type();
  switch (type.id()) {
    case TypeId::boolean:
      return filler.set_boolean(row, value.integer != 0);
    case TypeId::string:
    case TypeId::binary:
      return filler.set_text(row, value.text);
    case TypeId::decimal:
      return filler.set<Decimal128>(row, value.decimal);
    case TypeId::real:
      return filler.set<float>(row, static_cast<float>(value.number));
    case TypeId::double_:
      return filler.set<double>(row, value.number);
    case TypeId::tinyint:
      return filler.set<int8_t>(row, static_cast<int8_t>(value.integer));
    case TypeId::smallint:
      return filler.set<int16_t>(row, static_cast<int16_t>(value.integer));
    case TypeId::integer:
    case TypeId::date:
      return filler.set<int32_t>(row, static_cast<int32_t>(value.integer));
    default:
      return filler.set<int64_t>(row, value.integer);
  }
}

}  // namespace

void JsonReader::read_exactly(const Column& lines, int64_t line, std::string_view record,
                              ReadRows& out) {
  for (ColumnFiller* filler : state_->filled) filler->abandon(out.num_rows);
  const ExactJson::Outcome outcome = state_->exact->read(record);
  const auto rows = state_->exact->rows();
  const bool bad = outcome == ExactJson::Outcome::corrupt || outcome == ExactJson::Outcome::partial;
  const int64_t first = out.num_rows;
  if (outcome == ExactJson::Outcome::blank) return append_absent(line, out);
  if (outcome == ExactJson::Outcome::corrupt) {
    append_nulls(line, out);
  } else {
    for (ColumnFiller* filler : state_->filled) {
      filler->grow(first + static_cast<int64_t>(rows.size()) + lines.size() - line);
    }
    for (size_t r = 0; r < rows.size(); ++r) {
      for (size_t i = 0; i < state_->filled.size(); ++i) {
        fill(rows[r].items[i], first + static_cast<int64_t>(r), *state_->filled[i]);
      }
    }
    note_lines(line, static_cast<int64_t>(rows.size()), out);
  }
  if (bad) out.bad.push_back({line, first, out.num_rows - first, state_->exact->reason()});
}

namespace {

// A run of lines that stand one behind the other in one data buffer with nothing but line ends
// between.
struct Block {
  int64_t first = 0;
  int64_t last = 0;  // one behind
  const char* data = nullptr;
  size_t length = 0;
  uint32_t buffer = 0;
  uint32_t offset = 0;
};

bool only_line_ends(const char* from, const char* to) {
  if (to <= from || to - from > 2) return false;
  return std::all_of(from, to, [](char c) { return c == '\n' || c == '\r'; });
}

// The block that begins with line `first`, which is not null.
Block find_block(const Column& lines, int64_t first) {
  constexpr size_t kBlock = 64 << 10;  // stays in the second cache with its index
  const auto views = lines.values<StringView>();
  const StringView& view = views[static_cast<size_t>(first)];
  const std::string_view text = lines.string(first);
  Block block{first, first + 1, text.data(), text.size(), 0, 0};
  if (view.is_inline()) return block;
  block.buffer = view.outside.buffer;
  block.offset = view.outside.offset;
  for (; block.last < lines.size() && lines.is_valid(block.last); ++block.last) {
    const StringView& next = views[static_cast<size_t>(block.last)];
    if (next.is_inline() || next.outside.buffer != block.buffer ||
        next.outside.offset < block.offset)
      break;
    const char* const at = block.data + (next.outside.offset - block.offset);
    const size_t length = next.outside.offset - block.offset + next.size;
    if (length > kBlock || !only_line_ends(block.data + block.length, at)) break;
    block.length = length;
  }
  return block;
}

}  // namespace

void JsonReader::read_blocks(const Column& lines, ReadRows& out) {
  JsonFast& fast = *state_->fast;
  const auto limit =
      static_cast<size_t>(std::min<int64_t>(state_->options.max_record, JsonFast::kMaxBlock));
  for (int64_t line = 0; line < lines.size();) {
    if (lines.is_null(line)) {
      append_absent(line++, out);
      continue;
    }
    Block block = find_block(lines, line);
    if (block.length > JsonFast::kMaxBlock) {
      read_exactly(lines, line, lines.string(line), out);
      ++line;
      continue;
    }
    const bool is_inline = block.last == line + 1 && block.length <= StringView::kInline;
    if (is_inline || lines.parts().data_buffers[block.buffer]->is_foreign()) {
      state_->copy.assign(block.length + kBufferPadding, '\0');
      std::memcpy(state_->copy.data(), block.data, block.length);
      block.data = state_->copy.data();
    }
    bool indexed = fast.index(block.data, block.length, block.buffer, block.offset);
    const bool whole = indexed;
    size_t begin = 0;
    for (; line < block.last; ++line) {
      const std::string_view record = lines.string(line);
      if (!is_inline)
        begin = lines.values<StringView>()[static_cast<size_t>(line)].outside.offset - block.offset;
      size_t at = begin;
      if (!whole && block.last > block.first + 1) {
        indexed = fast.index(block.data + begin, record.size(), block.buffer,
                             block.offset + static_cast<uint32_t>(begin));
        at = 0;
      }
      const bool taken = indexed && record.size() <= limit &&
                         fast.read(static_cast<uint32_t>(at),
                                   static_cast<uint32_t>(at + record.size()), out.num_rows);
      taken ? note_lines(line, 1, out) : read_exactly(lines, line, record, out);
    }
  }
}

}  // namespace flowrun
