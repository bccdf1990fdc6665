#include "runtime/plugin/functions.h"

#include <fmt/format.h>

#include <numeric>

#include "runtime/expr/coercion.h"
#include "runtime/plugin/transfer.h"

namespace flowrun {

namespace {

Result<std::vector<Type>> types_of(const char* const* names, uint64_t count) {
  std::vector<Type> types;
  if (count > 0 && !names) return Error::invalid("the types of its arguments are missing");
  for (uint64_t i = 0; i < count; ++i) {
    FLOWRUN_TRY(Type type, parse_type(string_of(names[i])));
    types.push_back(std::move(type));
  }
  return types;
}

SchemaPtr argument_schema(std::span<const Type> types) {
  std::vector<Field> fields;
  for (const Type& type : types)
    fields.push_back({fmt::format("argument {}", fields.size()), type});
  return Schema::make(std::move(fields));
}

// What the calls of one signature need; shared by all workers.
struct ScalarCall {
  ComponentPtr component;
  decltype(flowrun_signature::call) function;
  SchemaPtr arguments;
  OwnedSchema result;

  [[nodiscard]] Result<ColumnPtr> run(std::span<const Datum> given, int64_t rows) const {
    std::vector<ColumnPtr> columns;
    for (const Datum& datum : given) columns.push_back(datum.expand(rows));
    OwnedArray in;
    FLOWRUN_RETURN_IF_ERROR(export_batch(RecordBatch(arguments, rows, std::move(columns)), in.get(),
                                         component->text()));
    ArrowArray out{};
    PluginCall call(*component);
    Status done =
        call(function, component->raw.context, static_cast<const ArrowArray*>(in.get()), &out);
    if (!done) return std::move(done.error());
    return take_column(*component, result, rows, &out);
  }
};

Result<ScalarFunction> signature_function(const ComponentPtr& component,
                                          const flowrun_signature& raw, bool folds) {
  FLOWRUN_TRY(std::vector<Type> types, types_of(raw.arguments, raw.num_arguments));
  FLOWRUN_TRY(Type result, parse_type(string_of(raw.result)));
  if (!raw.call)
    return Error::invalid(fmt::format("a signature of `{}` has no code", component->name));
  auto call = std::make_shared<ScalarCall>(
      ScalarCall{component, raw.call, argument_schema(types),
                 OwnedSchema::of(Field{component->name, result}, component->text())});
  BindFunction bind = [types, result, call, folds](const Arguments&) -> Result<BoundFunction> {
    Kernel kernel = [call, folds](const CallContext& context,
                                  std::span<const Datum> arguments) -> Result<Datum> {
      const int64_t rows = folds ? rows_to_compute(arguments, context.num_rows) : context.num_rows;
      FLOWRUN_TRY(ColumnPtr column, call->run(arguments, rows));
      return Datum{std::move(column), rows == 1 && context.num_rows != 1};
    };
    return BoundFunction{types, result, std::move(kernel), true};
  };
  ScalarFunction function("", "", types.size(), types.size(), std::move(bind));
  function.parameters = types;
  return function;
}

class PluginAggregate final : public AggregateFunction {
 public:
  PluginAggregate(ComponentPtr component, Signature signature, SchemaPtr state)
      : component_(std::move(component)),
        doc_(component_->spec.summary),
        signature_(std::move(signature)),
        state_(std::move(state)) {}

  [[nodiscard]] const std::string& name() const override { return component_->name; }
  [[nodiscard]] const std::string& doc() const override { return doc_; }
  [[nodiscard]] Result<Signature> resolve(std::span<const Type> arguments,
                                          std::span<const ColumnPtr>) const override;
  [[nodiscard]] std::unique_ptr<GroupStates> make_states(const Signature&,
                                                         std::span<const ColumnPtr>) const override;

