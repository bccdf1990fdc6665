#include "runtime/operator/file_table.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <mutex>
#include <optional>
#include <utility>

#include "runtime/operator/decode.h"
#include "runtime/operator/record_formats.h"
#include "runtime/operator/table_reader.h"

namespace flowrun {

namespace {

// What tells one state of a file from another.
struct FileState {
  ino_t inode = 0;
  off_t size = 0;
  int64_t modified = 0;  // nanoseconds
  friend bool operator==(const FileState&, const FileState&) = default;
};

class FileTable final : public StaticTable {
 public:
  FileTable(std::string name, std::string path, TableReadOptions options,
            std::optional<int64_t> refresh)
      : name_(std::move(name)),
        path_(std::move(path)),
        options_(std::move(options)),
        refresh_(refresh) {}

  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] Result<SchemaPtr> schema() override {
    const std::lock_guard lock(mutex_);
    if (!schema_) {
      FLOWRUN_TRY(schema_, table_schema(path_, options_));
    }
    return schema_;
  }
  [[nodiscard]] Result<RecordBatch> load() override;
  [[nodiscard]] Result<bool> changed() override {
    FLOWRUN_TRY(const FileState now, look());
    const std::lock_guard lock(mutex_);
    return !(now == loaded_);
  }
  [[nodiscard]] std::optional<int64_t> refresh() const override { return refresh_; }

 private:
  [[nodiscard]] Result<FileState> look() const;

  std::string name_;
  std::string path_;
  TableReadOptions options_;
  std::optional<int64_t> refresh_;
  std::mutex mutex_;
  SchemaPtr schema_;
  FileState loaded_;
};

Result<FileState> FileTable::look() const {
  struct stat status {};
  if (stat(path_.c_str(), &status) != 0) {
    return Error::from_errno(fmt::format("the table `{}`: cannot read {}", name_, path_), errno);
  }
  return FileState{
      status.st_ino, status.st_size,
      static_cast<int64_t>(status.st_mtim.tv_sec) * 1'000'000'000 + status.st_mtim.tv_nsec};
}

Result<RecordBatch> FileTable::load() {
  // Looked at before it is read: what changes meanwhile is read again at the next refresh.
  FLOWRUN_TRY(const FileState state, look());
  FLOWRUN_TRY(TableReadOptions options, [&]() -> Result<TableReadOptions> {
    // The schema of the plan holds, whatever the file has become.
    FLOWRUN_TRY(const SchemaPtr planned, schema());
    TableReadOptions declared = options_;
    if (!declared.schema) declared.schema = planned;
    return declared;
  }());
  auto rows = read_table(path_, options);
  if (!rows) return std::move(rows.error()).within(fmt::format("the table `{}`", name_));
  const std::lock_guard lock(mutex_);
  loaded_ = state;
  return rows;
}

}  // namespace

Result<std::unique_ptr<StaticTable>> make_file_table(std::string name, const Options& options,
                                                     const MakeContext& context) {
  TableReadOptions reading;
  if (const OptionValue* schema = options.find("schema")) reading.schema = schema->schema;
  const std::string& format = options.text("format");
  FLOWRUN_TRY(const RecordReading records, RecordReading::of(format, options, context, true));
  if (const RecordFormat* built_in = records.built_in()) {
    reading.format = *built_in;
  } else {
    FLOWRUN_TRY(reading.make_reader, records.reader_of(reading.schema));
    reading.plugged_name = format;
    reading.format.json.max_record = options.integer("max_record");
  }
  if (const OptionValue* column = options.find("corrupt_record"))
    reading.corrupt_column = column->text;
  reading.corrupt = corrupt_records_option(options);
  std::optional<int64_t> refresh;
  if (const OptionValue* option = options.find("refresh")) refresh = option->integer;
  return std::make_unique<FileTable>(std::move(name), options.text("file"), std::move(reading),
                                     refresh);
}

}  // namespace flowrun
