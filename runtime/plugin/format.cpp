#include <fmt/format.h>

#include <algorithm>

#include "runtime/columnar/builder.h"
#include "runtime/plugin/made_format.h"

namespace flowrun {

namespace {

using Made = MadePtr<flowrun_format>;

// What all readers of one use of a format share.
struct BoundFormat {
  Made made;
  size_t num_fields = 0;        // of the schema that was asked for
  std::vector<size_t> columns;  // those of them that the plugin reads: not the corrupt record
  BoundPort port;               // of these
  int64_t max_record = 0;
};

// One worker's reader in the plugin.
class PluginRecordReader final : public RecordReader {
 public:
  explicit PluginRecordReader(std::shared_ptr<const BoundFormat> format)
      : format_(std::move(format)) {}
  PluginRecordReader(const PluginRecordReader&) = delete;
  PluginRecordReader& operator=(const PluginRecordReader&) = delete;
  ~PluginRecordReader() override {
    if (raw_) static_cast<void>(call().plain(table().destroy_reader, raw_));
  }

  Status open(const std::vector<bool>& wanted);
  Result<ReadRows> read(const Column& lines) override;

 private:
  [[nodiscard]] PluginCall call() const { return format_->made->call(); }
  [[nodiscard]] const flowrun_format& table() const { return format_->made->table(); }
  [[nodiscard]] Error blame(std::string message) const {
    return format_->made->component().blame(Error::data(std::move(message)));
  }
  Result<RecordBatch> take_rows(const flowrun_records& raw, OwnedArray& rows) const;
  Status take_origins(const flowrun_records& raw, const Column& lines, ReadRows& out) const;
  Status take_bad(const flowrun_records& raw, const Column& lines, ReadRows& out) const;
  void add_bad(int64_t record, std::string reason, ReadRows& out) const;

