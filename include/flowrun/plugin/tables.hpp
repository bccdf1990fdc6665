// Operators as the ABI's tables of functions. Part of flowrun/plugin.hpp: include that.
#ifndef FLOWRUN_PLUGIN_TABLES_HPP
#define FLOWRUN_PLUGIN_TABLES_HPP

#include <algorithm>
#include <iterator>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "operators.hpp"

// Nothing of this is seen from outside: two plugins may have classes of one name.
#pragma GCC visibility push(hidden)

namespace flowrun {
namespace plugin {

// One entry of FLOWRUN_PLUGIN: lives as long as the library.
struct Entry {
  std::shared_ptr<Spec> spec;
  std::shared_ptr<const void> table;
  std::shared_ptr<const void> context;
  flowrun_component raw{};
};

namespace detail {

template <class Operator>
struct Made {
  std::unique_ptr<Operator> object;
  Schema input;
};

template <class Operator, class Class>
flowrun_code make(const flowrun_make* options, void** self, flowrun_error* error) noexcept {
  return guarded(error, [&] {
    *self = new Made<Operator>{std::make_unique<Class>(Options(*options)), {}};
  });
}

template <class Operator>
Made<Operator>& made(void* self) {
  return *static_cast<Made<Operator>*>(self);
}
template <class Operator>
const Made<Operator>& made(const void* self) {
  return *static_cast<const Made<Operator>*>(self);
}
template <class Operator>
void destroy(void* self) noexcept {
  delete static_cast<Made<Operator>*>(self);
}

template <class Table>
Entry entry(int32_t kind, Spec spec, std::shared_ptr<Table> table,
            std::shared_ptr<const void> context = nullptr) {
  Entry entry{std::make_shared<Spec>(std::move(spec)), table, std::move(context), {}};
  entry.raw.size = sizeof(flowrun_component);
  entry.raw.kind = kind;
  entry.raw.spec = entry.spec->raw();
  entry.raw.table = entry.table.get();
  entry.raw.context = const_cast<void*>(entry.context.get());
  return entry;
}

inline std::optional<std::string> optional_text(const flowrun_text* text) {
  return text ? std::optional(string_of(*text)) : std::nullopt;
}

// Whether the class has a probe of its own.
template <class Class, class Base, class = void>
constexpr bool kProbes = true;  // one that is not to be seen from here
template <class Class, class Base>
constexpr bool kProbes<Class, Base, std::void_t<decltype(&Class::probe)>> =
    !std::is_same<decltype(&Class::probe), void (Base::*)()>::value;

}  // namespace detail

template <class Class>
Entry transform() {
  using namespace detail;
  auto table = std::make_shared<flowrun_transform>();
  *table = {};
  table->size = sizeof(flowrun_transform);
  table->make = make<Transform, Class>;
  table->destroy = destroy<Transform>;
  table->bind = [](void* self, const ArrowSchema* input, ArrowSchema* outputs,
                   flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] {
      auto& own = made<Transform>(self);
      own.input = Schema(*input);
      const Schema main = own.object->bind(own.input);
      const std::vector<Schema> ports = own.object->bind_ports(own.input);
      main.export_to(outputs);
      for (size_t i = 0; i < ports.size(); ++i) ports[i].export_to(outputs + 1 + i);
    });
  };
  table->open = [](void* self, flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] { made<Transform>(self).object->open(); });
  };
  table->apply = [](const void* self, void*, const flowrun_epoch* epoch, ArrowArray* batch,
                    const flowrun_emitter* out, flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] {
      const auto& own = made<Transform>(self);
      Emitter emitter(*out);
      own.object->apply(Batch(batch, own.input), *epoch, emitter);
    });
  };
  table->narrow = [](void* self, const int32_t* wanted, uint64_t num_wanted, int32_t* read,
                     uint64_t num_read) {
    std::vector<bool> kept(num_read, true);
    made<Transform>(self).object->narrow(std::vector<bool>(wanted, wanted + num_wanted), kept);
    for (uint64_t i = 0; i < num_read && i < kept.size(); ++i) read[i] = kept[i] ? 1 : 0;
  };
  return entry(FLOWRUN_KIND_TRANSFORM, Class::spec(), table);
}

