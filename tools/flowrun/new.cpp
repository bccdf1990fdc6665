// flowrun new: a first pipeline, from what a source gives.

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "runtime/format/json_writer.h"
#include "runtime/operator/tcp.h"
#include "tools/flowrun/collect.h"
#include "tools/flowrun/commands.h"
#include "tools/flowrun/heartbeat.h"
#include "tools/flowrun/inference.h"
#include "tools/flowrun/log.h"
#include "tools/flowrun/plugin_path.h"
#include "tools/flowrun/signals.h"
#include "tools/flowrun/terminal.h"
#include "tools/flowrun/text.h"

namespace flowrun {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kRecordsWanted = 1000;
constexpr int64_t kPatience = 5'000'000;  // microseconds that a stream is listened to

// YAML of one value: as it is where that is safe, else in quotes.
std::string yaml_text(const std::string& text) {
  const auto safe = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '/' || c == '-';
  };
  const bool begins = !text.empty() && text[0] != '-' && text[0] != '.';
  const bool path = text.starts_with("./") || text.starts_with("../") || text.starts_with('/');
  if ((begins || path) && std::ranges::all_of(text, safe)) return text;
  std::string quoted;
  append_json_string(text, quoted);
  return quoted;
}

struct Origin {
  std::string node;     // name of the source's node
  std::string options;  // "source: socket, host: 127.0.0.1, port: 9999"
  std::string trigger;  // a line for the pipeline that reads it once; empty: none is needed
  std::string path;     // of a file or folder
  bool is_csv = false;
  [[nodiscard]] bool is_file() const { return !path.empty(); }
};

// The path as the pipeline in `folder` names it.
std::string path_from(const std::string& folder, const std::string& path) {
  std::error_code failure;
  const fs::path relative = fs::proximate(path, folder.empty() ? "." : folder, failure);
  return failure || fs::path(path).is_absolute() ? path : relative.string();
}

// What may be there, most telling first.
Result<std::vector<Origin>> origins_of(const std::string& from) {
  std::error_code failure;
  if (fs::exists(from, failure)) {
    Origin origin{"records", "", "", from, from.ends_with(".csv")};
    if (fs::is_directory(from, failure)) {
      origin.is_csv = std::ranges::any_of(
          fs::directory_iterator(from, failure),
          [](const fs::directory_entry& entry) { return entry.path().extension() == ".csv"; });
    }
    return std::vector{std::move(origin)};
  }
  if (from.starts_with("http://") || from.starts_with("https://")) {
    std::string url;
    append_json_string(from, url);
    return std::vector{Origin{"events", fmt::format("source: sse, url: {}", url), "", "", false},
                       Origin{"lines", fmt::format("source: http, url: {}, poll: 1 minute", url),
                              "trigger: once\n", "", from.ends_with(".csv")}};
  }
  const size_t colon = from.rfind(':');
  const auto address = parse_tcp_address(from);
  if (!address || colon == std::string::npos)
    return Error::invalid("cannot read " + from +
                          ": there is no such file — name a file, a folder, an http or https URL, "
                          "or HOST:PORT of a TCP server");
  return std::vector{Origin{
      "lines",
      fmt::format("source: socket, host: {}, port: {}", yaml_text(address->host), address->port),
      "", "", false}};
}

// Writes the pipeline for what was inferred.
class Writer {
 public:
  Writer(const NewCommand& command, const Origin& origin, const InferredRecords& records)
      : command_(command), origin_(origin), records_(records) {}

  [[nodiscard]] std::string schema() const { return "schema:\n" + columns("  "); }

  [[nodiscard]] std::string pipeline() const {
    const std::string folder = fs::path(command_.out).parent_path().string();
    std::string text = fmt::format(
        "# Made by `flowrun new --from {}` from {}.\n"
        "# Run it: flowrun {}\n\nnodes:\n",
        command_.from, plural(records_.records, "record"),
        command_.out.empty() ? "FILE.yaml" : command_.out);
    const bool text_only = records_.format == InferredRecords::Format::text;
    if (origin_.is_file()) {
      text += file_node(path_from(folder, origin_.path), text_only);
    } else {
      text += fmt::format("  {}: {{ {} }}\n", origin_.node, origin_.options);
      if (!text_only) text += parse_node();
    }
    const bool parsed = origin_.is_file() || !text_only;
    text +=
        "\n  # What comes, on the terminal. Next: a filter or an aggregation between the two.\n";
    return text + fmt::format("  screen: {{ from: {}, sink: console{} }}\n",
                              parsed ? "records" : origin_.node,
                              text_only ? ", truncate: false" : "");
  }

 private:
  [[nodiscard]] std::string bad_note() const {
    if (records_.bad == 0) return {};
    const char* what =
        records_.format == InferredRecords::Format::json ? "no JSON object" : "not of this form";
    return fmt::format("  # {} of {} records were {}: read `records.errors` to see such.\n",
                       records_.bad, records_.records, what);
  }

  [[nodiscard]] std::string csv_options(const std::string& indent) const {
    std::string text;
    if (records_.separator != ",") {
      std::string quoted;
      append_json_string(records_.separator, quoted);
      text += indent + "sep: " + quoted + "\n";
    }
    return text;
  }

  [[nodiscard]] std::string file_node(const std::string& path, bool text_only) const {
    if (text_only) return fmt::format("  records: {{ source: file, path: {} }}\n", yaml_text(path));
    const bool csv = records_.format == InferredRecords::Format::csv;
    std::string text = bad_note();
    text += fmt::format("  records:\n    source: file\n    path: {}\n    format: {}\n",
                        yaml_text(path), csv ? "csv" : "json");
    if (csv && records_.header) text += "    header: true\n";
    if (csv && records_.multi_line) text += "    multi_line: true\n";
    if (csv) text += csv_options("    ");
    return text + "    schema:\n" + columns("      ");
  }

