#include "runtime/operator/table_reader.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <utility>
#include <vector>

#include "runtime/format/csv_reader.h"
#include "runtime/format/csv_tokenizer.h"

namespace flowrun {

namespace {

// Records of CSV whose quoted values may hold line ends.
CutRecords cut_csv(const CsvReadOptions& options) {
  const auto kept = std::make_shared<const CsvReadOptions>(options);
  const auto tokenizer = std::make_shared<CsvTokenizer>(*kept);
  return [kept, tokenizer](std::string_view text, bool at_end, std::vector<RecordPlace>& places) {
    size_t at = 0;
    while (at < text.size()) {
      const size_t length = tokenizer->record_length(text.substr(at), at_end);
      if (length == std::string_view::npos) break;
      places.push_back({static_cast<uint32_t>(at), static_cast<uint32_t>(length)});
      at += length;
      if (at < text.size()) at += text.substr(at).starts_with("\r\n") ? 2 : 1;
    }
    return at;
  };
}

Result<std::string> first_file(const std::string& path, FileOrder order) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) {
    return Error::invalid(
        fmt::format("there is no file {} to take a schema from — write a `schema:`", path));
  }
  if (!S_ISDIR(status.st_mode)) return path;
  WatchedFolder folder(path, order);
  FLOWRUN_RETURN_IF_ERROR(folder.look(true));
  if (folder.empty()) {
    return Error::invalid(
        fmt::format("there is no file in {} to take a schema from — write a `schema:`", path));
  }
  return path + "/" + folder.take().name;
}

class TableCollector final : public Emitter {
 public:
  Status emit(size_t port, RecordBatch batch) override {
    if (port == 0) batches.push_back(std::move(batch));
    return ok_status();
  }
  [[nodiscard]] bool wanted(size_t port) const override { return port == 0; }
  void count(Metric, int64_t) override {}
  void observe(int64_t) override {}
  void warn(std::string_view) override {}

  std::vector<RecordBatch> batches;
};

struct TableDecoder {
  std::unique_ptr<Transform> decode;
  SchemaPtr data_schema;  // of the records
  SchemaPtr schema;       // of the table
};

Result<TableDecoder> make_decoder(const std::string& path, const TableReadOptions& options) {
  TableDecoder out;
  out.data_schema = options.schema;
  if (!out.data_schema) {
    FLOWRUN_TRY(out.data_schema, infer_schema(path, FileOrder::name, options.format));
  }
  DecodeOptions decode;
  decode.schema = out.data_schema;
  if (options.make_reader) {
    decode.format = options.plugged_name;
    decode.make_reader = options.make_reader;
  } else {
    decode.format = options.format.kind == RecordFormat::Kind::csv ? "csv" : "json";
    decode.make_reader = options.format.reader_of(out.data_schema);
  }
  decode.corrupt = options.corrupt;
  decode.corrupt_column = options.corrupt_column;
  decode.column.text = "value";
  out.decode = make_decode(std::move(decode));
  const std::vector<InputSchema> inputs = {{Schema::make({{"value", Type::string()}}), path}};
  FLOWRUN_TRY(const PortSchemas ports, out.decode->bind(inputs));
  out.schema = ports[0].schema;
  return out;
}

}  // namespace

TextFileOptions text_file_options(const RecordFormat& format) {
  TextFileOptions options;
  const bool csv = format.kind == RecordFormat::Kind::csv;
  options.max_record = csv ? format.csv.max_record : format.json.max_record;
  if (csv) options.encoding = format.csv.encoding;
  if (csv && format.csv.multi_line) options.cut = cut_csv(format.csv);
  return options;
}

Result<SchemaPtr> infer_schema(const std::string& path, FileOrder order,
                               const RecordFormat& format) {
  if (format.kind != RecordFormat::Kind::csv) {
    return Error::invalid(
        "format json needs a `schema:` — write the names and types of its fields");
  }
  FLOWRUN_TRY(const std::string name, first_file(path, order));
  FLOWRUN_TRY(TextFile file, TextFile::open(name, text_file_options(format)));
  FLOWRUN_TRY(const auto inference, CsvInference::make(format.csv));
  while (!inference->done()) {
    FLOWRUN_TRY(const TextFile::Block block, file.next());
    if (block.values) inference->add(*block.values);
    if (block.at_end) break;
  }
  auto schema = inference->schema();
  if (!schema) return std::move(schema.error()).within(name);
  return schema;
}

Result<SchemaPtr> table_schema(const std::string& path, const TableReadOptions& options) {
  FLOWRUN_TRY(const TableDecoder decoder, make_decoder(path, options));
  return decoder.schema;
}

Result<RecordBatch> read_table(const std::string& path, const TableReadOptions& options) {
  FLOWRUN_TRY(const TableDecoder decoder, make_decoder(path, options));
  FLOWRUN_TRY(TextFile file, TextFile::open(path, text_file_options(options.format)));
  const auto scratch = decoder.decode->make_scratch();
  bool header_wanted = options.format.kind == RecordFormat::Kind::csv && options.format.csv.header;
  TableCollector rows;
  for (bool at_end = false; !at_end;) {
    FLOWRUN_TRY(TextFile::Block block, file.next());
    at_end = block.at_end;
    if (!block.values) continue;
    if (header_wanted) {
      FLOWRUN_RETURN_IF_ERROR(
          drop_header(block, *decoder.data_schema, options.format.csv, header_wanted));
      if (!block.values) continue;
    }
    const int64_t size = block.values->size();
    const RecordBatch lines(Schema::make({{"value", Type::string()}}), size,
                            {std::move(block.values)},
                            std::make_shared<const Origin>(Origin{path, block.first_line}));
    FLOWRUN_RETURN_IF_ERROR(decoder.decode->apply(lines, {}, scratch.get(), rows));
  }
  if (!rows.batches.empty()) return concatenate(rows.batches);
  std::vector<ColumnPtr> columns;
  for (const Field& field : decoder.schema->fields()) columns.push_back(null_column(field.type, 0));
  return RecordBatch(decoder.schema, 0, std::move(columns));
}

Status drop_header(TextFile::Block& block, const Schema& schema, const CsvReadOptions& options,
                   bool& wanted) {
  if (!block.values) return ok_status();
  FLOWRUN_TRY(const int64_t header, find_csv_header(*block.values, schema, options));
  const int64_t rows = block.values->size();
  const int64_t gone = header < 0 ? rows : header + 1;
  wanted = header < 0;
  block.first_line += gone;
  block.values = gone < rows ? block.values->slice(gone, rows - gone) : nullptr;
  return ok_status();
}

}  // namespace flowrun
