#include "tools/simulate/wearers.h"

#include <algorithm>
#include <charconv>

namespace flowrun::simulate {
namespace {

constexpr int64_t kSecond = 1'000'000'000;    // nanoseconds
constexpr int64_t kMaxBaseLag = 900'000'000;  // with the recorded jitter less than a second
constexpr size_t kDevicesPerUser = 2;
constexpr double kUnlabelled = 0.01;  // share of records whose activity is the text "null"

}  // namespace

void append_number(std::string& out, int64_t value) {
  char text[20];
  const auto end = std::to_chars(std::begin(text), std::end(text), value);
  out.append(text, end.ptr);
}

Wearers::Wearers(const StreamOptions& options) : options_(options), random_(options.seed) {
  const size_t first = random_.below(kActivities.size());
  for (size_t user = 0; user < kNumUsers; ++user) {
    wearers_.push_back({(first + user) % kActivities.size(), 0});
    change_activity(wearers_.back());
    wearers_.back().activity = (first + user) % kActivities.size();
    for (size_t i = 0; i < kDevicesPerUser; ++i) {
      const std::string model(kModels[(user + i) % kModels.size()]);
      Device device{.user = user, .between = {}, .after = {}};
      device.between = ",\"Device\":\"" + model + "_" + std::to_string(1 + user / kModels.size()) +
                       "\",\"Index\":";
      device.after =
          ",\"Model\":\"" + model + "\",\"User\":\"" + static_cast<char>('a' + user) + '"';
      device.movement = random_.below(movements().size());
      device.base_lag = static_cast<int64_t>(random_.below(kMaxBaseLag));
      devices_.push_back(std::move(device));
    }
  }
}

void Wearers::change_activity(Wearer& wearer) {
  constexpr double kShortest = 3, kLongest = 12;  // seconds
  wearer.activity = random_.below(kActivities.size());
  const double seconds = kShortest + random_.unit() * (kLongest - kShortest);
  wearer.next_change =
      num_records_ + std::max<int64_t>(1, static_cast<int64_t>(seconds * options_.rate));
}

Draw Wearers::draw() {
  Device& device = devices_[random_.below(devices_.size())];
  Wearer& wearer = wearers_[device.user];
  ++num_records_;
  if (num_records_ > wearer.next_change) change_activity(wearer);
  const Movement& movement = movements()[device.movement];
  device.movement = (device.movement + 1) % movements().size();
  const bool unlabelled = random_.chance(kUnlabelled);
  return {&device, &movement, unlabelled ? "null" : kActivities[wearer.activity],
          random_.chance(options_.nulls)};
}

void Wearers::append_head(std::string& out, const Draw& draw, int64_t now) {
  constexpr uint64_t kLeastLate = 30, kLateSpan = 570;  // seconds
  const int64_t arrival = std::max(now, last_arrival_ + 1);
  last_arrival_ = arrival;
  int64_t creation = arrival - draw.device->base_lag - draw.movement->lag;
  if (random_.chance(options_.late)) {
    creation -= static_cast<int64_t>(kLeastLate + random_.below(kLateSpan)) * kSecond;
  }
  out += "{\"Arrival_Time\":";
  append_number(out, arrival);
  out += ",\"Creation_Time\":";
  append_number(out, creation);
  if (draw.error) {
    out += R"(,"Device":null,"Index":null,"Model":null,"User":null)";
    return;
  }
  out += draw.device->between;
  append_number(out, draw.device->index++);
  out += draw.device->after;
}

}  // namespace flowrun::simulate
