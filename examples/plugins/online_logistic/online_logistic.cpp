// online_logistic: a logistic regression that learns from each row, after it has predicted it.
#include <cmath>
#include <flowrun/plugin.hpp>
#include <string>

using namespace flowrun::plugin;

namespace {

class OnlineLogistic final : public Stateful {
 public:
  static Spec spec() {
    return Spec("online_logistic", "Predicts a boolean from numbers, and learns from what it was.")
        .doc(
            "Stochastic gradient descent, one step for each row, in the order of arrival; "
            "features\n"
            "are brought to mean 0 and deviation 1 by what was seen of them. Adds `prediction` (a\n"
            "probability, made before the row is learned from) and `accuracy` (the share of rows "
            "so\n"
            "far whose side of one half was right). Rows with a null among their features are\n"
            "predicted by nothing and not learned from; rows without a label are only predicted.")
        .primary(column("online_logistic", "The label; a boolean.").required())
        .option(list_of(column("features", "Columns it predicts from; doubles.")).required())
        .option(number("rate", "How far one row moves the weights.").with_default("0.1"))
        .example("Climbing stairs or not, from the accelerometer",
                 "learned: { from: readings, online_logistic: climbs, features: [x, y] }",
                 "climbs BOOLEAN, x DOUBLE, y DOUBLE");
  }

  explicit OnlineLogistic(const Options& options)
      : label_name_(options.text("online_logistic")),
        feature_names_(options.texts("features")),
        rate_(options.number("rate")) {
    if (feature_names_.empty()) throw Error::option("features", "`features` names no column");
    if (!(rate_ > 0)) throw Error::option("rate", "`rate` must be above 0");
    weights_.resize(feature_names_.size() + 1);  // the last one is the bias
    means_.resize(feature_names_.size());
    squares_.resize(feature_names_.size());
  }

  Schema bind(const Schema& input) override {
    label_ = input.find(label_name_, types::boolean(), "online_logistic");
    for (const std::string& name : feature_names_)
      features_.push_back(input.find(name, types::double_(), "features"));
    return input.with({"prediction", types::double_()}).with({"accuracy", types::double_()});
  }

  void process(Batch batch, const Epoch&, Emitter& out) override {
    const auto labels = batch.values<bool>(label_);
    std::vector<Values<double>> columns;
    for (const size_t feature : features_) columns.push_back(batch.values<double>(feature));
    Builder<double> predictions(batch.num_rows());
    Builder<double> accuracies(batch.num_rows());
    std::vector<double> x(columns.size());
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      bool whole = true;
      for (size_t i = 0; i < columns.size(); ++i) {
        whole = whole && !columns[i].is_null(row) && std::isfinite(columns[i][row]) &&
                std::abs(columns[i][row]) < 1e150;
        if (whole) x[i] = columns[i][row];
      }
      if (!whole) {
        predictions.append_null();
      } else {
        scale(x, !labels.is_null(row));
        const double prediction = predict(x);
        predictions.append(prediction);
        if (!labels.is_null(row)) learn(x, labels[row], prediction);
      }
      if (judged_ > 0) {
        accuracies.append(static_cast<double>(right_) / static_cast<double>(judged_));
      } else {
        accuracies.append_null();
      }
    }
    batch.add(predictions.finish());
    batch.add(accuracies.finish());
    out.emit(std::move(batch));
  }

  void save(Writer& writer) const override {
    Builder<double> weights, means, squares;
    for (const double weight : weights_) weights.append(weight);
    for (size_t i = 0; i <= means_.size(); ++i) {
      means.append(i < means_.size() ? means_[i] : 0);
      squares.append(i < squares_.size() ? squares_[i] : 0);
    }
    writer.write(
        "model",
        {{"weight", types::double_()}, {"mean", types::double_()}, {"squares", types::double_()}},
        Batch({weights.finish(), means.finish(), squares.finish()}));
    writer.write_number("seen", seen_);
    writer.write_number("judged", judged_);
    writer.write_number("right", right_);
  }

  void load(Reader& reader) override {
    reader.read("model", [this](const Batch& rows) {
      for (size_t i = 0; i < weights_.size(); ++i) {
        const auto row = static_cast<int64_t>(i);
        weights_[i] = rows.values<double>(0)[row];
        if (i == means_.size()) continue;
        means_[i] = rows.values<double>(1)[row];
        squares_[i] = rows.values<double>(2)[row];
      }
    });
    seen_ = reader.read_number("seen").value_or(0);
    judged_ = reader.read_number("judged").value_or(0);
    right_ = reader.read_number("right").value_or(0);
  }

  int64_t state_rows() const override { return 1; }
  int64_t state_bytes() const override { return static_cast<int64_t>(weights_.size() * 24); }

 private:
  // Brings the features to mean 0 and deviation 1, having learned from them if they have a label.
  void scale(std::vector<double>& x, bool learn) {
    if (learn) ++seen_;
    for (size_t i = 0; i < x.size(); ++i) {
      if (learn) {
        const double distance = x[i] - means_[i];
        means_[i] += distance / static_cast<double>(seen_);
        squares_[i] += distance * (x[i] - means_[i]);
      }
      const double deviation =
          seen_ > 1 ? std::sqrt(squares_[i] / static_cast<double>(seen_ - 1)) : 0;
      x[i] = deviation > 0 ? (x[i] - means_[i]) / deviation : 0;
    }
  }
  double predict(const std::vector<double>& x) const {
    double sum = weights_.back();
    for (size_t i = 0; i < x.size(); ++i) sum += weights_[i] * x[i];
    return 1 / (1 + std::exp(-sum));
  }
  void learn(const std::vector<double>& x, bool label, double prediction) {
    ++judged_;
    if ((prediction >= 0.5) == label) ++right_;
    const double step = rate_ * ((label ? 1.0 : 0.0) - prediction);
    for (size_t i = 0; i < x.size(); ++i) weights_[i] += step * x[i];
    weights_.back() += step;
  }

  std::string label_name_;
  std::vector<std::string> feature_names_;
  double rate_;
  size_t label_ = 0;
  std::vector<size_t> features_;
  std::vector<double> weights_, means_, squares_;
  int64_t seen_ = 0, judged_ = 0, right_ = 0;
};

}  // namespace

FLOWRUN_PLUGIN("online_logistic", "1.0.0",
               stateful<OnlineLogistic>("a weight for each feature", true))
