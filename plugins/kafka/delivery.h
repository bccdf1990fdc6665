#pragma once
// Delivery: what a Kafka sink promises about its rows.

#include <atomic>
#include <flowrun/plugin.hpp>
#include <memory>
#include <optional>
#include <string>

#include "plugins/kafka/connection.h"
#include "plugins/kafka/records.h"

namespace kafka {

// The sink's life, with records in place of batches; see flowrun_sink in flowrun_plugin.h.
class Delivery {
 public:
  virtual ~Delivery() = default;
  virtual void open(std::optional<std::string> last_committed) = 0;
  virtual void write(const Record& record) = 0;
  virtual std::string prepare() = 0;
  virtual void commit(const std::string& token) = 0;
  virtual void abort() = 0;
  virtual void close() = 0;
};

// At least once: rows are sent as they come, prepare waits until the brokers have them.
std::unique_ptr<Delivery> make_direct_delivery(Settings settings,
                                               const std::atomic<bool>& cancelled);

struct TransactionOptions {
  std::string id;                      // transactional.id
  std::string folder;                  // of the spool
  std::string topic;                   // whose first partition the mark is kept for
  std::chrono::milliseconds patience;  // how long an epoch is tried to be sent
};

// Exactly once: prepare writes the epoch's rows to a file and numbers it, commit sends them in one
// transaction, which also stores that number as the offset of a group of its own. A number that is
// there already is not sent again.
std::unique_ptr<Delivery> make_transactional_delivery(Settings settings, TransactionOptions options,
                                                      const std::atomic<bool>& cancelled);

}  // namespace kafka
