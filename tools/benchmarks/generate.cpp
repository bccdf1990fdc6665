// Writes sensor records for the benchmarks, the same for the same seed:
//   generate data/watches-hhar.jsonl RECORDS OUT.jsonl [SEED]
// Times are those of the recording, shifted for every pass over it; x, y and z are the recorded
// values moved by fresh doubles of 16 or 17 digits; 9 users, 4 models, 7 activities (one of them
// the text "null"); one record in a hundred is all null.

#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tools/simulate/random.h"

namespace {

using flowrun::simulate::Random;

struct Recorded {
  int64_t arrival;   // milliseconds
  int64_t creation;  // nanoseconds
  int64_t index;
  std::array<double, 3> axes;
};

std::string value_text(const std::string& line, std::string_view key) {
  const size_t start = line.find(key) + key.size();
  return line.substr(start, line.find_first_of(",}", start) - start);
}

std::vector<Recorded> read_recording(const char* path) {
  std::vector<Recorded> rows;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    rows.push_back({std::stoll(value_text(line, "\"Arrival_Time\":")),
                    std::stoll(value_text(line, "\"Creation_Time\":")),
                    std::stoll(value_text(line, "\"Index\":")),
                    {std::stod(value_text(line, "\"x\":")), std::stod(value_text(line, "\"y\":")),
                     std::stod(value_text(line, "\"z\":"))}});
  }
  return rows;
}

template <class Number>
void append(std::string& out, std::string_view before, Number value) {
  std::array<char, 32> text{};
  out += before;
  out.append(text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr);
}

class Generator {
 public:
  Generator(std::vector<Recorded> recording, uint64_t seed)
      : recording_(std::move(recording)), random_(seed), seed_(seed) {}

  void append_record(std::string& out, int64_t number) {
    constexpr uint64_t kOneIn = 100;
    if (random_.below(kOneIn) == 0) {
      out +=
          R"({"Arrival_Time":null,"Creation_Time":null,"Device":null,"Index":null,"Model":null,"User":null,)"
          R"("gt":null,"x":null,"y":null,"z":null})"
          "\n";
      return;
    }
    const auto size = static_cast<int64_t>(recording_.size());
    const Recorded& recorded = recording_[static_cast<size_t>(number % size)];
    const int64_t pass = number / size;
    const uint64_t user = random_.below(kUsers);
    const std::string_view model = kModels[random_.below(kModels.size())];
    append(out, "{\"Arrival_Time\":", recorded.arrival + pass * kPassMillis);
    append(out, ",\"Creation_Time\":", recorded.creation + pass * kPassMillis * kNanosPerMilli);
    out.append(",\"Device\":\"").append(model);
    append(out, "_", 1 + random_.below(2));
    append(out, "\",\"Index\":", recorded.index + pass * size);
    out.append(",\"Model\":\"").append(model).append("\",\"User\":\"") +=
        static_cast<char>('a' + user);
    out.append("\",\"gt\":\"").append(activity(user, number)) += '"';
    constexpr std::array<std::string_view, 3> kAxes = {",\"x\":", ",\"y\":", ",\"z\":"};
    for (size_t axis = 0; axis < kAxes.size(); ++axis)
      append(out, kAxes[axis], recorded.axes[axis] + (random_.unit() - 0.5) * 0.5);
    out += "}\n";
  }

 private:
  static constexpr uint64_t kUsers = 9;
  static constexpr std::array<std::string_view, 4> kModels = {"nexus4", "gear", "lgwatch", "s3"};
  static constexpr std::array<std::string_view, 7> kActivities = {
      "stand", "sit", "walk", "bike", "stairsup", "stairsdown", "null"};
  static constexpr int64_t kPassMillis = 40'240;  // what one pass over the recording spans
  static constexpr int64_t kNanosPerMilli = 1'000'000;

  // A user's activity lasts for some thousand records.
  [[nodiscard]] std::string_view activity(uint64_t user, int64_t number) const {
    constexpr int64_t kLasts = 20'000;
    Random drawn(seed_ * 1'000'003 + user * 7919 + static_cast<uint64_t>(number / kLasts));
    return kActivities[drawn.below(kActivities.size())];
  }

  std::vector<Recorded> recording_;
  Random random_;
  uint64_t seed_;
};

}  // namespace

int main(int count, char** arguments) {
  if (count < 4) {
    std::cerr << "generate RECORDING RECORDS OUT [SEED]\n";
    return 2;
  }
  std::vector<Recorded> recording = read_recording(arguments[1]);
  std::ofstream out(arguments[3], std::ios::binary);
  if (recording.empty() || !out) {
    std::cerr << "generate: cannot read " << arguments[1] << " or write " << arguments[3] << "\n";
    return 1;
  }
  const int64_t records = std::stoll(arguments[2]);
  Generator generator(std::move(recording), count > 4 ? std::stoull(arguments[4]) : 1);
  constexpr size_t kFlushAt = 1 << 20;
  std::string buffer;
  for (int64_t i = 0; i < records; ++i) {
    generator.append_record(buffer, i);
    if (buffer.size() < kFlushAt) continue;
    out << buffer;
    buffer.clear();
  }
  out << buffer;
  return out.flush() ? 0 : 1;
}