// `bound`: what bounds the state, for the user: "one row per key".
template <class Class>
Entry stateful(std::string bound, bool bounded = false) {
  using namespace detail;
  struct Local {
    struct Piece {
      int64_t place;
      Batch batch;
    };
    std::vector<Piece> pieces;
  };
  struct Table : flowrun_stateful {
    std::string bound_text;
  };
  auto table = std::make_shared<Table>();
  static_cast<flowrun_stateful&>(*table) = {};
  table->size = sizeof(flowrun_stateful);
  table->bound_text = std::move(bound);
  table->bound = table->bound_text.c_str();
  table->bounded = bounded ? 1 : 0;
  table->make = make<Stateful, Class>;
  table->destroy = destroy<Stateful>;
  table->bind = [](void* self, const ArrowSchema* input, ArrowSchema* outputs,
                   flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] {
      auto& own = made<Stateful>(self);
      own.input = Schema(*input);
      const Schema main = own.object->bind(own.input);
      const std::vector<Schema> ports = own.object->bind_ports(own.input);
      main.export_to(outputs);
      for (size_t i = 0; i < ports.size(); ++i) ports[i].export_to(outputs + 1 + i);
    });
  };
  table->keys = [](const void* self, uint64_t* columns, uint64_t* count,
                   flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] {
      const auto& own = made<Stateful>(self);
      const std::vector<size_t> keys = own.object->keys();
      if (keys.size() > own.input.size())
        throw Error::data("the key has more columns than the input");
      std::copy(keys.begin(), keys.end(), columns);
      *count = keys.size();
    });
  };
  table->make_local = [](const void*) noexcept -> void* { return new (std::nothrow) Local; };
  table->destroy_local = [](void* local) noexcept { delete static_cast<Local*>(local); };
  table->absorb = [](const void* self, void* local, const flowrun_input* input,
                     const flowrun_epoch*, ArrowArray* batch, const flowrun_emitter*,
                     flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] {
      static_cast<Local*>(local)->pieces.push_back(
          {input->place, Batch(batch, made<Stateful>(self).input)});
    });
  };
  table->close = [](void* self, void* const* locals, uint64_t num_locals,
                    const flowrun_epoch* epoch, const flowrun_emitter* out,
                    flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] {
      std::vector<typename Local::Piece> pieces;
      for (uint64_t i = 0; i < num_locals; ++i) {
        auto& own = static_cast<Local*>(locals[i])->pieces;
        std::move(own.begin(), own.end(), std::back_inserter(pieces));
        own.clear();
      }
      std::sort(pieces.begin(), pieces.end(),
                [](const auto& a, const auto& b) { return a.place < b.place; });
      Emitter emitter(*out);
      for (auto& piece : pieces)
        made<Stateful>(self).object->process(std::move(piece.batch), *epoch, emitter);
      made<Stateful>(self).object->close(*epoch, emitter);
    });
  };
  table->snapshot = [](void* self, const flowrun_snapshot_writer* writer,
                       flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] {
      Writer out(*writer);
      made<Stateful>(self).object->save(out);
    });
  };
  table->restore = [](void* self, const flowrun_snapshot_reader* reader,
                      flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] {
      Reader in(*reader);
      made<Stateful>(self).object->load(in);
    });
  };
  table->state_rows = [](const void* self) noexcept {
    return made<Stateful>(self).object->state_rows();
  };
  table->state_bytes = [](const void* self) noexcept {
    return made<Stateful>(self).object->state_bytes();
  };
  return entry<Table>(FLOWRUN_KIND_STATEFUL, Class::spec(), table);
}

