#include <charconv>
#include <thread>

#include "plugins/kafka/delivery.h"
#include "plugins/kafka/producer.h"
#include "plugins/kafka/spool.h"

namespace kafka {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kSlice = 1000;  // milliseconds of one try; librdkafka resumes it with the next
constexpr std::chrono::milliseconds kPause(250);
// Behind this long a broker itself gives a transaction up, which looks as if another had taken
// over.
constexpr std::chrono::seconds kTransactionTimeout(60);

int64_t number_of(const std::string& token) {
  int64_t number = 0;
  const char* end = token.data() + token.size();
  const auto [read, code] = std::from_chars(token.data(), end, number);
  if (code != std::errc() || read != end)
    throw sdk::Error::data("this is no token of a Kafka sink: " + token);
  return number;
}

// The numbers of the epochs that are sent, kept by the brokers as an offset of a group of its own.
class Marks {
 public:
  Marks(const Settings& settings, const TransactionOptions& options)
      : settings_(settings), group_(options.id + "-marks"), topic_(options.topic) {}

  // The greatest number that was committed; 0 if none was.
  int64_t read(const std::atomic<bool>& cancelled);
  // Adds a number to the transaction that is open.
  ErrorPtr add(rd_kafka_t* producer, int64_t number) const;

 private:
  PartitionListPtr place(int64_t number) const {
    PartitionListPtr list(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(list.get(), topic_.c_str(), 0)->offset = number;
    return list;
  }
  const Settings& settings_;
  std::string group_;
  std::string topic_;
};

int64_t Marks::read(const std::atomic<bool>& cancelled) {
  Complaints complaints;
  ConfPtr conf = settings_.conf({{"group.id", group_},
                                 {"enable.auto.commit", "false"},
                                 {"isolation.level", "read_committed"}});
  complaints.attach(conf.get());
  const HandlePtr client = make_client(RD_KAFKA_CONSUMER, std::move(conf));
  const auto end = Clock::now() + settings_.timeout();
  while (!cancelled) {
    const PartitionListPtr list = place(RD_KAFKA_OFFSET_INVALID);
    const rd_kafka_resp_err_t code = rd_kafka_committed(client.get(), list.get(), kSlice);
    rd_kafka_poll(client.get(), 0);
    complaints.check_fatal();
    const rd_kafka_topic_partition_t& mark = list->elems[0];
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && mark.err == RD_KAFKA_RESP_ERR_NO_ERROR)
      return std::max<int64_t>(mark.offset, 0);
    if (Clock::now() >= end) {
      throw sdk::Error::unavailable("cannot read what was committed to group `" + group_ +
                                    "`: " + rd_kafka_err2str(code ? code : mark.err));
    }
  }
  throw sdk::Error::cancelled();
}

ErrorPtr Marks::add(rd_kafka_t* producer, int64_t number) const {
  const GroupMetadataPtr group(rd_kafka_consumer_group_metadata_new(group_.c_str()));
  const PartitionListPtr list = place(number);
  return ErrorPtr(rd_kafka_send_offsets_to_transaction(producer, list.get(), group.get(), -1));
}

class Transactional final : public Delivery {
 public:
  Transactional(Settings settings, TransactionOptions options, const std::atomic<bool>& cancelled)
      : settings_(std::move(settings)),
        options_(std::move(options)),
        cancelled_(cancelled),
        marks_(settings_, options_),
        spool_(options_.folder, options_.id) {}

  void open(std::optional<std::string> last_committed) override;
  void write(const Record& record) override { spool_.append(record); }
  std::string prepare() override;
  void commit(const std::string& token) override;
  void abort() override { spool_.drop(); }
  void close() override {
    spool_.drop();
    producer_.reset();
  }

 private:
  // A producer for which no transaction is open, and what was committed before it.
  void begin_anew();
  // False: not sent, or nobody knows; begin_anew finds out.
  bool try_to_send(int64_t number);
  bool try_to_send(const Record& record);
  // Calls until it is through. False when the transaction is lost.
  template <class Call>
  bool carry_out(Call call, Clock::time_point began);
  sdk::Error fenced(const char* words) const {
    return sdk::Error::io("another writer has taken over the transactional id `" + options_.id +
                          "` (" + words + ") — each sink needs one of its own");
  }

