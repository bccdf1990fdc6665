#include <fmt/format.h>

#include "runtime/plugin/made_operator.h"

namespace flowrun {

namespace {

using Made = MadePtr<flowrun_sink>;

uint32_t bit_of(OutputMode mode) {
  switch (mode) {
    case OutputMode::append:
      return FLOWRUN_APPEND;
    case OutputMode::update:
      return FLOWRUN_UPDATE;
    case OutputMode::complete:
      return FLOWRUN_COMPLETE;
  }
  return 0;
}

class PluginSink final : public Sink {
 public:
  explicit PluginSink(Made made) : made_(std::move(made)), table_(made_->table()) {}

  Status bind(const SinkInput& input) override;
  [[nodiscard]] bool accepts(OutputMode mode, bool) const override {
    return (table_.modes & bit_of(mode)) != 0;
  }
  Status open(std::optional<Token> last_committed) override {
    const flowrun_text text = last_committed ? text_of(last_committed->text) : flowrun_text{};
    const flowrun_text* last = last_committed ? &text : nullptr;
    return made_->call()(table_.open, made_->self(), last);
  }
  // To open may discard what was not committed, or drive out a run that is going on.
  Status probe() override {
    if (table_.probe) return made_->call()(table_.probe, made_->self());
    return Error{ErrorCode::cancelled,
                 "this sink of a plugin can only be opened, which may change something there",
                 {},
                 {}};
  }
  Status write(EpochId epoch, const RecordBatch& batch) override {
    OwnedArray array;
    FLOWRUN_RETURN_IF_ERROR(export_batch(batch, array.get(), made_->component().text()));
    return made_->call()(table_.write, made_->self(), epoch, array.get());
  }
  Result<Token> prepare(EpochId epoch) override {
    flowrun_text token{};
    if (table_.prepare)
      FLOWRUN_RETURN_IF_ERROR(made_->call()(table_.prepare, made_->self(), epoch, &token));
    return Token{string_of(token)};
  }
  Status commit(EpochId epoch, const Token& token) override {
    return made_->call()(table_.commit, made_->self(), epoch, text_of(token.text));
  }
  Status abort(EpochId epoch) override {
    return table_.abort ? made_->call()(table_.abort, made_->self(), epoch) : ok_status();
  }
  void close() override { static_cast<void>(made_->call().plain(table_.close, made_->self())); }
  void cancel() override { static_cast<void>(made_->call().plain(table_.cancel, made_->self())); }
  [[nodiscard]] bool blocking() const override { return (table_.flags & FLOWRUN_SINK_BLOCKS) != 0; }
  [[nodiscard]] std::string describe() const override {
    return made_->component().name + " of plugin `" + made_->component().plugin + "`";
  }

 private:
  Made made_;
  const flowrun_sink& table_;
};

Status PluginSink::bind(const SinkInput& input) {
  const OwnedSchema schema = OwnedSchema::of(*input.schema, made_->component().text());
  std::vector<const char*> keys;
  for (const std::string& key : input.keys) keys.push_back(key.c_str());
  const flowrun_sink_input raw{sizeof(flowrun_sink_input), bit_of(input.mode),
                               input.aggregation ? 1 : 0, keys.data(), keys.size()};
  return made_->call()(table_.bind, made_->self(), schema.get(), &raw);
}

}  // namespace

Result<std::unique_ptr<Sink>> make_plugin_sink(const ComponentPtr& component,
                                               const Options& options, const MakeContext& context) {
  FLOWRUN_TRY(Made made, make_object<flowrun_sink>(component, options, context));
  return std::make_unique<PluginSink>(std::move(made));
}

}  // namespace flowrun
