#include "runtime/config/document.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "runtime/base/suggest.h"
#include "runtime/config/interpolation.h"
#include "runtime/config/overrides.h"
#include "runtime/operator/spark_words.h"

namespace flowrun {

namespace {

namespace fs = std::filesystem;

std::string place(const Position& position) {
  return (position.file ? *position.file + ":" : "") + std::to_string(position.line) + ":" +
         std::to_string(position.column);
}

// " — did you mean `pipelines/iot.yaml`?", from what stands in the same folder.
std::string similar_file(const fs::path& path) {
  const fs::path folder = path.parent_path();
  std::error_code failure;
  std::vector<std::string> names;
  for (fs::directory_iterator entry(folder.empty() ? "." : folder, failure), end;
       !failure && entry != end; entry.increment(failure)) {
    names.push_back(entry->path().filename().string());
  }
  const auto name = nearest(path.filename().string(), names);
  return name ? " — did you mean `" + (folder / *name).string() + "`?" : "";
}

RawValue empty_map() { return RawValue::map({}); }

// Reads one file after the other into a Document.
class Reader {
 public:
  Reader(const LoadOptions& options, LoadedPlan& loaded) : options_(options), loaded_(loaded) {
    document_.top = document_.connections = document_.tables = document_.nodes = empty_map();
  }

  void read_main(std::string text, const std::string& name) {
    const RawValue root = parse(std::move(text), name);
    document_.position = {std::make_shared<const std::string>(name), 1, 1, 0};
    read_main(root, name);
  }

  void read_main(const RawValue& root, const std::string& name) {
    open_.push_back(identity(name));
    if (root.kind == RawValue::Kind::empty) {
      if (!has_errors(loaded_.diagnostics))
        report("the file is empty — write `nodes:` and under it a source and a sink",
               document_.position);
      return;
    }
    if (!check_root(root)) return;
    take_includes(root);
    for (size_t i = 0; i < root.keys.size(); ++i) take_main_entry(root.keys[i], root.items[i]);
  }

  Document take() { return std::move(document_); }

 private:
  void report(std::string message, Position position) {
    loaded_.diagnostics.push_back(
        {Diagnostic::Severity::error, std::move(message), "", std::move(position)});
  }

  // Different names of one file are one.
  static std::string identity(const std::string& path) {
    std::error_code ignored;
    const fs::path canonical = fs::weakly_canonical(path, ignored);
    return canonical.empty() ? path : canonical.string();
  }

  RawValue parse(std::string text, const std::string& name) {
    const auto file = std::make_shared<const std::string>(name);
    Result<std::string> clean = clean_yaml_text(std::move(text), file, options_.limits);
    if (!clean) {
      loaded_.diagnostics.push_back(make_diagnostic(std::move(clean.error())));
      return {};
    }
    loaded_.sources.add(name, *clean);
    return read_yaml(*clean, file, loaded_.diagnostics, options_.limits);
  }

  bool check_root(const RawValue& root) {
    if (root.kind == RawValue::Kind::map) return true;
    report("the file holds " + root.shown() + " — a pipeline file is a mapping with `nodes:`",
           root.position);
    return false;
  }

  void take_includes(const RawValue& root) {
    const RawValue* include = root.find("include");
    if (!include) return;
    const bool single = include->kind == RawValue::Kind::scalar;
    if (!single && include->kind != RawValue::Kind::list) {
      report("`include` cannot be " + include->shown() + " — write a list of files",
             include->position);
      return;
    }
    RawValue list = *include;
    if (single) list.items = {*include};
    for (RawValue& file : list.items) {
      interpolate(file, options_, loaded_.diagnostics);
      if (file.kind == RawValue::Kind::scalar) {
        include_file(file);
      } else {
        report("`include` cannot hold " + file.shown() + " — write a list of files", file.position);
      }
    }
  }

  void include_file(const RawValue& file) {
    const fs::path folder = fs::path(file.position.file ? *file.position.file : "").parent_path();
    const std::string path = (folder / file.text).lexically_normal().string();
    const std::string id = identity(path);
    if (std::ranges::find(open_, id) != open_.end()) {
      report(
          "`include` goes in a circle: " + path + " is being read already — remove one `include`",
          file.position);
      return;
    }
    if (!included_.insert(id).second) return;  // by two ways: once is enough
    Result<std::string> text = read_text_file(path, options_.limits.bytes);
    if (!text) {
      report(text.error().message, file.position);
      return;
    }
    open_.push_back(id);
    const RawValue root = parse(std::move(*text), path);
    if (root.kind != RawValue::Kind::empty && check_root(root)) {
      take_includes(root);
      for (size_t i = 0; i < root.keys.size(); ++i) take_shared_entry(root.keys[i], root.items[i]);
    }
    open_.pop_back();
  }

