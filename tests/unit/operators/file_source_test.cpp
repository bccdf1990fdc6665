// The file source over files and watched folders.
#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>

#include "runtime/operator/table_reader.h"
#include "runtime/operator/tcp.h"
#include "tests/unit/operators/bench.h"

using namespace flowrun;
using namespace flowrun::test;
namespace fs = std::filesystem;

namespace {

class Folder {
 public:
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "flowrun_files_XXXXXX").string();
    path = mkdtemp(pattern.data());
  }
  ~Folder() { fs::remove_all(path); }
  void write(const std::string& name, std::string_view text) const {
    std::ofstream(path / name, std::ios::binary) << text;
  }
  fs::path path;
};

std::unique_ptr<Source> source_of(Bench& bench, const Values& values) {
  auto made = bench.source("file", values);
  REQUIRE(made.has_value());
  REQUIRE((*made).source->bind().has_value());
  return std::move((*made).source);
}

Chunk next(Source& source) {
  auto chunk = source.read({steady_now() + 20'000'000});
  REQUIRE(chunk.has_value());
  return std::move(*chunk);
}

std::string lines_of(const Chunk& chunk) {
  std::string text;
  for (int64_t i = 0; i < chunk.rows.num_rows(); ++i) {
    text += std::string(chunk.rows.column(0)->string(i)) + "|";
  }
  return text;
}

TextFile opened(const fs::path& path, TextFileOptions options = {}) {
  auto file = TextFile::open(path.string(), std::move(options));
  REQUIRE(file.has_value());
  return std::move(*file);
}

// All lines, each followed by a bar.
std::string all_lines(TextFile& file) {
  std::string text;
  while (true) {
    const auto block = file.next();
    REQUIRE(block.has_value());
    for (int64_t i = 0; block->values && i < block->values->size(); ++i) {
      text += std::string(block->values->string(i)) + "|";
    }
    for (const auto& record : block->too_long)
      text += "(" + std::to_string(record.line) + " too long)|";
    if (block->at_end) return text;
  }
}

}  // namespace

TEST_CASE("a text file is cut into the same lines whatever the size of its blocks") {
  Folder folder;
  folder.write("a", "\xef\xbb\xbfone\r\ntwo\rthree\n\nsome line longer than a block\rlast");
  for (const size_t block : {1, 2, 3, 5, 7, 64, 4096}) {
    TextFileOptions options;
    options.block = block;
    TextFile file = opened(folder.path / "a", options);
    CHECK(all_lines(file) == "one|two|three||some line longer than a block|last|");
  }
}

TEST_CASE("a text file goes on where its position was") {
  Folder folder;
  folder.write("a", "1\n22\n333\n4444\n");
  TextFileOptions options;
  options.block = 5;
  TextFile first = opened(folder.path / "a", options);
  REQUIRE(first.next().has_value());
  TextFile second = opened(folder.path / "a", options);
  REQUIRE(second.seek(first.position(), first.next_line()).has_value());
  CHECK(all_lines(first) == all_lines(second));
}

