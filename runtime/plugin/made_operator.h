#pragma once
// MadeOperator: an object that a plugin's `make` gave, destroyed with its owner.

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "runtime/operator/registry.h"
#include "runtime/plugin/transfer.h"

namespace flowrun {

// Options as the ABI has them; they point into the Options, which must outlive it.
class ExportedOptions {
 public:
  explicit ExportedOptions(const Options& options);
  ExportedOptions(const ExportedOptions&) = delete;
  ExportedOptions& operator=(const ExportedOptions&) = delete;
  [[nodiscard]] const flowrun_options* get() const { return &raw_; }

 private:
  const flowrun_value* convert(const OptionValue& value);

  // Deques: what is in them never moves.
  std::deque<flowrun_value> values_;
  std::deque<std::vector<const flowrun_value*>> lists_;
  std::deque<std::vector<flowrun_text>> keys_;
  std::deque<OwnedSchema> schemas_;
  std::vector<flowrun_text> names_;
  std::vector<const flowrun_value*> top_;
  flowrun_options raw_{};
};

// `Table` is one of the ABI's tables that begin with make and destroy.
template <class Table>
class MadeOperator {
 public:
  MadeOperator(ComponentPtr component, Options options)
      : component_(std::move(component)),
        options_(std::move(options)),
        table_(component_->template table<Table>()) {}
  MadeOperator(const MadeOperator&) = delete;
  MadeOperator& operator=(const MadeOperator&) = delete;
  ~MadeOperator() {
    // Nobody is left to be told what a destructor throws.
    if (self_) static_cast<void>(call().plain(table_.destroy, self_));
  }

  Status make(const MakeContext& context) {
    const ExportedOptions options(options_);
    const flowrun_make make{sizeof(flowrun_make), options.get(), text_of(context.node),
                            component_->raw.context};
    FLOWRUN_RETURN_IF_ERROR(call()(table_.make, &make, &self_));
    if (self_) return ok_status();
    return component_->blame(
        Error::data("`make` of `" + component_->name + "` gave back a null pointer"));
  }

  // Binds a transform or stateful operator: its main port and those of its spec.
  Result<PortSchemas> bind(const Schema& input) {
    const OwnedSchema in = OwnedSchema::of(input, component_->text());
    std::vector<ArrowSchema> raw(1 + component_->spec.ports.size(), ArrowSchema{});
    FLOWRUN_RETURN_IF_ERROR(call()(table_.bind, self_, in.get(), raw.data()));
    std::vector<OwnedSchema> owned;
    for (const ArrowSchema& schema : raw) owned.emplace_back(schema);
    PortSchemas named;
    for (size_t i = 0; i < owned.size(); ++i) {
      FLOWRUN_TRY(BoundPort port, take_schema(*component_, std::move(owned[i])));
      named.push_back({i == 0 ? "" : component_->spec.ports[i - 1], port.schema});
      ports_.push_back(std::move(port));
    }
    return named;
  }

  [[nodiscard]] PluginCall call() const { return PluginCall(*component_, &options_); }
  [[nodiscard]] const Component& component() const { return *component_; }
  [[nodiscard]] const Table& table() const { return table_; }
  [[nodiscard]] void* self() const { return self_; }
  [[nodiscard]] std::span<const BoundPort> ports() const { return ports_; }
  // "clip x": the operator and its primary value.
  [[nodiscard]] std::string describe() const {
    const OptionValue* primary = options_.find(component_->name);
    const bool shown = primary && !primary->text.empty() && !component_->spec.primary.secret;
    return shown ? component_->name + " " + primary->text : component_->name;
  }

 private:
  ComponentPtr component_;
  Options options_;
  Table table_;
  void* self_ = nullptr;
  std::vector<BoundPort> ports_;
};

// What outlives a call (scratches, locals) shares the object it was made by.
template <class Table>
using MadePtr = std::shared_ptr<MadeOperator<Table>>;

// Made, or why not.
template <class Table>
Result<MadePtr<Table>> make_object(const ComponentPtr& component, const Options& options,
                                   const MakeContext& context) {
  auto made = std::make_shared<MadeOperator<Table>>(component, options);
  FLOWRUN_RETURN_IF_ERROR(made->make(context));
  return made;
}

Result<MadeSource> make_plugin_source(const ComponentPtr& component, const Options& options,
                                      const MakeContext& context);
Result<std::unique_ptr<Transform>> make_plugin_transform(const ComponentPtr& component,
                                                         const Options& options,
                                                         const MakeContext& context);
Result<std::unique_ptr<Stateful>> make_plugin_stateful(const ComponentPtr& component,
                                                       const Options& options,
                                                       const MakeContext& context);
Result<std::unique_ptr<Sink>> make_plugin_sink(const ComponentPtr& component,
                                               const Options& options, const MakeContext& context);

}  // namespace flowrun
