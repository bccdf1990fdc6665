#include "plugins/kafka/connection.h"

#include <array>

namespace kafka {

namespace {

constexpr size_t kErrorSize = 512;
constexpr int kSlice = 200;  // milliseconds between two looks at `cancelled`

void set(rd_kafka_conf_t* conf, const std::string& name, const std::string& value) {
  std::array<char, kErrorSize> words{};
  if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), words.data(), words.size()) ==
      RD_KAFKA_CONF_OK)
    return;
  std::string said = words.data();
  const std::string shown = '"' + value + '"';
  if (const size_t at = said.find(shown); at != std::string::npos)
    said.replace(at, shown.size(), "(not shown)");
  throw sdk::Error::option("properties", std::move(said));
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ",") + word;
  return text;
}

bool is_fatal(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR__FATAL:
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      return true;
    default:
      return false;
  }
}

// Behind its words librdkafka says how long it was in which state of its own.
std::string without_state(std::string words) {
  const size_t state = words.rfind(" (after ");
  if (state != std::string::npos && words.back() == ')') words.erase(state);
  return words;
}

// Before that librdkafka says its nonce twice, which brokers from Kafka 4 on do not let pass:
// github.com/confluentinc/librdkafka/pull/4895.
constexpr int kScramIsRight = 0x020601ff;

// What would be right, where that can be known.
std::string remedy(rd_kafka_resp_err_t code, const std::string& words) {
  if (words.find("mechanism SCRAM") != std::string::npos && rd_kafka_version() < kScramIsRight &&
      code == RD_KAFKA_RESP_ERR__AUTHENTICATION) {
    return std::string(
               " — look at `sasl.username` and `sasl.password` in `properties:`; and "
               "brokers from Kafka 4 on take SCRAM from librdkafka 2.6.1 and newer only, "
               "this is ") +
           rd_kafka_version_str();
  }
  switch (code) {
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM:
      return " — look at `sasl.mechanism`, `sasl.username` and `sasl.password` in `properties:`";
    default:
      return {};
  }
}

}  // namespace

sdk::Spec with_connection_options(sdk::Spec spec) {
  return std::move(spec)
      .option(sdk::list_of(sdk::text("brokers", "HOST:PORT of one or more brokers to begin with."))
                  .required())
      .option(sdk::map_of(sdk::text("properties",
                                    "Settings for the client as librdkafka names them: "
                                    "`security.protocol`, `sasl.mechanism`, `sasl.username`, "
                                    "`sasl.password`, `ssl.ca.location` and so on. Never shown."))
                  .secret())
      .option(sdk::duration("timeout", "For how long a broker is waited for before it is absent.")
                  .with_default("5 seconds"));
}

Settings::Settings(const sdk::Options& options, const Values& own, const Values& defaults)
    : brokers_(joined(options.texts("brokers"))),
      timeout_(std::max<int64_t>(options.integer("timeout") / 1000, 1)),
      values_(defaults) {
  if (const flowrun_value* given = options.find("properties")) {
    for (uint64_t i = 0; i < given->num_items; ++i) {
      const std::string name = sdk::detail::string_of(given->keys[i]);
      if (own.count(name) > 0 || name == "bootstrap.servers" || name == "metadata.broker.list")
        throw sdk::Error::option("properties", "`" + name + "` is flowrun's to set — leave it out");
      values_[name] = sdk::detail::string_of(given->items[i]->text);
    }
  }
  for (const auto& [name, value] : own) values_[name] = value;
  values_["bootstrap.servers"] = brokers_;
  values_.emplace("client.id", "flowrun");
  static_cast<void>(conf());  // what is wrong is said before anything is opened
}

ConfPtr Settings::conf(const Values& changes) const {
  ConfPtr conf(rd_kafka_conf_new());
  for (const auto& [name, value] : values_) set(conf.get(), name, value);
  for (const auto& [name, value] : changes) set(conf.get(), name, value);
  return conf;
}

void Complaints::attach(rd_kafka_conf_t* conf) {
  rd_kafka_conf_set_opaque(conf, this);
  rd_kafka_conf_set_error_cb(conf, on_error);
  // What librdkafka would write to stderr is in the complaints too.
  rd_kafka_conf_set_log_cb(conf, [](const rd_kafka_t*, int, const char*, const char*) {});
}

void Complaints::on_error(rd_kafka_t* client, int code, const char* words, void* self) {
  static_cast<Complaints*>(self)->take(client, static_cast<rd_kafka_resp_err_t>(code), words);
}

void Complaints::take(rd_kafka_t* client, rd_kafka_resp_err_t code, const std::string& words) {
  std::array<char, kErrorSize> fatal{};
  if (code == RD_KAFKA_RESP_ERR__FATAL) rd_kafka_fatal_error(client, fatal.data(), fatal.size());
  const std::lock_guard lock(mutex_);
  if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
    all_down_ = true;  // the words of a single broker before this one say more
    if (words_.empty()) words_ = words;
    return;
  }
  words_ = without_state(fatal[0] != '\0' ? fatal.data() : words);
  if (is_fatal(code)) fatal_ = words_ + remedy(code, words_);
}

std::string Complaints::words() const {
  const std::lock_guard lock(mutex_);
  return words_;
}

void Complaints::clear() {
  const std::lock_guard lock(mutex_);
  words_.clear();
  all_down_ = false;
}

void Complaints::check_fatal() const {
  const std::lock_guard lock(mutex_);
  if (!fatal_.empty()) throw sdk::Error::io(fatal_);
}

HandlePtr make_client(rd_kafka_type_t type, ConfPtr conf) {
  std::array<char, kErrorSize> words{};
  HandlePtr client(rd_kafka_new(type, conf.get(), words.data(), words.size()));
  if (!client) throw sdk::Error::io(words.data());
  static_cast<void>(conf.release());  // the client's now
  return client;
}

MetadataPtr read_metadata(rd_kafka_t* client, Asked asked, rd_kafka_topic_t* only,
                          const Settings& settings, const Complaints& complaints,
                          const std::atomic<bool>& cancelled) {
  const int all = asked == Asked::every ? 1 : 0;
  const auto end = std::chrono::steady_clock::now() + settings.timeout();
  while (!cancelled) {
    const struct rd_kafka_metadata* raw = nullptr;
    const rd_kafka_resp_err_t code = rd_kafka_metadata(client, all, only, &raw, kSlice);
    rd_kafka_poll(client, 0);
    complaints.check_fatal();
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return MetadataPtr(raw);
    if (std::chrono::steady_clock::now() >= end) throw no_broker(settings, complaints);
  }
  throw sdk::Error::cancelled();
}

std::string words_against(const struct rd_kafka_metadata_topic& topic) {
  if (topic.err == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  return "topic `" + std::string(topic.topic) + "`: " + rd_kafka_err2str(topic.err);
}

sdk::Error no_broker(const Settings& settings, const Complaints& complaints) {
  const std::string words = complaints.words();
  return sdk::Error::unavailable("no broker answers at " + settings.brokers() +
                                 (words.empty() ? "" : ": " + words));
}

}  // namespace kafka
