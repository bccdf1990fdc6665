// Lines of plays, each play in its order; after some lines the stage changes to another play.

#include <vector>

#include "tools/simulate/random.h"
#include "tools/simulate/record_stream.h"
#include "tools/simulate/tables.h"

namespace flowrun::simulate {
namespace {

class Quotes final : public RecordStream {
 public:
  explicit Quotes(const StreamOptions& options)
      : random_(options.seed), nulls_(options.nulls), position_(plays().size()) {
    for (size_t i = 0; i < position_.size(); ++i) position_[i] = random_.below(plays()[i].size());
  }

  void append(std::string& out, int64_t records, int64_t) override {
    constexpr double kChangeOfStage = 0.1;
    for (int64_t i = 0; i < records; ++i) {
      if (random_.chance(kChangeOfStage)) play_ = (play_ + 1) % position_.size();
      if (random_.chance(nulls_)) {
        out += "{\"character\":null,\"quote\":null}\n";
        continue;
      }
      size_t& position = position_[play_];
      out += plays()[play_][position];
      position = (position + 1) % plays()[play_].size();
    }
  }

 private:
  Random random_;
  double nulls_;
  std::vector<size_t> position_;
  size_t play_ = 0;
};

}  // namespace

std::unique_ptr<RecordStream> make_quotes(const StreamOptions& options) {
  return std::make_unique<Quotes>(options);
}

}  // namespace flowrun::simulate
