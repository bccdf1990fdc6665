// Registry: operators and functions of the program's own, as lambdas.
//
//   flowrun::Registry registry;
//   auto added = registry.scalar<double(double, double)>("hypotenuse", [](double a, double b) {
//     return std::sqrt(a * a + b * b);
//   });
//   added = registry.transform("twice", "", [](flowrun::Batch batch, const flowrun::Emitter& out) {
//     return out.emit(std::move(batch));
//   });
//   added = registry.sink("mine", [](int64_t epoch, std::vector<flowrun::Batch> rows) {
//     return flowrun::Status();
//   });
//   // in a pipeline: { from: a, twice: "" }, { from: b, sink: mine }, "hypotenuse(x, y)"
//
// Thin layers over the tables of flowrun_plugin.h; for stateful operators, options, sources and
// aggregates fill those (or write a plugin) and hand them to add().
#ifndef FLOWRUN_EMBED_OPERATORS_H
#define FLOWRUN_EMBED_OPERATORS_H

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "rows.h"

namespace flowrun {
inline namespace api_v1 {

// Where a transform puts its rows. Lives for the call.
class Emitter {
 public:
  Emitter(const flowrun_emitter& raw) : raw_(raw) {}  // NOLINT: implicit by intent
  Status emit(Batch batch) const {
    char text[512] = "";
    char option[1] = "";
    flowrun_error error{sizeof(flowrun_error), text, sizeof(text), option, sizeof(option)};
    const flowrun_code code = raw_.emit(raw_.context, 0, batch.schema().get(), batch.get(), &error);
    return code == FLOWRUN_OK ? Status() : Status(static_cast<Code>(code), text);
  }

 private:
  const flowrun_emitter& raw_;
};

namespace detail {

inline flowrun_code tell(const Status& status, flowrun_error* error) {
  if (status) return FLOWRUN_OK;
  if (error && error->capacity > 0) {
    const size_t size = std::min<size_t>(status.text().size(), error->capacity - 1);
    std::memcpy(error->text, status.text().data(), size);
    error->text[size] = '\0';
  }
  return static_cast<flowrun_code>(status.code());
}

// Copies the structure of a schema, through the text that every schema has.
inline void copy_schema(const ArrowSchema& from, ArrowSchema* to);

struct CopiedSchema {
  std::string format;
  std::string name;
  std::vector<ArrowSchema> children;
  std::vector<ArrowSchema*> pointers;
};
inline void release_copied(ArrowSchema* schema) {
  auto* copied = static_cast<CopiedSchema*>(schema->private_data);
  for (ArrowSchema& child : copied->children) {
    if (child.release) child.release(&child);
  }
  delete copied;
  schema->release = nullptr;
}
inline void copy_schema(const ArrowSchema& from, ArrowSchema* to) {
  auto* copied = new CopiedSchema{from.format, from.name ? from.name : "", {}, {}};
  copied->children.resize(static_cast<size_t>(from.n_children));
  for (size_t i = 0; i < copied->children.size(); ++i) {
    copy_schema(*from.children[i], &copied->children[i]);
    copied->pointers.push_back(&copied->children[i]);
  }
  *to = ArrowSchema{};
  to->format = copied->format.c_str();
  to->name = copied->name.c_str();
  to->flags = from.flags;
  to->n_children = from.n_children;
  to->children = copied->pointers.data();
  to->release = release_copied;
  to->private_data = copied;
}
inline Schema copy_of(const ArrowSchema& from) {
  ArrowSchema raw{};
  copy_schema(from, &raw);
  return Schema(&raw);
}

// One component's description, with the texts and tables that it points to.
struct Described {
  std::string name;
  flowrun_spec spec{};
  flowrun_component component{};
  const flowrun_component* components[1]{};
  flowrun_plugin plugin{};
  virtual ~Described() = default;
  void describe(std::string its_name, int32_t kind, const void* table) {
    name = std::move(its_name);
    spec.size = sizeof(spec);
    spec.name = name.c_str();
    spec.summary = "An operator or function of the program itself.";
    component = {sizeof(component), kind, 0, &spec, table, this};
    components[0] = &component;
    plugin = {sizeof(plugin),
              FLOWRUN_PLUGIN_ABI_MAJOR,
              FLOWRUN_PLUGIN_ABI_MINOR,
              name.c_str(),
              "0",
              components,
              1};
  }
};

using TransformCall = std::function<Status(Batch, const Emitter&)>;

struct DescribedTransform : Described {
  TransformCall call;
  Schema output;  // none: as the input
  flowrun_transform table{};
  struct Made {
    const DescribedTransform* owner;
    Schema input;
  };
  static flowrun_code make(const flowrun_make* make, void** self, flowrun_error*) {
    *self = new Made{
        static_cast<const DescribedTransform*>(static_cast<const Described*>(make->context)), {}};
    return FLOWRUN_OK;
  }
  static void destroy(void* self) { delete static_cast<Made*>(self); }
  static flowrun_code bind(void* self, const ArrowSchema* input, ArrowSchema* outputs,
                           flowrun_error*) {
    auto* made = static_cast<Made*>(self);
    made->input = copy_of(*input);
    copy_schema(made->owner->output.get() ? *made->owner->output.get() : *input, outputs);
    return FLOWRUN_OK;
  }
  static flowrun_code apply(const void* self, void*, const flowrun_epoch*, ArrowArray* batch,
                            const flowrun_emitter* out, flowrun_error* error) {
    const auto* made = static_cast<const Made*>(self);
    return tell(made->owner->call(Batch(made->input, batch), Emitter(*out)), error);
  }
};

using SinkCall = std::function<Status(int64_t epoch, std::vector<Batch> rows)>;

struct DescribedSink : Described {
  SinkCall call;
  flowrun_sink table{};
  struct Made {
    const DescribedSink* owner;
    Schema schema;
    std::vector<Batch> rows;  // of the epoch being written
  };
  static flowrun_code make(const flowrun_make* make, void** self, flowrun_error*) {
    *self = new Made{
        static_cast<const DescribedSink*>(static_cast<const Described*>(make->context)), {}, {}};
    return FLOWRUN_OK;
  }
  static void destroy(void* self) { delete static_cast<Made*>(self); }
  static flowrun_code bind(void* self, const ArrowSchema* schema, const flowrun_sink_input*,
                           flowrun_error*) {
    static_cast<Made*>(self)->schema = copy_of(*schema);
    return FLOWRUN_OK;
  }
  static flowrun_code open(void*, const flowrun_text*, flowrun_error*) { return FLOWRUN_OK; }
  static flowrun_code write(void* self, int64_t, ArrowArray* batch, flowrun_error*) {
    auto* made = static_cast<Made*>(self);
    made->rows.emplace_back(made->schema, batch);
    return FLOWRUN_OK;
  }
  static flowrun_code commit(void* self, int64_t epoch, flowrun_text, flowrun_error* error) {
    auto* made = static_cast<Made*>(self);
    return tell(made->owner->call(epoch, std::exchange(made->rows, {})), error);
  }
  static flowrun_code abort(void* self, int64_t, flowrun_error*) {
    static_cast<Made*>(self)->rows.clear();
    return FLOWRUN_OK;
  }
};

template <class T>
constexpr const char* sql_type() {
  if constexpr (std::is_same_v<T, bool>) return "boolean";
  if constexpr (std::is_same_v<T, float>) return "float";
  if constexpr (std::is_same_v<T, double>) return "double";
  if constexpr (std::is_same_v<T, std::string>) return "string";
  if constexpr (sizeof(T) == 1) return "tinyint";
  if constexpr (sizeof(T) == 2) return "smallint";
  if constexpr (sizeof(T) == 4) return "int";
  return "bigint";
}
template <class T>
constexpr const char* arrow_format() {
  return std::is_same_v<T, std::string> ? "vu" : "";
}

template <class Signature>
struct DescribedScalar;

template <class R, class... A>
struct DescribedScalar<R(A...)> : Described {
  std::function<R(A...)> call;
  const char* types[sizeof...(A) + 1] = {sql_type<A>()...};
  flowrun_signature signature{};
  const flowrun_signature* signatures[1]{};
  flowrun_scalar table{};
  using One = std::tuple<std::optional<R>>;

  static flowrun_code run(void* context, const ArrowArray* arguments, ArrowArray* result,
                          flowrun_error*) {
    const auto* self = static_cast<const DescribedScalar*>(static_cast<const Described*>(context));
    std::vector<One> rows(static_cast<size_t>(arguments->length));
    for (size_t i = 0; i < rows.size(); ++i)
      self->evaluate(*arguments, static_cast<int64_t>(i), rows[i], std::index_sequence_for<A...>());
    *result = build_column(std::span<const One>(rows), TupleColumn<One, 0>{});
    return FLOWRUN_OK;
  }
  template <size_t... I>
  void evaluate(const ArrowArray& arguments, int64_t row, One& out,
                std::index_sequence<I...>) const {
    const auto is_null = [row](const ArrowArray& column) {
      return column.n_buffers > 0 && column.buffers[0] &&
             !bit(column.buffers[0], column.offset + row);
    };
    if ((is_null(*arguments.children[I]) || ...)) return;
    std::get<0>(out) = call(Layout<A>::read(*arguments.children[I], row, arrow_format<A>())...);
  }
};

}  // namespace detail

// Thread-safe; engines that were loaded with it keep what they need.
class Registry {
 public:
  Registry() : registry_(flowrun_registry_new()) {}

  // Rows in, rows out, whole batches at a time, from any number of threads at once. `output` is the
  // DDL of what comes out; empty: the same columns. In a pipeline: `{ from: a, NAME: "" }`.
  Status transform(std::string name, const std::string& output, detail::TransformCall call) {
    auto made = std::make_unique<detail::DescribedTransform>();
    if (!output.empty()) {
      auto schema = Schema::of(output);
      if (!schema) return schema.status();
      made->output = *schema;
    }
    made->call = std::move(call);
    using T = detail::DescribedTransform;
    made->table.size = sizeof(made->table);
    made->table.make = T::make;
    made->table.destroy = T::destroy;
    made->table.bind = T::bind;
    made->table.apply = T::apply;
    const void* table = &made->table;
    return enter(std::move(made), std::move(name), FLOWRUN_KIND_TRANSFORM, table);
  }

  // All rows of an epoch when it is committed, one epoch after the other. May block: it is called
  // on a thread of its own. An error fails the run.
  Status sink(std::string name, detail::SinkCall call) {
    auto made = std::make_unique<detail::DescribedSink>();
    made->call = std::move(call);
    using T = detail::DescribedSink;
    made->table.size = sizeof(made->table);
    made->table.flags = FLOWRUN_SINK_BLOCKS;
    made->table.modes = FLOWRUN_APPEND | FLOWRUN_UPDATE | FLOWRUN_COMPLETE;
    made->table.make = T::make;
    made->table.destroy = T::destroy;
    made->table.bind = T::bind;
    made->table.open = T::open;
    made->table.write = T::write;
    made->table.commit = T::commit;
    made->table.abort = T::abort;
    const void* table = &made->table;
    return enter(std::move(made), std::move(name), FLOWRUN_KIND_SINK, table);
  }

  // A function for expressions, of numbers, booleans and strings, called row by row from any number
  // of threads at once; null if an argument is.
  template <class Signature>
  Status scalar(std::string name, std::function<Signature> call) {
    auto made = std::make_unique<detail::DescribedScalar<Signature>>();
    made->call = std::move(call);
    made->signature.size = sizeof(made->signature);
    made->signature.arguments = made->types;
    made->signature.num_arguments = sizeof(made->types) / sizeof(made->types[0]) - 1;
    made->signature.result = result_type(made->call);
    made->signature.call = detail::DescribedScalar<Signature>::run;
    made->signatures[0] = &made->signature;
    made->table.size = sizeof(made->table);
    made->table.signatures = made->signatures;
    made->table.num_signatures = 1;
    const void* table = &made->table;
    return enter(std::move(made), std::move(name), FLOWRUN_KIND_SCALAR, table);
  }

  // Anything that flowrun_plugin.h can describe; it must outlive the program's engines.
  Status add(const flowrun_plugin& plugin) {
    detail::Failure failure;
    return failure.status(flowrun_registry_add(get(), &plugin, nullptr, nullptr, failure.get()));
  }

  flowrun_registry* get() const { return registry_.get(); }

 private:
  template <class R, class... A>
  static const char* result_type(const std::function<R(A...)>&) {
    return detail::sql_type<R>();
  }
  Status enter(std::unique_ptr<detail::Described> made, std::string name, int32_t kind,
               const void* table) {
    made->describe(std::move(name), kind, table);
    detail::Failure failure;
    const flowrun_code code = flowrun_registry_add(
        get(), &made->plugin,
        [](void* context) { delete static_cast<detail::Described*>(context); }, made.get(),
        failure.get());
    if (code != FLOWRUN_OK) return failure.status(code);
    static_cast<void>(made.release());
    return Status();
  }

  struct Release {
    void operator()(flowrun_registry* registry) const { flowrun_registry_release(registry); }
  };
  std::unique_ptr<flowrun_registry, Release> registry_;
};

}  // namespace api_v1
}  // namespace flowrun

#endif
