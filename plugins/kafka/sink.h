#pragma once
// The sink: rows as messages.

#include <atomic>
#include <flowrun/plugin.hpp>
#include <memory>
#include <optional>
#include <string>

#include "plugins/kafka/delivery.h"
#include "plugins/kafka/records.h"

namespace kafka {

class KafkaSink final : public flowrun::plugin::Sink {
 public:
  static flowrun::plugin::Spec spec();
  explicit KafkaSink(const flowrun::plugin::Options& options);

  void bind(const flowrun::plugin::Schema& schema, const flowrun_sink_input&) override {
    reader_.bind(schema);
  }
  void open(std::optional<std::string> last_committed) override {
    delivery_->open(std::move(last_committed));
  }
  void write(int64_t, const flowrun::plugin::Batch& batch) override {
    reader_.read(batch, [this](const Record& record) { delivery_->write(record); });
  }
  std::string prepare(int64_t) override { return delivery_->prepare(); }
  void commit(int64_t, const std::string& token) override { delivery_->commit(token); }
  void abort(int64_t) override { delivery_->abort(); }
  void close() override { delivery_->close(); }
  void cancel() override { cancelled_ = true; }
  // Brokers answer, and have the topic that rows go to, if `topic` says it.
  void probe() override;

 private:
  Settings settings_;
  RecordReader reader_;
  std::atomic<bool> cancelled_{false};
  std::unique_ptr<Delivery> delivery_;
};

}  // namespace kafka
