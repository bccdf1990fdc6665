// zscore: flags values that lie far from what their key has shown so far.
#include <cmath>
#include <flowrun/plugin.hpp>
#include <optional>
#include <string>
#include <unordered_map>

using namespace flowrun::plugin;

namespace {

// Welford's running mean and variance.
struct Running {
  int64_t count = 0;
  double mean = 0;
  double squares = 0;  // sum of squared distances from the mean

  void add(double x) {
    ++count;
    const double distance = x - mean;
    mean += distance / static_cast<double>(count);
    squares += distance * (x - mean);
  }
  double deviation() const {
    return count < 2 ? 0 : std::sqrt(squares / static_cast<double>(count - 1));
  }
};

class ZScore final : public Stateful {
 public:
  static Spec spec() {
    return Spec("zscore", "Flags values that lie far from what their key has shown so far.")
        .doc(
            "Adds `zscore` (how many standard deviations the value lies from the mean of the "
            "key's\n"
            "values before it; null for the first two) and `outlier`.")
        .primary(column("zscore", "The column that is judged; a double.").required())
        .option(
            column("key", "Values of one key are compared with each other; a string.").required())
        .option(number("threshold", "From how many standard deviations on a value is an outlier.")
                    .with_default("3"))
        .example("Unusual heart rates",
                 "flagged: { from: rates, zscore: bpm, key: user, threshold: 3 }",
                 "user STRING, bpm DOUBLE");
  }

  explicit ZScore(const Options& options)
      : value_name_(options.text("zscore")),
        key_name_(options.text("key")),
        threshold_(options.number("threshold")) {
    if (threshold_ <= 0) throw Error::option("threshold", "`threshold` must be above 0");
  }

  Schema bind(const Schema& input) override {
    value_ = input.find(value_name_, types::double_(), "zscore");
    key_ = input.find(key_name_, types::string(), "key");
    return input.with({"zscore", types::double_()}).with({"outlier", types::boolean()});
  }

  std::vector<size_t> keys() const override { return {key_}; }

  void process(Batch batch, const Epoch&, Emitter& out) override {
    const auto values = batch.values<double>(value_);
    const auto keys = batch.values<std::string_view>(key_);
    Builder<double> scores(batch.num_rows());
    Builder<bool> outliers(batch.num_rows());
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      // A missing or undefined value says nothing, and nothing is said of it.
      if (values.is_null(row) || !std::isfinite(values[row])) {
        scores.append_null();
        outliers.append(false);
        continue;
      }
      Running& running = state_[key_of(keys, row)];
      const double deviation = running.deviation();
      if (deviation > 0) {
        const double score = (values[row] - running.mean) / deviation;
        scores.append(score);
        outliers.append(std::abs(score) >= threshold_);
      } else {
        scores.append_null();
        outliers.append(false);
      }
      running.add(values[row]);
    }
    batch.add(scores.finish());
    batch.add(outliers.finish());
    out.emit(std::move(batch));
  }

  void save(Writer& writer) const override {
    Builder<std::string_view> keys;
    Builder<int64_t> counts;
    Builder<double> means;
    Builder<double> squares;
    for (const auto& [key, running] : state_) {
      key ? keys.append(*key) : keys.append_null();
      counts.append(running.count);
      means.append(running.mean);
      squares.append(running.squares);
    }
    writer.write("keys",
                 {{"key", types::string()},
                  {"count", types::bigint()},
                  {"mean", types::double_()},
                  {"squares", types::double_()}},
                 Batch({keys.finish(), counts.finish(), means.finish(), squares.finish()}));
  }

  void load(Reader& reader) override {
    reader.read("keys", [this](const Batch& rows) {
      const auto keys = rows.values<std::string_view>(0);
      const auto counts = rows.values<int64_t>(1);
      const auto means = rows.values<double>(2);
      const auto squares = rows.values<double>(3);
      for (int64_t i = 0; i < rows.num_rows(); ++i)
        state_[key_of(keys, i)] = {counts[i], means[i], squares[i]};
    });
  }

  int64_t state_rows() const override { return static_cast<int64_t>(state_.size()); }
  int64_t state_bytes() const override {
    return static_cast<int64_t>(state_.size() * (sizeof(Running) + 64));
  }

 private:
  using Key = std::optional<std::string>;  // null is a key of its own
  static Key key_of(const Values<std::string_view>& keys, int64_t row) {
    return keys.is_null(row) ? Key() : Key(keys[row]);
  }

  std::string value_name_;
  std::string key_name_;
  double threshold_;
  size_t value_ = 0;
  size_t key_ = 0;
  std::unordered_map<Key, Running> state_;
};

}  // namespace

FLOWRUN_PLUGIN("zscore", "1.0.0",
               stateful<ZScore>("one row per key, no bound but the number of keys"))
