#pragma once
// Wearers: who wears which device, what they are doing, and when a record was made: what the
// streams of watches and of heart rates have in common.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tools/simulate/random.h"
#include "tools/simulate/record_stream.h"
#include "tools/simulate/tables.h"

namespace flowrun::simulate {

inline constexpr size_t kNumUsers = 26;  // a to z, as in data/users.csv
inline constexpr std::array<std::string_view, 7> kActivities = {
    "stand", "sit", "walk", "run", "bike", "stairsup", "stairsdown"};
inline constexpr std::array<std::string_view, 6> kModels = {"nexus4", "gear",   "lgwatch",
                                                            "s3",     "s3mini", "samsungold"};

struct Wearer {
  size_t activity;
  int64_t next_change;  // number of the record at which the activity changes
};

struct Device {
  size_t user;
  std::string between;  // `,"Device":"nexus4_1","Index":`
  std::string after;    // `,"Model":"nexus4","User":"a"`
  int64_t index = 0;
  size_t movement = 0;   // where in the recording it is
  int64_t base_lag = 0;  // nanoseconds that its records take to arrive, beside the recorded jitter
};

// One record's draw.
struct Draw {
  Device* device;
  const Movement* movement;
  std::string_view activity;
  bool error;
};

class Wearers {
 public:
  explicit Wearers(const StreamOptions& options);

  // Draws who sends the next record, and moves everybody's activity on.
  Draw draw();
  Random& random() { return random_; }
  // Appends `{"Arrival_Time":N,"Creation_Time":N` and what follows up to the user; all of it null
  // in an error.
  void append_head(std::string& out, const Draw& draw, int64_t now);

 private:
  void change_activity(Wearer& wearer);

  StreamOptions options_;
  Random random_;
  std::vector<Wearer> wearers_;
  std::vector<Device> devices_;
  int64_t num_records_ = 0;
  int64_t last_arrival_ = 0;
};

void append_number(std::string& out, int64_t value);

}  // namespace flowrun::simulate