TEST_CASE("a line longer than the bound is given by its head alone") {
  Folder folder;
  folder.write("a", "1\n" + std::string(100'000, 'x') + "\n3\n");
  TextFileOptions options;
  options.block = 1000;
  options.max_record = 5000;
  TextFile file = opened(folder.path / "a", options);
  CHECK(all_lines(file) == "1|(2 too long)|3|");
  CHECK(file.next_line() == 4);
}

TEST_CASE("other charsets become UTF-8") {
  Folder folder;
  folder.write("latin", "\xe9t\xe9\n2");
  folder.write("wide", std::string("\xff\xfe\xe9\0\n\0x\0", 8));
  TextFileOptions options;
  options.encoding = "ISO-8859-1";
  TextFile latin = opened(folder.path / "latin", options);
  CHECK(all_lines(latin) == "été|2|");
  options.encoding = "UTF-16";
  TextFile wide = opened(folder.path / "wide", options);
  CHECK(all_lines(wide) == "é|x|");
  options.encoding = "no-such";
  CHECK(!TextFile::open((folder.path / "wide").string(), options).has_value());
}

TEST_CASE("a file is read to its end and no further") {
  Bench bench;
  Folder folder;
  folder.write("a.txt", "x\ny");
  const auto source = source_of(bench, {{"path", (folder.path / "a.txt").string()}});
  CHECK(source->finite());
  REQUIRE(source->open({}).has_value());
  const Chunk chunk = next(*source);
  CHECK(lines_of(chunk) == "x|y|");
  CHECK(chunk.mark == Chunk::Mark::epoch_ends);
  CHECK(next(*source).mark == Chunk::Mark::stream_ends);
  CHECK(chunk.rows.origin()->first_line == 1);
}

TEST_CASE("files of a folder come in order, each epoch as many as it takes") {
  Bench bench;
  Folder folder;
  for (const char* name : {"c", "a", "b", ".hidden", "_temporary", "d.tmp"})
    folder.write(name, name);
  folder.write("b", "");
  fs::create_directory(folder.path / "sub");
  const auto source = source_of(bench, {{"path", folder.path.string()}, {"max_files", 2}});
  source->stop_at_end();
  REQUIRE(source->open({}).has_value());
  CHECK(source->marks_epochs());
  CHECK(lines_of(next(*source)) == "a|");
  const Chunk empty = next(*source);
  CHECK(empty.rows.num_rows() == 0);
  CHECK(empty.mark == Chunk::Mark::epoch_ends);
  const Chunk last = next(*source);
  CHECK(lines_of(last) == "c|");
  CHECK(last.mark == Chunk::Mark::epoch_ends);
  CHECK(next(*source).mark == Chunk::Mark::stream_ends);
}

TEST_CASE("a folder's source goes on behind its offset") {
  Bench bench;
  Folder folder;
  for (const char* name : {"a", "b", "c"}) folder.write(name, name);
  const Values values = {{"path", folder.path.string()}};
  const auto first = source_of(bench, values);
  first->stop_at_end();
  REQUIRE(first->open({}).has_value());
  const Offset offset = next(*first).offset;
  const auto second = source_of(bench, values);
  second->stop_at_end();
  REQUIRE(second->open(offset).has_value());
  CHECK(lines_of(next(*second)) == "b|");
}

TEST_CASE("a watched folder sees new files, once they are whole") {
  Bench bench;
  Folder folder;
  const auto source = source_of(bench, {{"path", folder.path.string()}});
  REQUIRE(source->open({}).has_value());
  CHECK(source->read({steady_now()})->mark == Chunk::Mark::idle);
  folder.write("new", "1");
  CHECK(lines_of(next(*source)) == "1|");
  source->cancel();
  CHECK(source->read({steady_now() + 20'000'000}).error().code == ErrorCode::cancelled);
}

TEST_CASE("files are archived or deleted once their rows are durable") {
  Bench bench;
  for (const bool archive : {true, false}) {
    Folder folder;
    Folder done;
    folder.write("a", "1");
    folder.write("b", "2");
    const Value after =
        archive ? Value(map({{"archive", (done.path / "in").string()}})) : Value("delete");
    const auto source = source_of(bench, {{"path", folder.path.string()}, {"after", after}});
    source->stop_at_end();
    REQUIRE(source->open({}).has_value());
    const Chunk first = next(*source);
    next(*source);
    CHECK(fs::exists(folder.path / "a"));
    source->committed(first.offset);
    CHECK(!fs::exists(folder.path / "a"));
    CHECK(fs::exists(folder.path / "b"));
    CHECK(fs::exists(done.path / "in" / "a") == archive);
  }
}

TEST_CASE("a missing file is one clear line") {
  Bench bench;
  const auto source = source_of(bench, {{"path", "/nowhere/at/all"}});
  const Status status = source->open({});
  REQUIRE(!status.has_value());
  CHECK(status.error().code == ErrorCode::io);
  CHECK(status.error().message.find("/nowhere/at/all") != std::string::npos);
}

TEST_CASE("a table is read whole, its schema inferred") {
  Folder folder;
  folder.write("users.csv", "id;name\n1;Ann\n2;\"B;b\"\n");
  TableReadOptions options;
  options.format.kind = RecordFormat::Kind::csv;
  options.format.csv.source = true;
  options.format.csv.header = true;
  options.format.csv.infer_schema = true;
  options.format.csv.sep = ";";
  const auto table = read_table((folder.path / "users.csv").string(), options);
  REQUIRE(table.has_value());
  CHECK(table->schema()->ddl() == "id INT,name STRING");
  CHECK(text_of(*table) == "1, Ann; 2, B;b");
}
