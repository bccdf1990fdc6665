#include "runtime/format/csv_reader.h"

#include <fast_float/fast_float.h>
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>

#include "runtime/format/column_filler.h"
#include "runtime/format/csv_tokenizer.h"
#include "runtime/format/csv_values.h"
#include "runtime/format/text_values.h"
#include "runtime/format/utf8.h"

namespace flowrun {

Status check_csv_schema(const Schema& schema) {
  for (const Field& field : schema.fields()) {
    const TypeId id = field.type.id();
    if (field.type.is_nested() || id == TypeId::null ||
        (id >= TypeId::year_month_interval && id <= TypeId::calendar_interval)) {
      return Error::invalid(fmt::format("column `{}`: CSV holds no {} — read it as string",
                                        field.name, field.type.simple_string()));
    }
  }
  return ok_status();
}

struct CsvReader::State {
  State(const SchemaPtr& of, CsvReadOptions with, TextTimes by)
      : schema(of), options(std::move(with)), times(std::move(by)), tokenizer(options) {}

  void read_record(std::string_view record, int64_t line, bool shared, uint32_t buffer,
                   uint32_t offset, ReadRows& out);
  bool fill(ColumnFiller& filler, const CsvField& field, int64_t row);
  bool convert(ColumnFiller& filler, std::string_view text, int64_t row);

