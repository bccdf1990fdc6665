#include "tools/flowrun/format_check.h"

#include <fmt/format.h>

#include <random>
#include <span>

#include "runtime/columnar/builder.h"
#include "runtime/columnar/random_columns.h"
#include "runtime/operator/harness.h"
#include "runtime/operator/row_text.h"

namespace flowrun {

namespace {

constexpr int64_t kRows = 100;
constexpr size_t kNumChunks[] = {2, 7, kRows};

using Complaints = std::vector<std::string>;

class WritingCheck {
 public:
  WritingCheck(const RegisteredFormat& format, SchemaPtr schema, const Options& options,
               const MakeContext& context, uint64_t seed)
      : format_(format),
        schema_(std::move(schema)),
        options_(options),
        context_(context),
        random_(seed),
        rows_(random_batch(schema_, kRows, random_)) {}

  Complaints run() {
    auto text = format_.make_text(schema_, options_, context_);
    if (!text) return {"it refuses to write the columns of its example: " + text.error().message};
    text_ = std::move(*text);
    const auto whole = written(std::span(&rows_, 1));
    if (!whole) return {"it fails to write random rows: " + whole.error().message};
    compare_chunks(*whole);
    compare_offset();
    compare_writers(*whole);
    const auto none = written({});
    if (!none) complain("it fails to write a file without rows: " + none.error().message);
    const RecordBatch nulls = null_rows();
    if (const auto done = written(std::span(&nulls, 1)); !done)
      complain("it fails to write rows of nulls: " + done.error().message);
    if (format_.make && options_.has("parse")) read_again();
    return std::move(complaints_);
  }

 private:
  void complain(std::string complaint) { complaints_.push_back(std::move(complaint)); }

  Result<std::string> written(std::span<const RecordBatch> batches) const {
    std::string out;
    FLOWRUN_TRY(const auto writer, text_->make_writer());
    FLOWRUN_RETURN_IF_ERROR(writer->begin(out));
    for (const RecordBatch& batch : batches) FLOWRUN_RETURN_IF_ERROR(writer->write(batch, out));
    FLOWRUN_RETURN_IF_ERROR(writer->end(out));
    return out;
  }

  [[nodiscard]] RecordBatch null_rows() const {
    std::vector<ColumnPtr> columns;
    for (const Field& field : schema_->fields()) columns.push_back(null_column(field.type, 3));
    return {schema_, 3, std::move(columns)};
  }

  // Random cuts make chunks without rows, too.
  void compare_chunks(const std::string& whole) {
    for (const size_t chunks : kNumChunks) {
      const auto pieces = written(random_pieces(rows_, chunks, random_));
      if (!pieces) {
        return complain(
            fmt::format("it fails to write rows in {} chunks: {}", chunks, pieces.error().message));
      }
      if (*pieces != whole)
        return complain(fmt::format("rows written in {} chunks become other bytes", chunks));
    }
  }

  // The same rows in columns of their own.
  void compare_offset() {
    const RecordBatch slice = rows_.slice(kRows / 3, kRows / 2);
    std::vector<int32_t> indices;
    for (int64_t i = 0; i < kRows / 2; ++i) indices.push_back(static_cast<int32_t>(kRows / 3 + i));
    const RecordBatch copy = rows_.take(indices);
    const auto of_slice = written(std::span(&slice, 1));
    const auto of_copy = written(std::span(&copy, 1));
    if (!of_slice || !of_copy) {
      complain("it fails to write rows at an offset: " +
               (of_slice ? of_copy : of_slice).error().message);
    } else if (*of_slice != *of_copy) {
      complain("rows written at an offset become other bytes");
    }
  }

  // Two files that are written in turns.
  void compare_writers(const std::string& whole) {
    std::string out[2];
    const auto in_turns = [&]() -> Status {
      std::unique_ptr<RowWriter> writers[2];
      for (int i : {0, 1}) {
        FLOWRUN_TRY(writers[i], text_->make_writer());
        FLOWRUN_RETURN_IF_ERROR(writers[i]->begin(out[i]));
      }
      for (const RecordBatch& piece : random_pieces(rows_, 5, random_)) {
        for (int i : {0, 1}) FLOWRUN_RETURN_IF_ERROR(writers[i]->write(piece, out[i]));
      }
      for (int i : {0, 1}) FLOWRUN_RETURN_IF_ERROR(writers[i]->end(out[i]));
      return ok_status();
    };
    if (const Status done = in_turns(); !done)
      return complain("it fails to write two files at a time: " + done.error().message);
    if (out[0] != whole || out[1] != whole)
      complain("two files written at a time are not what one alone is");
  }

  // What each row became, without its line end.
  Result<ColumnPtr> records() const {
    StringBuilder records(Type::string());
    std::string out;
    FLOWRUN_TRY(const auto writer, text_->make_writer());
    FLOWRUN_RETURN_IF_ERROR(writer->begin(out));
    for (int64_t row = 0; row < kRows; ++row) {
      out.clear();
      FLOWRUN_RETURN_IF_ERROR(writer->write(rows_.slice(row, 1), out));
      if (out.ends_with('\n')) out.pop_back();
      if (out.ends_with('\r')) out.pop_back();
      records.append(out);
    }
    return records.finish();
  }

  static std::vector<std::string> lines_of(const RecordBatch& rows) {
    TrialResult result;
    result.ports = {{"", rows.schema()}};
    result.outputs.push_back({.rows = rows});
    return sorted_lines(result);
  }

  Status read_records() {
    FLOWRUN_TRY(const ColumnPtr lines, records());
    FLOWRUN_TRY(const MakeRecordReader make, format_.make(schema_, options_, context_));
    FLOWRUN_TRY(const auto reader, make(std::vector<bool>(schema_->num_fields(), true)));
    FLOWRUN_TRY(const ReadRows read, reader->read(*lines));
    if (!read.bad.empty()) {
      complain(fmt::format("it does not read what it wrote: `{}`: {}",
                           lines->string(read.bad[0].line), read.bad[0].reason));
    } else if (read.num_rows != kRows ||
               lines_of({schema_, kRows, read.columns}) != lines_of(rows_)) {
      complain("rows that are written and read again are other rows");
    }
    return ok_status();
  }
  void read_again() {
    if (const Status done = read_records(); !done)
      complain("it fails to read what it wrote: " + done.error().message);
  }

  const RegisteredFormat& format_;
  SchemaPtr schema_;
  const Options& options_;
  const MakeContext& context_;
  std::mt19937_64 random_;
  RecordBatch rows_;
  std::unique_ptr<RowText> text_;
  Complaints complaints_;
};

}  // namespace

std::vector<std::string> check_writing(const RegisteredFormat& format, const SchemaPtr& schema,
                                       const Options& options, const MakeContext& context,
                                       uint64_t seed) {
  return WritingCheck(format, schema, options, context, seed).run();
}

}  // namespace flowrun
