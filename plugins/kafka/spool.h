#pragma once
// Spool: the rows of an epoch in a file of their own, safe before anybody sees them.
//
// FOLDER/ID-NUMBER.rows:
//   "flowrunkafka1\n"
//   for each record: topic, partition (int32), key, value, number of headers (uint32), and for each
//     header its key and value
//   "\xff\xff\xff\xff" in place of a topic's length, then the number of records (uint64)
// A text is its length (uint32) and its bytes; a null one is the length 0xfffffffe. Numbers are in
// the machine's order: the file is read by the machine that wrote it.

#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "plugins/kafka/records.h"

namespace kafka {

class Spool {
 public:
  Spool(std::string folder, std::string id) : folder_(std::move(folder)), id_(std::move(id)) {}

  // Makes the folder; removes what an earlier process left, but for the file `keep`.
  void open(int64_t keep);
  void append(const Record& record);
  bool empty() const { return count_ == 0; }
  // The rows appended since, durable under that number.
  void finish(int64_t number);
  void drop();
  // Calls `with(record)` for each; a record lives for the call. Throws Error::io if the file is not
  // whole.
  template <class With>
  void read(int64_t number, With with) const {
    Reader reader(file_name(number));
    Record record;
    while (reader.next(record)) with(static_cast<const Record&>(record));
  }
  void remove(int64_t number) const;

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  using File = std::unique_ptr<std::FILE, Close>;

  class Reader {
   public:
    explicit Reader(std::string name);
    bool next(Record& record);

   private:
    void get(void* bytes, size_t size);
    std::optional<size_t> get_text();  // its place in text_
    std::string name_;
    File file_;
    std::string text_;  // of the record that is being read
    uint64_t count_ = 0;
  };

  std::string file_name(int64_t number) const;
  std::string draft_name() const;
  void put(const void* bytes, size_t size);
  void put_text(const std::optional<std::string_view>& text);
  std::optional<int64_t> number_of(const std::string& name) const;

  std::string folder_;
  std::string id_;
  File draft_;
  uint64_t count_ = 0;
};

}  // namespace kafka
