// bench_records FILE FORMAT SCHEMA [COLUMN...]: how fast a file of records becomes columns, on one
// thread.
//
//   bench_records iot.ndjson json "x double, y double" x
//
// Prints records and bytes per CPU-second, reading the file included. Columns named are the only
// ones wanted.

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "runtime/operator/table_reader.h"

namespace flowrun {
namespace {

int fail(const Error& error) {
  std::fprintf(stderr, "%s\n", error.message.c_str());
  return 1;
}

int run(int count, char** arguments) {
  if (count < 4) {
    std::fprintf(stderr, "bench_records FILE json|csv SCHEMA [COLUMN...]\n");
    return 2;
  }
  RecordFormat format;
  format.kind =
      std::string(arguments[2]) == "csv" ? RecordFormat::Kind::csv : RecordFormat::Kind::json;
  format.json.source = format.csv.source = true;
  const auto schema = parse_schema(arguments[3]);
  if (!schema) return fail(schema.error());
  std::vector<bool> wanted((*schema)->num_fields(), count == 4);
  for (int i = 4; i < count; ++i) {
    const auto found = (*schema)->find(arguments[i]);
    if (!found) return fail(found.error());
    wanted[*found] = true;
  }
  auto reader = format.reader_of(*schema)(wanted);
  if (!reader) return fail(reader.error());
  const std::clock_t start = std::clock();
  auto file = TextFile::open(arguments[1], text_file_options(format));
  if (!file) return fail(file.error());
  int64_t rows = 0;
  int64_t bytes = 0;
  int64_t bad = 0;
  for (bool at_end = false; !at_end;) {
    auto block = file->next();
    if (!block) return fail(block.error());
    at_end = block->at_end;
    bytes += block->bytes;
    if (!block->values) continue;
    const ReadRows read = *(*reader)->read(*block->values);
    rows += read.num_rows;
    bad += std::ssize(read.bad);
  }
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  std::printf("%lld records (%lld corrupt), %.3f CPU-seconds, %.2f M records/s, %.0f MiB/s\n",
              static_cast<long long>(rows), static_cast<long long>(bad), seconds,
              static_cast<double>(rows) / seconds / 1e6,
              static_cast<double>(bytes) / seconds / (1 << 20));
  return 0;
}

}  // namespace
}  // namespace flowrun

int main(int argc, char** argv) { return flowrun::run(argc, argv); }
