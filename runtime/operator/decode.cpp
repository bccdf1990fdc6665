#include "runtime/operator/decode.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "runtime/columnar/builder.h"

namespace flowrun {

namespace {

constexpr size_t kMainPort = 0;
constexpr size_t kErrorsPort = 1;

struct DecodeScratch final : Scratch {
  std::unique_ptr<RecordReader> narrow;  // converts what is read downstream
  std::unique_ptr<RecordReader> all;
};

class Decode final : public Transform {
 public:
  explicit Decode(DecodeOptions options) : options_(std::move(options)) {}

  Result<PortSchemas> bind(std::span<const InputSchema> inputs) override;
  [[nodiscard]] ColumnSet read_columns(const ColumnSet& wanted, size_t num_inputs) const override;
  void narrow(const ColumnSet& wanted) override;
  [[nodiscard]] std::unique_ptr<Scratch> make_scratch() const override {
    return std::make_unique<DecodeScratch>();
  }
  Status apply(const RecordBatch& batch, const Epoch&, Scratch* scratch,
               Emitter& out) const override;
  [[nodiscard]] std::string describe() const override {
    return fmt::format("parse {} ({} columns)", options_.format, options_.schema->num_fields());
  }

 private:
  Status bind_columns(const Schema& input);
  Status bind_corrupt_column();
  [[nodiscard]] bool judges_all() const {
    return options_.corrupt_column.has_value() || options_.corrupt != CorruptRecords::keep;
  }
  Result<RecordReader*> reader(DecodeScratch& scratch, bool all) const;
  [[nodiscard]] Error failure(const ReadRows::Bad& bad, const Column& lines) const;
  [[nodiscard]] RecordBatch errors(const RecordBatch& batch, const Column& lines,
                                   const ReadRows& rows) const;
  [[nodiscard]] ColumnPtr corrupt_texts(const Column& lines, const ReadRows& rows) const;
  [[nodiscard]] RecordBatch output(const RecordBatch& batch, const Column& lines,
                                   ReadRows& rows) const;
  [[nodiscard]] ColumnPtr structure(std::vector<ColumnPtr> columns, const ReadRows& rows) const;
  [[nodiscard]] RecordBatch without_bad(RecordBatch batch, const ReadRows& rows) const;