 private:
  ComponentPtr component_;
  std::string doc_;
  Signature signature_;
  SchemaPtr state_;
};

class PluginStates final : public GroupStates {
 public:
  PluginStates(ComponentPtr component, const AggregateFunction::Signature& signature,
               SchemaPtr state)
      : component_(std::move(component)),
        table_(component_->table<flowrun_aggregate>()),
        arguments_(argument_schema(signature.arguments)),
        result_(OwnedSchema::of(Field{component_->name, signature.result}, component_->text())),
        state_(std::move(state)),
        state_arrow_(OwnedSchema::of(*state_, component_->text())),
        failure_(call()(table_.make_states, component_->raw.context, &states_)) {
    if (failure_ && !states_)
      failure_ = component_->blame(Error::data("`make_states` gave back a null pointer"));
  }
  ~PluginStates() override {
    if (states_) static_cast<void>(call().plain(table_.destroy_states, states_));
  }

  void resize(size_t groups) override {
    keep_failure([&] { return call()(table_.resize, states_, uint64_t{groups}); });
  }
  Status update(std::span<const uint32_t> groups, std::span<const ColumnPtr> arguments,
                std::span<const int32_t> selected, int64_t sequence) override;
  Status merge(std::span<const uint32_t> groups, const GroupStates& from,
               std::span<const uint32_t> from_groups) override {
    const auto& other = static_cast<const PluginStates&>(from);
    if (!failure_) return failure_;
    if (!other.failure_) return other.failure_;
    return call()(table_.merge, states_, groups.data(), static_cast<const void*>(other.states_),
                  from_groups.data(), uint64_t{groups.size()});
  }
  [[nodiscard]] Result<ColumnPtr> result(std::span<const uint32_t> groups) const override {
    if (!failure_) return failure_.error();
    ArrowArray out{};
    Status done = call()(table_.result_of, states_, groups.data(), uint64_t{groups.size()}, &out);
    if (!done) return std::move(done.error());
    return take_column(*component_, result_, std::ssize(groups), &out);
  }
  void keep(std::span<const uint32_t> groups) override {
    keep_failure(
        [&] { return call()(table_.keep, states_, groups.data(), uint64_t{groups.size()}); });
  }
  void clear() override { keep({}); }
  [[nodiscard]] int64_t memory_bytes() const override {
    int64_t bytes = 0;
    if (!table_.memory_bytes || !states_) return bytes;
    const auto ask = [&](const void* states) { bytes = table_.memory_bytes(states); };
    return call().plain(ask, states_) ? std::max<int64_t>(bytes, 0) : 0;
  }
  [[nodiscard]] Result<std::vector<ColumnPtr>> save(
      std::span<const uint32_t> groups) const override;
  Status load(std::span<const ColumnPtr> columns) override;

 private:
  [[nodiscard]] PluginCall call() const { return PluginCall(*component_); }
  // For what cannot fail here: the next call that can does.
  template <class Call>
  void keep_failure(Call code) {
    if (failure_) failure_ = code();
  }

