// The floor of the iot job: what one thread needs when everything is written by hand around
// simdjson and nothing is general. Prints the results as the pipeline does, so that they can be
// compared:
//   floor iot FILE       activities, averages and windows from one parse
//   floor json FILE      only reads every column

#include <simdjson.h>

#include <array>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using simdjson::ondemand::document;
using simdjson::ondemand::object;
using simdjson::ondemand::parser;

struct Record {
  int64_t arrival, creation, index;
  std::string_view device, model, user, activity;
  double x, y, z;
};

// False when a column is null or the text is no such object.
bool read_record(parser& parser, const char* text, size_t size, size_t capacity, Record& record) {
  document parsed;
  object fields;
  if (parser.iterate(text, size, capacity).get(parsed) || parsed.get_object().get(fields))
    return false;
  return !fields["Arrival_Time"].get_int64().get(record.arrival) &&
         !fields["Creation_Time"].get_int64().get(record.creation) &&
         !fields["Device"].get_string().get(record.device) &&
         !fields["Index"].get_int64().get(record.index) &&
         !fields["Model"].get_string().get(record.model) &&
         !fields["User"].get_string().get(record.user) &&
         !fields["gt"].get_string().get(record.activity) &&
         !fields["x"].get_double().get(record.x) && !fields["y"].get_double().get(record.y) &&
         !fields["z"].get_double().get(record.z);
}

// Calls `each` with every line and the bytes that may be read from its start. A block holds whole
// lines only.
template <class Each>
bool for_each_line(const char* path, Each each) {
  constexpr size_t kBlock = 1 << 20;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path, "rb"), std::fclose);
  if (!file) return false;
  std::setvbuf(file.get(), nullptr, _IONBF, 0);
  std::vector<char> buffer(2 * kBlock + simdjson::SIMDJSON_PADDING);
  size_t filled = 0;
  for (;;) {
    const size_t read = std::fread(buffer.data() + filled, 1, kBlock, file.get());
    filled += read;
    const char* line = buffer.data();
    const char* end = line + filled;
    while (const void* found = std::memchr(line, '\n', static_cast<size_t>(end - line))) {
      const char* line_end = static_cast<const char*>(found);
      each(line, static_cast<size_t>(line_end - line),
           static_cast<size_t>(buffer.data() + buffer.size() - line));
      line = line_end + 1;
    }
    filled = static_cast<size_t>(end - line);
    std::memmove(buffer.data(), line, filled);
    if (read == 0) break;
  }
  if (filled > 0) each(buffer.data(), filled, buffer.size());
  return true;
}

// Small numbers for a handful of names.
class Names {
 public:
  size_t number_of(std::string_view name) {
    for (size_t i = 0; i < names_.size(); ++i) {
      if (names_[i] == name) return i;
    }
    names_.emplace_back(name);
    return names_.size() - 1;
  }
  [[nodiscard]] const std::vector<std::string>& all() const { return names_; }

 private:
  std::vector<std::string> names_;
};

struct Sums {
  int64_t count = 0;
  double x = 0, y = 0, z = 0;
  void add(const Sums& other) {
    count += other.count;
    x += other.x;
    y += other.y;
    z += other.z;
  }
};

class IotJob {
 public:
  void add(const Record& record) {
    Sums& sums = cells_[activities_.number_of(record.activity) % kNames]
                       [models_.number_of(record.model) % kNames];
    ++sums.count;
    sums.x += record.x;
    sums.y += record.y;
    sums.z += record.z;
    const int64_t pane = record.creation / kPaneNanos;
    if (pane != last_pane_) {
      last_pane_ = pane;
      last_count_ = &panes_[pane];
    }
    ++*last_count_;
  }

  void print() const {
    Sums all;
    std::vector<Sums> by_model(models_.all().size());
    for (size_t a = 0; a < activities_.all().size(); ++a) {
      Sums by_activity;
      for (size_t m = 0; m < by_model.size(); ++m) {
        const Sums& cell = cells_[a][m];
        if (cell.count == 0) continue;
        print_average(&activities_.all()[a], &models_.all()[m], cell);
        by_activity.add(cell);
        by_model[m].add(cell);
      }
      std::printf("activities\t%s\t%" PRId64 "\n", activities_.all()[a].c_str(), by_activity.count);
      print_average(&activities_.all()[a], nullptr, by_activity);
      all.add(by_activity);
    }
    for (size_t m = 0; m < by_model.size(); ++m)
      print_average(nullptr, &models_.all()[m], by_model[m]);
    print_average(nullptr, nullptr, all);
    print_windows();
  }

 private:
  static constexpr size_t kNames = 64;
  static constexpr int64_t kPaneSeconds = 5;
  static constexpr int64_t kPaneNanos = kPaneSeconds * 1'000'000'000;

  static void print_average(const std::string* activity, const std::string* model,
                            const Sums& sums) {
    const auto count = static_cast<double>(sums.count);
    std::printf("averages\t%s\t%s\t%.17g\t%.17g\t%.17g\n", activity ? activity->c_str() : "*",
                model ? model->c_str() : "*", sums.x / count, sums.y / count, sums.z / count);
  }

  void print_windows() const {
    std::map<int64_t, int64_t> windows;
    for (const auto& [pane, count] : panes_) {
      windows[pane] += count;
      windows[pane - 1] += count;
    }
    for (const auto& [pane, count] : windows)
      std::printf("windows\t%" PRId64 "\t%" PRId64 "\n", pane * kPaneSeconds, count);
  }

  Names activities_, models_;
  std::array<std::array<Sums, kNames>, kNames> cells_{};
  std::map<int64_t, int64_t> panes_;
  int64_t last_pane_ = -1;
  int64_t* last_count_ = nullptr;
};

}  // namespace

int main(int count, char** arguments) {
  const std::string_view job = count == 3 ? arguments[1] : "";
  if (job != "iot" && job != "json") {
    std::fputs("floor iot|json FILE\n", stderr);
    return 2;
  }
  parser parser;
  Record record{};
  const auto iot = std::make_unique<IotJob>();
  int64_t rows = 0;
  const bool read =
      for_each_line(arguments[2], [&](const char* line, size_t size, size_t capacity) {
        if (!read_record(parser, line, size, capacity, record)) return;
        ++rows;
        if (job == "iot") iot->add(record);
      });
  if (!read) {
    std::perror(arguments[2]);
    return 1;
  }
  job == "iot" ? iot->print() : static_cast<void>(std::printf("rows\t%" PRId64 "\n", rows));
  return 0;
}
