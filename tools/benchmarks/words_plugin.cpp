// The transform of `tools/bench plugin` as a plugin; plugin.cpp has the same one built in.
#include <flowrun/plugin.hpp>

#include "tools/benchmarks/words.h"

using namespace flowrun::plugin;

namespace {

class Words final : public Transform {
 public:
  static Spec spec() {
    return Spec("words", "Counts the words of column text.")
        .example("Words", "counted: { from: rows, words: \"\" }", "text STRING");
  }
  explicit Words(const Options&) {}
  Schema bind(const Schema& input) override {
    column_ = input.find("text", types::string());
    return input.with({"words", types::bigint()});
  }
  void apply(Batch batch, const Epoch&, Emitter& out) const override {
    const auto texts = batch.values<std::string_view>(column_);
    Builder<int64_t> words(batch.num_rows());
    for (int64_t i = 0; i < batch.num_rows(); ++i) {
      texts.is_null(i) ? words.append_null() : words.append(count_words(texts[i]));
    }
    batch.add(words.finish());
    out.emit(std::move(batch));
  }

 private:
  size_t column_ = 0;
};

}  // namespace

FLOWRUN_PLUGIN("words", "1.0.0", transform<Words>())