  std::shared_ptr<const BoundFormat> format_;
  std::vector<bool> wanted_;
  void* raw_ = nullptr;
};

Status PluginRecordReader::open(const std::vector<bool>& wanted) {
  wanted_ = wanted;
  std::vector<int32_t> asked;
  for (const size_t column : format_->columns) asked.push_back(wanted[column] ? 1 : 0);
  FLOWRUN_RETURN_IF_ERROR(call()(table().make_reader, format_->made->self(),
                                 static_cast<const int32_t*>(asked.data()), uint64_t{asked.size()},
                                 &raw_));
  return raw_ ? ok_status() : Status(blame("`make_reader` gave back a null pointer"));
}

// Where a text is longer than that a null stands in the copy.
ColumnPtr without_long_texts(const Column& lines, int64_t most_bytes) {
  StringBuilder kept(Type::binary());
  for (int64_t i = 0; i < lines.size(); ++i) {
    const bool fits = !lines.is_null(i) && std::ssize(lines.string(i)) <= most_bytes;
    fits ? kept.append(lines.string(i)) : kept.append_null();
  }
  return kept.finish();
}

bool any_longer(const Column& lines, int64_t most_bytes) {
  for (int64_t i = 0; i < lines.size(); ++i) {
    if (!lines.is_null(i) && std::ssize(lines.string(i)) > most_bytes) return true;
  }
  return false;
}

Result<ReadRows> PluginRecordReader::read(const Column& lines) {
  static const SchemaPtr schema = Schema::make({{"record", Type::binary()}});
  ColumnPtr texts;
  const bool some_too_long = any_longer(lines, format_->max_record);
  if (some_too_long) {
    texts = without_long_texts(lines, format_->max_record);
  } else {
    Column::Parts parts = lines.parts();
    parts.type = Type::binary();
    texts = Column::make(std::move(parts));
  }
  OwnedArray in;
  FLOWRUN_RETURN_IF_ERROR(export_batch(RecordBatch(schema, texts->size(), {texts}), in.get(),
                                       format_->made->component().text()));
  flowrun_records raw{};
  raw.size = sizeof(flowrun_records);
  Status done = call()(table().read, raw_, static_cast<const ArrowArray*>(in.get()), &raw);
  OwnedArray given(&raw.rows);
  if (!done) return std::move(done.error());
  FLOWRUN_TRY(const RecordBatch rows, take_rows(raw, given));
  ReadRows out;
  out.num_rows = rows.num_rows();
  FLOWRUN_RETURN_IF_ERROR(take_origins(raw, *texts, out));
  FLOWRUN_RETURN_IF_ERROR(take_bad(raw, *texts, out));
  out.columns.resize(format_->num_fields);
  for (size_t i = 0; i < format_->columns.size(); ++i) {
    const size_t field = format_->columns[i];
    if (wanted_[field]) out.columns[field] = rows.column(i);
  }
  for (int64_t row = 0; row < out.num_rows; ++row) {
    const int64_t line = out.lines.empty() ? row : out.lines[static_cast<size_t>(row)];
    if (lines.is_null(line)) out.absent.push_back(row);
  }
  if (!some_too_long) return out;
  for (int64_t i = 0; i < lines.size(); ++i) {
    if (lines.is_null(i) || std::ssize(lines.string(i)) <= format_->max_record) continue;
    add_bad(
        i,
        fmt::format("the record has {} bytes, more than max_record allows", lines.string(i).size()),
        out);
  }
  std::ranges::sort(out.bad, {}, &ReadRows::Bad::line);
  return out;
}

Result<RecordBatch> PluginRecordReader::take_rows(const flowrun_records& raw,
                                                  OwnedArray& rows) const {
  if (!raw.origins && raw.num_origins > 0)
    return blame("`read` gave a null pointer for the records that its rows were made of");
  return take_batch(format_->made->component(), format_->port, nullptr, rows.get());
}

Status PluginRecordReader::take_origins(const flowrun_records& raw, const Column& lines,
                                        ReadRows& out) const {
  const auto rows = static_cast<uint64_t>(out.num_rows);
  if (!raw.origins) {
    if (out.num_rows == lines.size()) return ok_status();
    return blame(fmt::format("`read` gave {} rows for {} records and does not say which is whose",
                             out.num_rows, lines.size()));
  }
  if (raw.num_origins != rows) {
    return blame(fmt::format("`read` gave {} rows and said of {} which record they were made of",
                             rows, raw.num_origins));
  }
  out.lines.assign(raw.origins, raw.origins + rows);
  for (size_t row = 0; row < out.lines.size(); ++row) {
    const int32_t least = row == 0 ? 0 : out.lines[row - 1];
    if (out.lines[row] >= least && out.lines[row] < lines.size()) continue;
    return blame(
        fmt::format("`read` says that row {} was made of record {}, behind one of record "
                    "{}, and there are {} records",
                    row, out.lines[row], least, lines.size()));
  }
  return ok_status();
}

Status PluginRecordReader::take_bad(const flowrun_records& raw, const Column& lines,
                                    ReadRows& out) const {
  int64_t last = -1;
  for (uint64_t i = 0; i < raw.num_bad; ++i) {
    if (!raw.bad || !raw.bad[i])
      return blame(fmt::format("`read` gave a null pointer for bad record {}", i));
    const auto bad = known_part<flowrun_bad_record>(raw.bad[i]);
    if (bad.record <= last || bad.record >= lines.size() || lines.is_null(bad.record)) {
      return blame(
          fmt::format("`read` calls record {} of {} bad, which is null, not there or not "
                      "behind the one before",
                      bad.record, lines.size()));
    }
    last = bad.record;
    add_bad(bad.record, string_of(bad.reason), out);
  }
  return ok_status();
}

void PluginRecordReader::add_bad(int64_t record, std::string reason, ReadRows& out) const {
  const bool one_to_one = out.lines.empty() && out.num_rows > 0;
  if (one_to_one) {
    out.bad.push_back({record, record, 1, std::move(reason)});
    return;
  }
  const auto rows = std::ranges::equal_range(out.lines, static_cast<int32_t>(record));
  out.bad.push_back(
      {record, rows.begin() - out.lines.begin(), std::ssize(rows), std::move(reason)});
}

}  // namespace

// What other formats have as an option and a plugin's does without.
Result<Options> format_options(const Component& component, const Options& all) {
  for (const std::string_view name : {"date_format", "timestamp_format"}) {
    const OptionValue* value = all.find(name);
    if (!value) continue;
    return Error::invalid(
               fmt::format("`{}` belongs to the formats json and csv, and here it is `{}` — "
                           "remove it",
                           name, component.name))
        .at(value->position);
  }
  Options own;
  for (const OptionSpec& spec : component.spec.options) {
    if (const OptionValue* value = all.find(spec.name)) own.set(spec.name, *value);
  }
  return own;
}

Result<MakeRecordReader> make_plugin_format(const ComponentPtr& component, const SchemaPtr& schema,
                                            const Options& options, const MakeContext& context) {
  FLOWRUN_TRY(Options own, format_options(*component, options));
  if (const OptionValue* asked = options.find("schema")) own.set("schema", *asked);
  auto format = std::make_shared<BoundFormat>();
  const std::string corrupt = options.text_or("corrupt_record", "");
  std::vector<Field> fields;
  for (size_t i = 0; i < schema->num_fields(); ++i) {
    if (names_equal(schema->field(i).name, corrupt)) continue;
    format->columns.push_back(i);
    fields.push_back(schema->field(i));
  }
  format->num_fields = schema->num_fields();
  format->max_record = options.integer("max_record");
  format->port.schema = Schema::make(std::move(fields));
  format->port.arrow = OwnedSchema::of(*format->port.schema, component->text());
  FLOWRUN_TRY(format->made, make_object<flowrun_format>(component, own, context));
  FLOWRUN_RETURN_IF_ERROR(
      format->made->call()(format->made->table().bind, format->made->self(),
                           static_cast<const ArrowSchema*>(format->port.arrow.get())));
  return MakeRecordReader(
      [format = std::shared_ptr<const BoundFormat>(std::move(format))](
          const std::vector<bool>& wanted) -> Result<std::unique_ptr<RecordReader>> {
        auto reader = std::make_unique<PluginRecordReader>(format);
        FLOWRUN_RETURN_IF_ERROR(reader->open(wanted));
        return reader;
      });
}

}  // namespace flowrun
