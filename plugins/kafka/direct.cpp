#include "plugins/kafka/delivery.h"
#include "plugins/kafka/producer.h"

namespace kafka {

namespace {

class Direct final : public Delivery {
 public:
  Direct(Settings settings, const std::atomic<bool>& cancelled)
      : settings_(std::move(settings)), cancelled_(cancelled) {}

  void open(std::optional<std::string>) override {
    producer_.emplace(settings_, cancelled_);
    producer_->await_broker();
  }
  void write(const Record& record) override { producer_->send(record); }
  // Not in commit: behind a checkpoint nobody has the rows any more.
  std::string prepare() override {
    producer_->flush();
    return {};
  }
  void commit(const std::string&) override {}
  void abort() override {}  // what was sent is there
  void close() override { producer_.reset(); }

 private:
  Settings settings_;
  const std::atomic<bool>& cancelled_;
  std::optional<Producer> producer_;
};

}  // namespace

std::unique_ptr<Delivery> make_direct_delivery(Settings settings,
                                               const std::atomic<bool>& cancelled) {
  return std::make_unique<Direct>(std::move(settings), cancelled);
}

}  // namespace kafka