// `flags`: FLOWRUN_SOURCE_REPLAYABLE and its kin.
template <class Class>
Entry source(uint32_t flags = 0) {
  using namespace detail;
  struct Own : Made<Source> {
    // What the last chunk points to; lives until the next call.
    std::string offset;
    std::vector<Rejection> rejected;
    std::vector<flowrun_rejection> raw_rejected;
    std::vector<const flowrun_rejection*> rejected_list;

    void reject(std::vector<Rejection> records, flowrun_chunk* chunk) {
      rejected = std::move(records);
      raw_rejected.clear();
      rejected_list.clear();
      for (const Rejection& record : rejected) {
        raw_rejected.push_back({sizeof(flowrun_rejection), text_of(record.source),
                                text_of(record.offset), text_of(record.reason),
                                text_of(record.raw)});
      }
      for (const flowrun_rejection& record : raw_rejected) rejected_list.push_back(&record);
      // An older host knows of no rejected records.
      if (chunk->size < sizeof(flowrun_chunk)) return;
      chunk->rejected = rejected_list.data();
      chunk->num_rejected = rejected_list.size();
    }
  };
  auto table = std::make_shared<flowrun_source>();
  *table = {};
  table->size = sizeof(flowrun_source);
  table->flags = flags;
  table->make = [](const flowrun_make* options, void** self,
                   flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] {
      auto own = std::make_unique<Own>();
      own->object = std::make_unique<Class>(Options(*options));
      *self = own.release();
    });
  };
  table->destroy = [](void* self) noexcept { delete static_cast<Own*>(self); };
  table->bind = [](void* self, ArrowSchema* schema, flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] { static_cast<Own*>(self)->object->bind().export_to(schema); });
  };
  table->open = [](void* self, const flowrun_text* offset,
                   flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] { static_cast<Own*>(self)->object->open(optional_text(offset)); });
  };
  table->read = [](void* self, int64_t timeout, flowrun_chunk* chunk,
                   flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] {
      auto& own = *static_cast<Own*>(self);
      Chunk read = own.object->read(timeout);
      own.offset = std::move(read.offset);
      chunk->mark = read.mark;
      chunk->offset = text_of(own.offset);
      chunk->bytes = read.bytes;
      own.reject(std::move(read.rejected), chunk);
      if (read.rows) std::move(*read.rows).export_to(&chunk->rows);
    });
  };
  table->committed = [](void* self, flowrun_text offset) {
    static_cast<Own*>(self)->object->committed(string_of(offset));
  };
  table->cancel = [](void* self) { static_cast<Own*>(self)->object->cancel(); };
  table->close = [](void* self) { static_cast<Own*>(self)->object->close(); };
  table->stop_at_end = [](void* self) { static_cast<Own*>(self)->object->stop_at_end(); };
  table->narrow = [](void* self, const int32_t* wanted, uint64_t num_wanted) {
    static_cast<Own*>(self)->object->narrow(std::vector<bool>(wanted, wanted + num_wanted));
  };
  if (kProbes<Class, Source>) {
    table->probe = [](void* self, flowrun_error* error) noexcept -> flowrun_code {
      return guarded(error, [&] { static_cast<Own*>(self)->object->probe(); });
    };
  }
  return entry(FLOWRUN_KIND_SOURCE, Class::spec(), table);
}

// `modes`: what it can take, of FLOWRUN_APPEND, FLOWRUN_UPDATE, FLOWRUN_COMPLETE.
template <class Class>
Entry sink(uint32_t modes = FLOWRUN_APPEND, uint32_t flags = 0) {
  using namespace detail;
  struct Own : Made<Sink> {
    std::string token;  // lives until the next call
  };
  auto table = std::make_shared<flowrun_sink>();
  *table = {};
  table->size = sizeof(flowrun_sink);
  table->flags = flags;
  table->modes = modes;
  table->make = [](const flowrun_make* options, void** self,
                   flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] {
      auto own = std::make_unique<Own>();
      own->object = std::make_unique<Class>(Options(*options));
      *self = own.release();
    });
  };
  table->destroy = [](void* self) noexcept { delete static_cast<Own*>(self); };
  table->bind = [](void* self, const ArrowSchema* input_schema, const flowrun_sink_input* input,
                   flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] {
      auto& own = *static_cast<Own*>(self);
      own.input = Schema(*input_schema);
      own.object->bind(own.input, *input);
    });
  };
  table->open = [](void* self, const flowrun_text* last,
                   flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] { static_cast<Own*>(self)->object->open(optional_text(last)); });
  };
  table->write = [](void* self, int64_t epoch, ArrowArray* batch,
                    flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] {
      auto& own = *static_cast<Own*>(self);
      own.object->write(epoch, Batch(batch, own.input));
    });
  };
  table->prepare = [](void* self, int64_t epoch, flowrun_text* token,
                      flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] {
      auto& own = *static_cast<Own*>(self);
      own.token = own.object->prepare(epoch);
      *token = text_of(own.token);
    });
  };
  table->commit = [](void* self, int64_t epoch, flowrun_text token,
                     flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error,
                   [&] { static_cast<Own*>(self)->object->commit(epoch, string_of(token)); });
  };
  table->abort = [](void* self, int64_t epoch, flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] { static_cast<Own*>(self)->object->abort(epoch); });
  };
  table->close = [](void* self) { static_cast<Own*>(self)->object->close(); };
  table->cancel = [](void* self) { static_cast<Own*>(self)->object->cancel(); };
  if (kProbes<Class, Sink>) {
    table->probe = [](void* self, flowrun_error* error) noexcept -> flowrun_code {
      return guarded(error, [&] { static_cast<Own*>(self)->object->probe(); });
    };
  }
  return entry(FLOWRUN_KIND_SINK, Class::spec(), table);
}