  DecodeOptions options_;
  size_t column_ = 0;
  std::vector<size_t> kept_;
  std::vector<bool> data_;            // of the schema's fields: is it read from the records?
  std::optional<size_t> corrupt_at_;  // of the record's columns, the added one behind all
  std::vector<Field> fields_;         // the record's columns, the corrupt one among them
  SchemaPtr out_schema_;
  std::vector<bool> wanted_;  // of fields_
  std::vector<bool> kept_wanted_;
};

Result<PortSchemas> Decode::bind(std::span<const InputSchema> inputs) {
  FLOWRUN_RETURN_IF_ERROR(bind_columns(*inputs[0].schema));
  FLOWRUN_RETURN_IF_ERROR(bind_corrupt_column());
  for (size_t i = 0; i < fields_.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (names_equal(fields_[i].name, fields_[j].name)) {
        return Error::invalid(
            fmt::format("column `{}` stands twice in the schema", fields_[i].name));
      }
    }
  }
  // Refuses what the format cannot read before anything starts.
  FLOWRUN_TRY(const auto reader, options_.make_reader(data_));
  std::vector<Field> out;
  for (const size_t i : kept_) out.push_back(inputs[0].schema->field(i));
  if (options_.as) {
    out.push_back({*options_.as, Type::struct_(fields_)});
  } else {
    out.insert(out.end(), fields_.begin(), fields_.end());
  }
  out_schema_ = Schema::make(std::move(out));
  wanted_.assign(fields_.size(), true);
  kept_wanted_.assign(kept_.size(), true);
  return PortSchemas{{"", out_schema_}, {"errors", errors_schema()}};
}

Status Decode::bind_columns(const Schema& input) {
  auto found = input.find(options_.column.text);
  if (!found) return options_.column.place(std::move(found.error()));
  column_ = *found;
  const Type& type = input.field(column_).type;
  if (!type.is_string_like()) {
    return Error::invalid(fmt::format("column `{}` is {} — {} is read from a string",
                                      options_.column.text, type.simple_string(), options_.format))
        .at(options_.column.position);
  }
  for (const OptionValue& name : options_.keep_columns) {
    auto kept = input.find(name.text);
    if (!kept) return name.place(std::move(kept.error()));
    kept_.push_back(*kept);
  }
  return ok_status();
}

Status Decode::bind_corrupt_column() {
  for (const Field& field : options_.schema->fields()) {
    data_.push_back(true);
    fields_.push_back({field.name, field.type});
    if (options_.corrupt_column && names_equal(field.name, *options_.corrupt_column)) {
      if (field.type.id() != TypeId::string) {
        return Error::invalid(fmt::format("corrupt_record `{}` is {} — it must be a string",
                                          field.name, field.type.simple_string()));
      }
      corrupt_at_ = fields_.size() - 1;
      data_.back() = false;
    }
  }
  if (options_.corrupt_column && !corrupt_at_) {
    corrupt_at_ = fields_.size();
    fields_.push_back({*options_.corrupt_column, Type::string()});
  }
  return ok_status();
}

ColumnSet Decode::read_columns(const ColumnSet& wanted, size_t num_inputs) const {
  ColumnSet read(num_inputs, false);
  read[column_] = true;
  for (size_t i = 0; i < kept_.size(); ++i) {
    if (wanted[i]) read[kept_[i]] = true;
  }
  return read;
}

void Decode::narrow(const ColumnSet& wanted) {
  for (size_t i = 0; i < kept_.size(); ++i) kept_wanted_[i] = wanted[i];
  if (options_.as) return;
  for (size_t i = 0; i < fields_.size(); ++i) wanted_[i] = wanted[kept_.size() + i];
}

Result<RecordReader*> Decode::reader(DecodeScratch& scratch, bool all) const {
  std::unique_ptr<RecordReader>& reader = all ? scratch.all : scratch.narrow;
  if (!reader) {
    std::vector<bool> wanted = data_;
    for (size_t i = 0; i < wanted.size(); ++i) wanted[i] = data_[i] && (all || wanted_[i]);
    FLOWRUN_TRY(reader, options_.make_reader(wanted));
  }
  return reader.get();
}

Status Decode::apply(const RecordBatch& batch, const Epoch&, Scratch* scratch, Emitter& out) const {
  if (batch.num_rows() == 0) return ok_status();
  const bool errors_wanted = out.wanted(kErrorsPort);
  FLOWRUN_TRY(RecordReader* const read,
              reader(static_cast<DecodeScratch&>(*scratch), judges_all() || errors_wanted));
  const Column& lines = *batch.column(column_);
  FLOWRUN_TRY(ReadRows rows, read->read(lines));
  if (!rows.bad.empty()) {
    if (options_.corrupt == CorruptRecords::fail) return failure(rows.bad.front(), lines);
    out.count(Metric::rejected, std::ssize(rows.bad));
    out.warn(rows.bad.front().reason);
    if (errors_wanted) FLOWRUN_RETURN_IF_ERROR(out.emit(kErrorsPort, errors(batch, lines, rows)));
  }
  RecordBatch result = output(batch, lines, rows);
  if (!rows.bad.empty() && options_.corrupt != CorruptRecords::keep) {
    result = without_bad(std::move(result), rows);
  }
  return out.emit(kMainPort, std::move(result));
}

Error Decode::failure(const ReadRows::Bad& bad, const Column& lines) const {
  constexpr size_t kShown = 200;
  return Error::data(fmt::format("malformed {} record: {} — `on_error: keep` reads on: {}",
                                 options_.format, bad.reason,
                                 lines.string(bad.line).substr(0, kShown)));
}

RecordBatch Decode::errors(const RecordBatch& batch, const Column& lines,
                           const ReadRows& rows) const {
  StringBuilder source(Type::string());
  StringBuilder offset(Type::string());
  StringBuilder reason(Type::string());
  std::vector<int32_t> indices;
  for (const ReadRows::Bad& bad : rows.bad) {
    if (batch.origin()) {
      source.append(batch.origin()->source);
      offset.append(fmt::format("line {}", batch.origin()->first_line + bad.line));
    } else {
      source.append_null();
      offset.append_null();
    }
    reason.append(bad.reason);
    indices.push_back(static_cast<int32_t>(bad.line));
  }
  Column::Parts raw = take(lines, indices)->parts();
  raw.type = Type::binary();
  return {errors_schema(),
          std::ssize(indices),
          {source.finish(), offset.finish(), reason.finish(), Column::make(std::move(raw))}};
}

// The text of each row's record where that is corrupt.
ColumnPtr Decode::corrupt_texts(const Column& lines, const ReadRows& rows) const {
  if (rows.bad.empty()) return null_column(Type::string(), rows.num_rows);
  std::vector<int32_t> indices(static_cast<size_t>(rows.num_rows), -1);
  for (const ReadRows::Bad& bad : rows.bad) {
    std::fill_n(indices.begin() + bad.row, bad.num_rows, static_cast<int32_t>(bad.line));
  }
  Column::Parts texts = take(lines, indices)->parts();
  texts.type = Type::string();
  return Column::make(std::move(texts));
}

RecordBatch Decode::output(const RecordBatch& batch, const Column& lines, ReadRows& rows) const {
  const bool one_to_one = rows.lines.empty() && rows.num_rows == batch.num_rows();
  std::vector<ColumnPtr> columns;
  for (size_t i = 0; i < kept_.size(); ++i) {
    const ColumnPtr& column = batch.column(kept_[i]);
    columns.push_back(!kept_wanted_[i] ? nullptr : one_to_one ? column : take(*column, rows.lines));
  }
  std::vector<ColumnPtr> record = std::move(rows.columns);
  record.resize(fields_.size());
  if (corrupt_at_ && (wanted_[*corrupt_at_] || options_.as))
    record[*corrupt_at_] = corrupt_texts(lines, rows);
  if (options_.as) {
    columns.push_back(structure(std::move(record), rows));
  } else {
    for (size_t i = 0; i < record.size(); ++i)
      columns.push_back(wanted_[i] ? std::move(record[i]) : nullptr);
  }
  return {out_schema_, rows.num_rows, std::move(columns), one_to_one ? batch.origin() : nullptr};
}

// Rows that were read from nothing are null as a whole.
ColumnPtr Decode::structure(std::vector<ColumnPtr> columns, const ReadRows& rows) const {
  Column::Parts parts{.type = Type::struct_(fields_), .size = rows.num_rows};
  parts.null_count = std::ssize(rows.absent);
  if (!rows.absent.empty()) {
    parts.validity = Buffer::allocate(bitmap_bytes(rows.num_rows));
    std::memset(parts.validity->mutable_data(), 0xff, bitmap_bytes(rows.num_rows));
    for (const int64_t row : rows.absent) clear_bit(parts.validity->mutable_data(), row);
  }
  parts.children = std::move(columns);
  return Column::make(std::move(parts));
}

RecordBatch Decode::without_bad(RecordBatch batch, const ReadRows& rows) const {
  std::vector<int32_t> good;
  good.reserve(static_cast<size_t>(batch.num_rows()));
  int64_t row = 0;
  const auto keep_until = [&](int64_t end) {
    for (; row < end; ++row) good.push_back(static_cast<int32_t>(row));
  };
  for (const ReadRows::Bad& bad : rows.bad) {
    keep_until(bad.row);
    row = bad.row + bad.num_rows;
  }
  keep_until(batch.num_rows());
  return batch.take(good);
}

}  // namespace

CorruptRecords corrupt_records_option(const Options& options) {
  const std::string word = options.text_or("on_error", "keep");
  if (word == "drop") return CorruptRecords::drop;
  if (word == "fail") return CorruptRecords::fail;
  return word == "route" ? CorruptRecords::route : CorruptRecords::keep;
}

std::unique_ptr<Transform> make_decode(DecodeOptions options) {
  return std::make_unique<Decode>(std::move(options));
}

const SchemaPtr& errors_schema() {
  static const SchemaPtr schema = Schema::make({{"source", Type::string()},
                                                {"offset", Type::string()},
                                                {"reason", Type::string()},
                                                {"raw", Type::binary()}});
  return schema;
}

}  // namespace flowrun