  SchemaPtr schema;
  CsvReadOptions options;
  TextTimes times;
  CsvTokenizer tokenizer;
  std::vector<std::unique_ptr<ColumnFiller>> fillers;  // one per field, null where it is not wanted
  bool all_wanted = true;
  std::string sanitized;
  // Of the record being read, if its text may be shared.
  const char* shared_begin = nullptr;
  uint32_t shared_buffer = 0;
  uint32_t shared_offset = 0;
};

CsvReader::CsvReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
CsvReader::~CsvReader() = default;

Result<std::unique_ptr<CsvReader>> CsvReader::make(const SchemaPtr& schema,
                                                   const CsvReadOptions& options,
                                                   const std::vector<bool>& wanted) {
  FLOWRUN_RETURN_IF_ERROR(check_csv_schema(*schema));
  FLOWRUN_TRY(TextTimes times,
              TextTimes::make(options.date_format, options.timestamp_format, options.timezone));
  auto state = std::make_unique<State>(schema, options, std::move(times));
  state->fillers.resize(schema->num_fields());
  for (size_t i = 0; i < schema->num_fields(); ++i) {
    if (wanted[i]) {
      state->fillers[i] = std::make_unique<ColumnFiller>(schema->field(i).type);
    } else {
      state->all_wanted = false;
    }
  }
  return std::unique_ptr<CsvReader>(new CsvReader(std::move(state)));
}

Result<ReadRows> CsvReader::read(const Column& lines) {
  State& state = *state_;
  ReadRows out;
  const auto& buffers = lines.parts().data_buffers;
  const bool foreign =
      std::ranges::any_of(buffers, [](const BufferPtr& buffer) { return buffer->is_foreign(); });
  for (const auto& filler : state.fillers) {
    if (filler) filler->begin(lines.size(), lines);
  }
  const auto views = lines.values<StringView>();
  bool one_to_one = true;
  for (int64_t line = 0; line < lines.size(); ++line) {
    const bool absent = lines.is_null(line) || state.tokenizer.skips(lines.string(line));
    if (absent && state.options.source) {
      if (one_to_one) {
        for (int64_t i = 0; i < line; ++i) out.lines.push_back(static_cast<int32_t>(i));
      }
      one_to_one = false;
      continue;
    }
    if (absent) {
      out.absent.push_back(out.num_rows);
      for (const auto& filler : state.fillers) {
        if (filler) filler->set_null(out.num_rows);
      }
    } else {
      const StringView& view = views[static_cast<size_t>(line)];
      const bool shared = !foreign && !view.is_inline();
      state.read_record(lines.string(line), line, shared, shared ? view.outside.buffer : 0,
                        shared ? view.outside.offset : 0, out);
    }
    if (!one_to_one) out.lines.push_back(static_cast<int32_t>(line));
    ++out.num_rows;
  }
  out.columns.resize(state.fillers.size());
  for (size_t i = 0; i < state.fillers.size(); ++i) {
    if (state.fillers[i]) out.columns[i] = state.fillers[i]->finish(out.num_rows);
  }
  return out;
}

void CsvReader::State::read_record(std::string_view record, int64_t line, bool shared,
                                   uint32_t buffer, uint32_t offset, ReadRows& out) {
  const int64_t row = out.num_rows;
  std::string reason;
  if (static_cast<int64_t>(record.size()) > options.max_record) {
    for (const auto& filler : fillers) {
      if (filler) filler->set_null(row);
    }
    out.bad.push_back(
        {line, row, 1,
         fmt::format("the record has {} bytes, more than max_record allows", record.size())});
    return;
  }
  if (!is_valid_utf8(record)) {
    sanitized.clear();
    append_replacing_invalid_utf8(record, sanitized);
    record = sanitized;
    shared = false;
  }
  shared_begin = shared ? record.data() : nullptr;
  shared_buffer = buffer;
  shared_offset = offset;
  const std::vector<CsvField>& fields = tokenizer.fields(record);
  if (fields.size() != fillers.size() && all_wanted) {
    reason = fmt::format("{} fields where the schema has {}", fields.size(), fillers.size());
  }
  for (size_t i = 0; i < fillers.size(); ++i) {
    if (!fillers[i]) continue;
    if (i >= fields.size()) {
      fillers[i]->set_null(row);
    } else if (!fill(*fillers[i], fields[i], row)) {
      fillers[i]->set_null(row);
      if (reason.empty()) {
        reason = fmt::format("field `{}` is no {}", schema->field(i).name,
                             schema->field(i).type.simple_string());
      }
    }
  }
  if (!reason.empty()) out.bad.push_back({line, row, 1, std::move(reason)});
}

bool CsvReader::State::fill(ColumnFiller& filler, const CsvField& field, int64_t row) {
  const std::string_view text =
      field.kind == CsvField::Kind::quoted_empty ? options.empty_value : field.text;
  if (field.kind == CsvField::Kind::empty || text == options.null_value) {
    filler.set_null(row);
    return true;
  }
  if (!filler.type().is_string_like()) return convert(filler, text, row);
  if (shared_begin && field.kind == CsvField::Kind::plain) {
    filler.set_shared_text(row, text.data(), static_cast<uint32_t>(text.size()), shared_buffer,
                           shared_offset + static_cast<uint32_t>(text.data() - shared_begin));
  } else {
    filler.set_text(row, text);
  }
  return true;
}

namespace {

template <class T>
bool set_integer(ColumnFiller& filler, std::string_view text, int64_t row) {
  const auto value = csv_integer<T>(text);
  if (value) filler.set<T>(row, *value);
  return value.has_value();
}

template <class T>
bool set_floating(ColumnFiller& filler, std::string_view text, const CsvReadOptions& options,
                  int64_t row) {
  const auto value = csv_floating<T>(text, options);
  if (value) filler.set<T>(row, *value);
  return value.has_value();
}

}  // namespace

bool CsvReader::State::convert(ColumnFiller& filler, std::string_view text, int64_t row) {
  const Type& type = filler.type();
  switch (type.id()) {
    case TypeId::tinyint:
      return set_integer<int8_t>(filler, text, row);
    case TypeId::smallint:
      return set_integer<int16_t>(filler, text, row);
    case TypeId::integer:
      return set_integer<int32_t>(filler, text, row);
    case TypeId::bigint:
      return set_integer<int64_t>(filler, text, row);
    case TypeId::real:
      return set_floating<float>(filler, text, options, row);
    case TypeId::double_:
      return set_floating<double>(filler, text, options, row);
    case TypeId::boolean: {
      const auto value = csv_boolean(text);
      if (value) filler.set_boolean(row, *value);
      return value.has_value();
    }
    case TypeId::decimal: {
      std::string digits(text);
      std::erase(digits, ',');
      const auto value = parse_decimal_text(digits, type.precision(), type.scale());
      if (value) filler.set<Decimal128>(row, *value);
      return value.has_value();
    }
    case TypeId::date: {
      const auto days = times.date(text);
      if (days) filler.set<int32_t>(row, *days);
      return days.has_value();
    }
    case TypeId::timestamp: {
      const auto micros = times.timestamp(text);
      if (micros) filler.set<int64_t>(row, *micros);
      return micros.has_value();
    }
    default:
      return false;
  }
}

}  // namespace flowrun