  // What any file may bring. False if the key is none of these.
  bool take_shared(const RawValue::Key& key, const RawValue& value) {
    if (key.text == "include" || key.text.starts_with("x-")) return true;
    if (key.text == "nodes") return add_entries(document_.nodes, value, "node");
    if (key.text == "tables") return add_entries(document_.tables, value, "table");
    if (key.text == "connections") return add_entries(document_.connections, value, "connection");
    return false;
  }

  void take_shared_entry(const RawValue::Key& key, const RawValue& value) {
    if (take_shared(key, value) || key.text == "doc" || key.text == "name") return;
    const std::vector<std::string> known = {"nodes",   "tables", "connections",
                                            "include", "doc",    "name"};
    std::string hint = suggest_word(key.text, known);
    if (hint.empty()) hint = " — it may have " + back_quoted_list(known);
    report("`" + key.text + "` cannot stand in an included file" + hint, key.position);
  }

  void take_main_entry(const RawValue::Key& key, const RawValue& value) {
    if (take_shared(key, value)) return;
    if (key.text == "chain") {
      document_.chain = value;
      return;
    }
    document_.top.keys.push_back(key);
    document_.top.items.push_back(value);
  }

  bool add_entries(RawValue& map, const RawValue& entries, std::string_view what) {
    if (entries.kind == RawValue::Kind::empty) return true;
    if (entries.kind != RawValue::Kind::map) {
      report("`" + std::string(what) + "s` cannot be " + entries.shown() +
                 " — write a mapping of names to " + std::string(what) + "s",
             entries.position);
      return true;
    }
    for (size_t i = 0; i < entries.keys.size(); ++i) {
      const RawValue::Key& key = entries.keys[i];
      if (key.text.starts_with("x-")) continue;
      const auto same = std::ranges::find(map.keys, key.text, &RawValue::Key::text);
      if (same != map.keys.end()) {
        report("there are two " + std::string(what) + "s `" + key.text + "`, the first at " +
                   place(same->position) + " — rename one",
               key.position);
        continue;
      }
      map.keys.push_back(key);
      map.items.push_back(entries.items[i]);
    }
    return true;
  }

  const LoadOptions& options_;
  LoadedPlan& loaded_;
  Document document_;
  std::vector<std::string> open_;  // files being read, outermost first
  std::set<std::string> included_;
};

}  // namespace

namespace {

void interpolate_all(Document& document, const LoadOptions& options, LoadedPlan& loaded) {
  for (RawValue* part :
       {&document.top, &document.connections, &document.tables, &document.nodes, &document.chain}) {
    interpolate(*part, options, loaded.diagnostics);
  }
}

}  // namespace

Document merge_document(std::string text, const std::string& name, const LoadOptions& options,
                        LoadedPlan& loaded) {
  Reader reader(options, loaded);
  reader.read_main(std::move(text), name);
  Document document = reader.take();
  apply_overrides(document, options, loaded);
  return document;
}

Document read_document(std::string text, const std::string& name, const LoadOptions& options,
                       LoadedPlan& loaded) {
  Document document = merge_document(std::move(text), name, options, loaded);
  interpolate_all(document, options, loaded);
  return document;
}

Document read_document(const RawValue& root, const std::string& name, const LoadOptions& options,
                       LoadedPlan& loaded) {
  Reader reader(options, loaded);
  reader.read_main(root, name);
  Document document = reader.take();
  apply_overrides(document, options, loaded);
  interpolate_all(document, options, loaded);
  return document;
}

Result<std::string> read_text_file(const std::string& path, size_t limit) {
  std::error_code failure;
  if (fs::is_directory(path, failure)) {
    return Error::invalid("cannot read " + path + ": it is a folder — name a file");
  }
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    const bool absent = errno == ENOENT;
    Error error = Error::from_errno("cannot read " + path, errno);
    if (absent) error.message += similar_file(path);
    return error;
  }
  std::string text;
  constexpr size_t kPiece = size_t{64} << 10;
  std::vector<char> piece(kPiece);
  while (file.read(piece.data(), static_cast<std::streamsize>(piece.size())), file.gcount() > 0) {
    text.append(piece.data(), static_cast<size_t>(file.gcount()));
    if (limit > 0 && text.size() > limit) {
      return Error::invalid("cannot read " + path + ": it is larger than " +
                            std::to_string(limit >> 10) + " KiB — name a smaller file");
    }
  }
  return text;
}

}  // namespace flowrun