  [[nodiscard]] std::string parse_node() const {
    const bool csv = records_.format == InferredRecords::Format::csv;
    std::string text = "\n" + bad_note();
    text += fmt::format("  records:\n    from: {}\n    parse: {}\n", origin_.node,
                        csv ? "csv" : "json");
    if (csv) text += csv_options("    ");
    return text + "    schema:\n" + columns("      ");
  }

  [[nodiscard]] std::string columns(const std::string& indent) const {
    size_t width = 0;
    for (const InferredColumn& column : records_.columns)
      width = std::max(width, entry(column).size());
    std::string text;
    for (const InferredColumn& column : records_.columns) {
      if (!records_.is_common(column)) {
        text += fmt::format("{}# {}   in {} of {} records only\n", indent, entry(column),
                            column.present, records_.records);
        continue;
      }
      const std::string note = note_of(column);
      text += note.empty() ? fmt::format("{}{}\n", indent, entry(column))
                           : fmt::format("{}{:<{}}  # {}\n", indent, entry(column), width, note);
    }
    return text;
  }

  static std::string entry(const InferredColumn& column) {
    return yaml_text(column.name) + ": " + column.type.simple_string();
  }

  [[nodiscard]] std::string note_of(const InferredColumn& column) const {
    const int64_t good = records_.records - records_.bad;
    if (column.values == 0) return "null in every record: the type is a guess";
    if (column.values < good) return fmt::format("null in {} of {}", good - column.values, good);
    return {};
  }

  const NewCommand& command_;
  const Origin& origin_;
  const InferredRecords& records_;
};

class New {
 public:
  explicit New(const NewCommand& command)
      : command_(command),
        terminal_(Terminal::standard()),
        log_(terminal_, system_clock(), {LogFormat::text, false}) {}

  int execute() {
    const auto origins = origins_of(command_.from);
    if (!origins) return refuse(origins.error(), kExitRefused);
    auto origin = origins->begin();
    auto lines = read(*origin);
    while (!lines && std::next(origin) != origins->end()) lines = read(*++origin);
    if (!lines) return refuse(lines.error(), kExitFailed);
    if (lines->empty())
      return refuse(Error::io(command_.from + " gave no record — start what sends some"),
                    kExitFailed);
    if (origin->is_csv && origin->is_file()) {
      const bool cut = std::ssize(*lines) >= kRecordsWanted;
      lines = join_csv_records(std::move(*lines), cut);
    }
    const auto records = infer_records(*lines, origin->is_csv);
    if (!records) return refuse(records.error(), kExitFailed);
    const Writer writer(command_, *origin, *records);
    return give(command_.schema_only ? writer.schema() : writer.pipeline());
  }

 private:
  int refuse(const Error& error, int exit_code) {
    terminal_.line(error.message);
    return exit_code;
  }

  // Up to kRecordsWanted lines, through a pipeline of its own.
  Result<std::vector<std::string>> read(const Origin& origin) {
    const int64_t patience = command_.run_for.value_or(kPatience);
    Collection collection({.node = origin.node, .rows = kRecordsWanted, .run_for = patience});
    PipelineChanges changes = collection.changes();
    const std::string options =
        origin.is_file() ? "source: file, path: " + yaml_text(origin.path) : origin.options;
    const std::string text =
        fmt::format("{2}nodes:\n  {0}: {{ {1} }}\n  unused: {{ from: {0}, sink: discard }}\n",
                    origin.node, options, origin.trigger);
    EngineOptions engine_options = collection.engine_options();
    engine_options.on_log = [this](const LogEvent& event) { log_.event(event); };
    Pipeline pipeline(plugin_path());
    if (!pipeline.load({.file = "new.yaml", .set = {}, .only = {}, .plugins = {}, .text = text},
                       std::move(engine_options), changes))
      return Error::invalid(pipeline.diagnostics_text(false));
    const SignalWatcher signals([&](int) { pipeline.engine().stop(); },
                                [](int) { std::_Exit(kExitFailed); });
    FLOWRUN_RETURN_IF_ERROR(collection.run(pipeline.engine()));
    std::vector<std::string> lines;
    const RecordBatch rows = collection.rows();
    for (int64_t row = 0; row < std::min(rows.num_rows(), kRecordsWanted); ++row) {
      std::string line(rows.column(0)->string(row));
      if (!line.empty()) lines.push_back(std::move(line));
    }
    return lines;
  }

  int give(const std::string& text) {
    if (command_.out.empty()) {
      const Status written = terminal_.write(text);
      return written ? kExitDone : refuse(written.error(), kExitFailed);
    }
    std::error_code ignored;
    if (fs::exists(command_.out, ignored))
      return refuse(Error::invalid(command_.out + " is there already — name another file"),
                    kExitRefused);
    std::ofstream file(command_.out, std::ios::binary);
    file << text;
    if (!file.flush())
      return refuse(Error::from_errno("cannot write " + command_.out, errno), kExitFailed);
    terminal_.line("wrote " + command_.out + "; `flowrun " + command_.out + "` runs it");
    return kExitDone;
  }

  const NewCommand& command_;
  Terminal terminal_;
  Log log_;
};

}  // namespace

int execute(const NewCommand& command) { return New(command).execute(); }

}  // namespace flowrun
