#include "runtime/exec/capture.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "runtime/format/json_writer.h"

namespace flowrun {

namespace {

Status write_file(const std::string& path, std::string_view text) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (!file) return Error::from_errno("cannot write " + path, errno);
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const int write_error = errno;
  if (std::fclose(file) != 0 || !written)
    return Error::from_errno("cannot write " + path, written ? errno : write_error);
  return ok_status();
}

}  // namespace

Status Capture::open(const Schema& schema) {
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error) return Error::from_errno("cannot make " + folder_, error.value());
  return write_file(folder_ + "/schema.ddl", schema.ddl() + "\n");
}

Status Capture::write(const RecordBatch& batch) {
  const JsonRowWriter writer(
      batch.schema(),
      {.ignore_null_fields = false, .fraction = JsonWriteOptions::Fraction::microseconds});
  writer.append_lines(batch, text_);
  return ok_status();
}

Status Capture::commit() {
  Status written = write_file(fmt::format("{}/{:04}.jsonl", folder_, turn_++), text_);
  if (!accumulates_) text_.clear();
  return written;
}

Status write_late_counts(const std::string& folder, const std::string& text) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return Error::from_errno("cannot make " + folder, error.value());
  return write_file(folder + "/late", text);
}

}  // namespace flowrun
