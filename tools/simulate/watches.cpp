// The movement of watches and phones: x, y, z and the jitter of arrival as recorded, the rest
// drawn.

#include "tools/simulate/record_stream.h"
#include "tools/simulate/wearers.h"

namespace flowrun::simulate {
namespace {

class Watches final : public RecordStream {
 public:
  explicit Watches(const StreamOptions& options) : wearers_(options) {}

  void append(std::string& out, int64_t records, int64_t now) override {
    for (int64_t i = 0; i < records; ++i) {
      const Draw draw = wearers_.draw();
      wearers_.append_head(out, draw, now);
      if (draw.error) {
        out += ",\"gt\":null,\"x\":null,\"y\":null,\"z\":null}\n";
        continue;
      }
      out += ",\"gt\":\"";
      out += draw.activity;
      out += "\",";
      out += draw.movement->axes;
    }
  }

 private:
  Wearers wearers_;
};

}  // namespace

std::unique_ptr<RecordStream> make_watches(const StreamOptions& options) {
  return std::make_unique<Watches>(options);
}

}  // namespace flowrun::simulate