  ComponentPtr component_;
  flowrun_aggregate table_;
  SchemaPtr arguments_;
  OwnedSchema result_;
  SchemaPtr state_;
  OwnedSchema state_arrow_;
  void* states_ = nullptr;
  Status failure_;
};

Status PluginStates::update(std::span<const uint32_t> groups, std::span<const ColumnPtr> arguments,
                            std::span<const int32_t> selected, int64_t) {
  if (!failure_) return failure_;
  std::vector<int32_t> rows(selected.begin(), selected.end());
  std::vector<uint32_t> own_groups;
  if (selected.empty()) {
    rows.resize(groups.size());
    std::iota(rows.begin(), rows.end(), 0);
  } else {
    for (const int32_t row : rows) own_groups.push_back(groups[static_cast<size_t>(row)]);
    groups = own_groups;
  }
  OwnedArray in;
  const RecordBatch batch(arguments_, arguments.empty() ? std::ssize(rows) : arguments[0]->size(),
                          {arguments.begin(), arguments.end()});
  FLOWRUN_RETURN_IF_ERROR(export_batch(batch, in.get(), component_->text()));
  return call()(table_.update, states_, groups.data(), static_cast<const int32_t*>(rows.data()),
                uint64_t{rows.size()}, static_cast<const ArrowArray*>(in.get()));
}

Result<std::vector<ColumnPtr>> PluginStates::save(std::span<const uint32_t> groups) const {
  if (!failure_) return failure_.error();
  ArrowArray out{};
  Status done = call()(table_.save, states_, groups.data(), uint64_t{groups.size()}, &out);
  OwnedArray owned(&out);
  if (!done) return std::move(done.error());
  FLOWRUN_TRY(const RecordBatch batch,
              take_any_batch(*component_, *state_arrow_.get(), owned.get()));
  if (batch.num_rows() != std::ssize(groups)) {
    return component_->blame(Error::data(
        fmt::format("`save` gave {} rows for {} groups", batch.num_rows(), groups.size())));
  }
  return std::vector<ColumnPtr>(batch.columns());
}

Status PluginStates::load(std::span<const ColumnPtr> columns) {
  if (!failure_) return failure_;
  OwnedArray in;
  const RecordBatch batch(state_, columns.empty() ? 0 : columns[0]->size(),
                          {columns.begin(), columns.end()});
  FLOWRUN_RETURN_IF_ERROR(export_batch(batch, in.get(), component_->text()));
  return call()(table_.load, states_, static_cast<const ArrowArray*>(in.get()));
}

Result<AggregateFunction::Signature> PluginAggregate::resolve(std::span<const Type> arguments,
                                                              std::span<const ColumnPtr>) const {
  const std::vector<Type>& wanted = signature_.arguments;
  bool fits = arguments.size() == wanted.size();
  std::string takes;
  std::string given;
  for (const Type& type : wanted) takes += (takes.empty() ? "" : ", ") + type.simple_string();
  for (size_t i = 0; i < arguments.size(); ++i) {
    given += (given.empty() ? "" : ", ") + arguments[i].simple_string();
    fits = fits && i < wanted.size() &&
           (arguments[i].id() == TypeId::null || implicit_cast(arguments[i], wanted[i]));
  }
  if (fits) return signature_;
  return Error::invalid(
      fmt::format("`{}` cannot be given ({}) — it takes ({})", name(), given, takes));
}

std::unique_ptr<GroupStates> PluginAggregate::make_states(const Signature& signature,
                                                          std::span<const ColumnPtr>) const {
  return std::make_unique<PluginStates>(component_, signature, state_);
}

}  // namespace

Result<ScalarFunction> make_plugin_scalar(const ComponentPtr& component) {
  const auto table = component->table<flowrun_scalar>();
  if (table.num_signatures == 0 || !table.signatures)
    return Error::invalid(fmt::format("the function `{}` has no signature", component->name));
  const bool deterministic = (table.flags & FLOWRUN_FUNCTION_NOT_DETERMINISTIC) == 0;
  std::vector<ScalarFunction> signatures;
  for (uint64_t i = 0; i < table.num_signatures; ++i) {
    if (!table.signatures[i])
      return Error::invalid(fmt::format("a signature of `{}` is null", component->name));
    auto made = signature_function(component, known_part<flowrun_signature>(table.signatures[i]),
                                   deterministic);
    if (!made) return std::move(made.error()).within("function `" + component->name + "`");
    signatures.push_back(std::move(*made));
  }
  ScalarFunction function =
      overloads(component->name.c_str(), component->spec.summary, std::move(signatures));
  function.fallible = (table.flags & FLOWRUN_FUNCTION_MAY_FAIL) != 0;
  if (!deterministic) return std::move(function).not_foldable(false);
  return function;
}

Result<std::shared_ptr<const AggregateFunction>> make_plugin_aggregate(
    const ComponentPtr& component) {
  const auto table = component->table<flowrun_aggregate>();
  AggregateFunction::Signature signature;
  FLOWRUN_TRY(signature.arguments, types_of(table.arguments, table.num_arguments));
  FLOWRUN_TRY(signature.result, parse_type(string_of(table.result)));
  FLOWRUN_TRY(SchemaPtr state, parse_schema(string_of(table.state)));
  return std::make_shared<const PluginAggregate>(component, std::move(signature), std::move(state));
}

}  // namespace flowrun