  Settings settings_;
  TransactionOptions options_;
  const std::atomic<bool>& cancelled_;
  Marks marks_;
  Spool spool_;
  std::optional<Producer> producer_;
  int64_t committed_ = 0;  // the greatest number that the brokers have
  int64_t next_ = 1;
  std::string words_;  // why the last try failed
};

void Transactional::open(std::optional<std::string> last_committed) {
  const int64_t last = last_committed && !last_committed->empty() ? number_of(*last_committed) : 0;
  spool_.open(last);
  begin_anew();
  // Above all that was ever used: a run that starts from nothing must not look as if it was sent.
  next_ = std::max(committed_, last) + 1;
}

void Transactional::begin_anew() {
  producer_.reset();
  producer_.emplace(settings_, cancelled_);
  producer_->await_broker();
  // Ends what a producer before this one has left open, one way or the other.
  const auto end = Clock::now() + settings_.timeout() + kTransactionTimeout;
  while (true) {
    const ErrorPtr error(rd_kafka_init_transactions(producer_->client(), kSlice));
    if (!error) break;
    producer_->check();
    if (!rd_kafka_error_is_retriable(error.get()) || Clock::now() >= end)
      throw sdk::Error::io(rd_kafka_error_string(error.get()));
  }
  committed_ = marks_.read(cancelled_);
}

std::string Transactional::prepare() {
  if (spool_.empty()) return {};
  spool_.finish(next_);
  return std::to_string(next_++);
}

void Transactional::commit(const std::string& token) {
  if (token.empty()) return;
  const int64_t number = number_of(token);
  const auto end = Clock::now() + options_.patience;
  while (number > committed_) {
    if (try_to_send(number)) {
      committed_ = number;
      break;
    }
    while (true) {
      if (cancelled_) throw sdk::Error::cancelled();
      std::this_thread::sleep_for(kPause);
      try {
        begin_anew();
        break;
      } catch (const sdk::Error& error) {
        if (error.code() != FLOWRUN_UNAVAILABLE || Clock::now() >= end) throw;
      }
    }
    if (number > committed_ && Clock::now() >= end) throw sdk::Error::io(words_);
  }
  spool_.remove(number);
}

bool Transactional::try_to_send(int64_t number) {
  rd_kafka_t* client = producer_->client();
  const auto began = Clock::now();
  const ErrorPtr begun(rd_kafka_begin_transaction(client));
  if (begun) {
    words_ = rd_kafka_error_string(begun.get());
    return false;
  }
  bool sent = true;
  spool_.read(number, [&](const Record& record) { sent = sent && try_to_send(record); });
  return sent && carry_out([&] { return marks_.add(client, number); }, began) &&
         carry_out([&] { return ErrorPtr(rd_kafka_commit_transaction(client, kSlice)); }, began);
}

bool Transactional::try_to_send(const Record& record) {
  try {
    producer_->send(record);
    return true;
  } catch (const sdk::Error& error) {
    if (error.code() == FLOWRUN_CANCELLED || error.code() == FLOWRUN_DATA) throw;
    words_ = error.what();
    return false;
  }
}

template <class Call>
bool Transactional::carry_out(Call call, Clock::time_point began) {
  while (true) {
    const ErrorPtr error = call();
    if (!error) return true;
    if (cancelled_) throw sdk::Error::cancelled();
    rd_kafka_poll(producer_->client(), 0);
    words_ = rd_kafka_error_string(error.get());
    const rd_kafka_resp_err_t code = rd_kafka_error_code(error.get());
    const bool taken_over = code == RD_KAFKA_RESP_ERR__FENCED ||
                            code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
                            code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH;
    if (taken_over && Clock::now() - began < kTransactionTimeout) throw fenced(words_.c_str());
    if (!rd_kafka_error_is_retriable(error.get())) return false;
  }
}

}  // namespace

std::unique_ptr<Delivery> make_transactional_delivery(Settings settings, TransactionOptions options,
                                                      const std::atomic<bool>& cancelled) {
  return std::make_unique<Transactional>(std::move(settings), std::move(options), cancelled);
}

}  // namespace kafka
