#include "runtime/plugin/made_operator.h"

namespace flowrun {

namespace {

using Made = MadePtr<flowrun_transform>;

class PluginScratch final : public Scratch {
 public:
  PluginScratch(Made made, void* raw) : made_(std::move(made)), raw_(raw) {}
  ~PluginScratch() override {
    if (raw_) static_cast<void>(made_->call().plain(made_->table().destroy_scratch, raw_));
  }
  [[nodiscard]] void* raw() const { return raw_; }

 private:
  Made made_;
  void* raw_;
};

class PluginTransform final : public Transform {
 public:
  explicit PluginTransform(Made made) : made_(std::move(made)) {}

  Result<PortSchemas> bind(std::span<const InputSchema> inputs) override {
    return made_->bind(*inputs[0].schema);
  }
  [[nodiscard]] ColumnSet read_columns(const ColumnSet& wanted, size_t num_inputs) const override;
  Status open() override {
    return made_->table().open ? made_->call()(made_->table().open, made_->self()) : ok_status();
  }
  [[nodiscard]] std::unique_ptr<Scratch> make_scratch() const override;
  Status apply(const RecordBatch& batch, const Epoch& epoch, Scratch* scratch,
               Emitter& out) const override;
  [[nodiscard]] std::string describe() const override { return made_->describe(); }

 private:
  Made made_;
};

ColumnSet PluginTransform::read_columns(const ColumnSet& wanted, size_t num_inputs) const {
  ColumnSet all(num_inputs, true);
  if (!made_->table().narrow) return all;
  const std::vector<int32_t> asked(wanted.begin(), wanted.end());
  std::vector<int32_t> read(num_inputs, 1);
  const Status narrowed =
      made_->call().plain(made_->table().narrow, made_->self(), asked.data(),
                          uint64_t{asked.size()}, read.data(), uint64_t{read.size()});
  // A plugin that failed at it is given everything.
  if (!narrowed) return all;
  for (size_t i = 0; i < num_inputs; ++i) all[i] = read[i] != 0;
  return all;
}

std::unique_ptr<Scratch> PluginTransform::make_scratch() const {
  if (!made_->table().make_scratch || !made_->table().destroy_scratch) return nullptr;
  void* raw = nullptr;
  const Status made = made_->call().plain(
      [&](const void* self) { raw = made_->table().make_scratch(self); }, made_->self());
  // A plugin that could not make one is given none, and says so itself.
  return made ? std::make_unique<PluginScratch>(made_, raw) : nullptr;
}

Status PluginTransform::apply(const RecordBatch& batch, const Epoch& epoch, Scratch* scratch,
                              Emitter& out) const {
  OwnedArray array;
  FLOWRUN_RETURN_IF_ERROR(export_batch(batch, array.get(), made_->component().text()));
  EmitterBridge bridge(made_->component(), made_->ports(), out);
  const flowrun_epoch at = epoch_of(epoch);
  void* raw = scratch ? static_cast<PluginScratch*>(scratch)->raw() : nullptr;
  return bridge.outcome(
      made_->call()(made_->table().apply, made_->self(), raw, &at, array.get(), bridge.get()));
}

}  // namespace

Result<std::unique_ptr<Transform>> make_plugin_transform(const ComponentPtr& component,
                                                         const Options& options,
                                                         const MakeContext& context) {
  FLOWRUN_TRY(Made made, make_object<flowrun_transform>(component, options, context));
  return std::make_unique<PluginTransform>(std::move(made));
}

}  // namespace flowrun
