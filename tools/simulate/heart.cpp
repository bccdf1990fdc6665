// Heart rates: each wearer's rate drifts towards what the activity asks of the heart; now and then
// a sensor that slips reports nonsense.

#include <algorithm>
#include <array>

#include "tools/simulate/record_stream.h"
#include "tools/simulate/wearers.h"

namespace flowrun::simulate {
namespace {

// Beats per minute that an activity settles at, in the order of kActivities.
constexpr std::array<double, kActivities.size()> kSettled = {82, 68, 105, 155, 135, 142, 118};
constexpr double kDrift = 0.05;  // share of the way that one record goes
constexpr double kOutliers = 0.005;
constexpr std::array<int64_t, 4> kNonsense = {0, 17, 231, 255};

double settled(std::string_view activity, double resting) {
  const auto* found = std::ranges::find(kActivities, activity);
  if (found == kActivities.end()) return resting;
  return kSettled[static_cast<size_t>(found - kActivities.begin())] + resting - kSettled[1];
}

class Heart final : public RecordStream {
 public:
  explicit Heart(const StreamOptions& options) : wearers_(options) {
    for (size_t user = 0; user < kNumUsers; ++user) {
      resting_[user] = 55 + wearers_.random().unit() * 25;
      rate_[user] = resting_[user] + 10;
    }
  }

  void append(std::string& out, int64_t records, int64_t now) override {
    for (int64_t i = 0; i < records; ++i) {
      const Draw draw = wearers_.draw();
      wearers_.append_head(out, draw, now);
      out += ",\"bpm\":";
      if (draw.error) {
        out += "null";
      } else {
        append_number(out, beat(draw));
      }
      out += "}\n";
    }
  }

 private:
  int64_t beat(const Draw& draw) {
    Random& random = wearers_.random();
    double& rate = rate_[draw.device->user];
    rate += (settled(draw.activity, resting_[draw.device->user]) - rate) * kDrift +
            (random.unit() - 0.5) * 4;
    if (random.chance(kOutliers)) return kNonsense[random.below(kNonsense.size())];
    return static_cast<int64_t>(std::clamp(rate, 40.0, 200.0));
  }

  Wearers wearers_;
  std::array<double, kNumUsers> resting_{};
  std::array<double, kNumUsers> rate_{};
};

}  // namespace

std::unique_ptr<RecordStream> make_heart(const StreamOptions& options) {
  return std::make_unique<Heart>(options);
}

}  // namespace flowrun::simulate
