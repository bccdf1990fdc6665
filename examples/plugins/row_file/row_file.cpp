// row_file: a sink that shows rows only when they are committed, and each epoch once.
//
// An epoch's rows are written to FOLDER/EPOCH.csv.part; commit gives the file its name, which is an
// atomic step that may be repeated. What was not committed is removed when the sink is opened.
#include <filesystem>
#include <flowrun/plugin.hpp>
#include <fstream>
#include <sstream>
#include <string>

using namespace flowrun::plugin;
namespace fs = std::filesystem;

namespace {

std::string csv_text(std::string_view text) {
  if (text.find_first_of(",\"\n") == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

class RowFile final : public Sink {
 public:
  static Spec spec() {
    return Spec("row_file", "Writes a CSV file for each epoch, whole or not at all.")
        .doc(
            "Exactly once: a file appears when its epoch is committed. Columns must be strings,\n"
            "bigints, doubles or booleans.")
        .option(path("folder", "Where the files go.").required())
        .example("A file for each epoch", "files: { from: rows, sink: row_file, folder: out/rows }",
                 "k STRING, x DOUBLE, n BIGINT, b BOOLEAN");
  }
  explicit RowFile(const Options& options) : folder_(options.text("folder")) {}

  void bind(const Schema& schema, const flowrun_sink_input&) override {
    for (size_t i = 0; i < schema.size(); ++i) {
      const std::string& format = schema[i].format;
      if (format != "vu" && format != "l" && format != "g" && format != "b") {
        throw Error::invalid("column `" + schema[i].name +
                             "` is no string, bigint, double or boolean — cast it");
      }
      header_ += (i == 0 ? "" : ",") + csv_text(schema[i].name);
    }
    schema_ = schema;
  }

  void open(std::optional<std::string>) override {
    std::error_code error;
    fs::create_directories(folder_, error);
    if (error)
      throw Error::io("cannot make the folder " + folder_.string() + ": " + error.message());
    for (const auto& entry : fs::directory_iterator(folder_)) {
      if (entry.path().extension() == ".part") fs::remove(entry.path());
    }
  }

  void write(int64_t, const Batch& batch) override {
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      for (size_t i = 0; i < schema_.size(); ++i) {
        if (i > 0) rows_ << ',';
        put(batch, i, row);
      }
      rows_ << '\n';
    }
  }

  std::string prepare(int64_t epoch) override {
    const std::string rows = rows_.str();
    rows_.str("");
    if (rows.empty()) return {};
    const std::string name = std::to_string(epoch) + ".csv";
    std::ofstream file(folder_ / (name + ".part"), std::ios::binary);
    file << header_ << '\n' << rows;
    if (!file.flush()) throw Error::io("cannot write " + (folder_ / name).string());
    return name;
  }

  void commit(int64_t, const std::string& token) override {
    const fs::path part = folder_ / (token + ".part");
    if (!token.empty() && fs::exists(part)) fs::rename(part, folder_ / token);
  }

  void abort(int64_t epoch) override {
    rows_.str("");
    fs::remove(folder_ / (std::to_string(epoch) + ".csv.part"));
  }

 private:
  void put(const Batch& batch, size_t column, int64_t row) {
    const std::string& format = schema_[column].format;
    if (format == "vu") {
      const auto values = batch.values<std::string_view>(column);
      if (!values.is_null(row)) rows_ << csv_text(values[row]);
    } else if (format == "l") {
      const auto values = batch.values<int64_t>(column);
      if (!values.is_null(row)) rows_ << values[row];
    } else if (format == "g") {
      const auto values = batch.values<double>(column);
      if (!values.is_null(row)) rows_ << values[row];
    } else {
      const auto values = batch.values<bool>(column);
      if (!values.is_null(row)) rows_ << (values[row] ? "true" : "false");
    }
  }

  fs::path folder_;
  Schema schema_;
  std::string header_;
  std::ostringstream rows_;
};

}  // namespace

FLOWRUN_PLUGIN("row_file", "1.0.0", sink<RowFile>(FLOWRUN_APPEND, FLOWRUN_SINK_BLOCKS))