namespace detail {

// What a class that is registered as a format can do.
template <class Class>
constexpr bool kReads = std::is_base_of<Format, Class>::value;
template <class Class, class = void>
struct WriterOf {
  using Type = void;
};
template <class Class>
struct WriterOf<Class, std::void_t<decltype(&Class::make_writer)>> {
  using Type = typename decltype(std::declval<const Class&>().make_writer(
      std::declval<const Schema&>()))::element_type;
};
template <class Writer>
constexpr bool kEnds =
    std::is_same<Writer, RowWriter>::value ||
    !std::is_same<decltype(&Writer::end), void (RowWriter::*)(std::string&)>::value;
template <class Class, class = void>
struct ExtensionOf {
  static const char* text() { return nullptr; }
};
template <class Class>
struct ExtensionOf<Class, std::void_t<decltype(&Class::extension)>> {
  static const char* text() { return Class::extension(); }
};

struct Reading {
  const Format* object;
  std::vector<bool> wanted;
  // What the last call gave out points here.
  RecordRows last;
  std::vector<flowrun_bad_record> bad;
  std::vector<const flowrun_bad_record*> bad_list;

  void give(flowrun_records* out) {
    if (last.origins) {
      last.origins->reserve(1);  // so that no rows are told from no origins
      out->origins = last.origins->data();
      out->num_origins = last.origins->size();
    }
    bad.clear();
    bad_list.clear();
    for (const BadRecord& record : last.bad)
      bad.push_back({sizeof(flowrun_bad_record), record.record, text_of(record.reason)});
    for (const flowrun_bad_record& record : bad) bad_list.push_back(&record);
    out->bad = bad_list.data();
    out->num_bad = bad_list.size();
    std::move(last.rows).export_to(&out->rows);
  }
};

template <class Class>
void set_reading(flowrun_format& table) {
  table.bind = [](void* self, const ArrowSchema* schema,
                  flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] { made<Class>(self).object->bind(Schema(*schema)); });
  };
  table.make_reader = [](const void* self, const int32_t* wanted, uint64_t num_wanted,
                         void** reader, flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] {
      *reader = new Reading{made<Class>(self).object.get(),
                            std::vector<bool>(wanted, wanted + num_wanted),
                            {},
                            {},
                            {}};
    });
  };
  table.destroy_reader = [](void* reader) noexcept { delete static_cast<Reading*>(reader); };
  table.read = [](void* reader, const ArrowArray* records, flowrun_records* out,
                  flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] {
      auto& own = *static_cast<Reading*>(reader);
      const Values<std::string_view> texts(*records->children[0], types::binary());
      own.last = own.object->read(texts, own.wanted);
      own.give(out);
    });
  };
}

struct Writing {
  std::unique_ptr<RowWriter> object;
  Schema schema;
  std::string text;  // of one call; keeps its room

  template <class Write>
  void put(const flowrun_output* out, Write write) {
    text.clear();
    write();
    HostError error;
    error.check(out->append(out->context, text.data(), text.size(), &error.raw));
  }
};

template <class Class>
void set_writing(flowrun_format& table) {
  table.extension = ExtensionOf<Class>::text();
  table.make_writer = [](const void* self, const ArrowSchema* schema, void** writer,
                         flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] {
      auto own = std::make_unique<Writing>();
      own->schema = Schema(*schema);
      own->object = made<Class>(self).object->make_writer(own->schema);
      *writer = own.release();
    });
  };
  table.destroy_writer = [](void* writer) noexcept { delete static_cast<Writing*>(writer); };
  table.begin = [](void* writer, const flowrun_output* out,
                   flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] {
      auto& own = *static_cast<Writing*>(writer);
      own.put(out, [&] { own.object->begin(own.text); });
    });
  };
  table.write = [](void* writer, ArrowArray* batch, const flowrun_output* out,
                   flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] {
      auto& own = *static_cast<Writing*>(writer);
      const Batch rows(batch, own.schema);
      own.put(out, [&] { own.object->write(rows, own.text); });
    });
  };
  if (!kEnds<typename WriterOf<Class>::Type>) return;
  table.end = [](void* writer, const flowrun_output* out,
                 flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] {
      auto& own = *static_cast<Writing*>(writer);
      own.put(out, [&] { own.object->end(own.text); });
    });
  };
}

}  // namespace detail

// A record format, for `parse: NAME` and `format: NAME`.
template <class Class>
Entry format() {
  using namespace detail;
  constexpr bool kWrites = !std::is_void<typename WriterOf<Class>::Type>::value;
  static_assert(kReads<Class> || kWrites, "a format derives from Format, has make_writer, or both");
  auto table = std::make_shared<flowrun_format>();
  *table = {};
  table->size = sizeof(flowrun_format);
  table->make = make<Class, Class>;
  table->destroy = destroy<Class>;
  if constexpr (kReads<Class>) set_reading<Class>(*table);
  if constexpr (kWrites) set_writing<Class>(*table);
  return entry(FLOWRUN_KIND_FORMAT, Class::spec(), table);
}

}  // namespace plugin
}  // namespace flowrun

#pragma GCC visibility pop

#endif  // FLOWRUN_PLUGIN_TABLES_HPP
