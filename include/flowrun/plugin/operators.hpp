// The classes that operators derive from, and what they are given. Part of flowrun/plugin.hpp:
// include that.
#ifndef FLOWRUN_PLUGIN_OPERATORS_HPP
#define FLOWRUN_PLUGIN_OPERATORS_HPP

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "spec.hpp"

// Nothing of this is seen from outside: two plugins may have classes of one name.
#pragma GCC visibility push(hidden)

namespace flowrun {
namespace plugin {

using Epoch = flowrun_epoch;

// Where an operator puts what it makes; for the time of one call.
class Emitter {
 public:
  explicit Emitter(const flowrun_emitter& raw) : raw_(raw) {}
  void emit(Batch batch, uint64_t port = 0) {
    ArrowArray array{};
    std::move(batch).export_to(&array);
    detail::HostError error;
    const flowrun_code code = raw_.emit(raw_.context, port, nullptr, &array, &error.raw);
    error.check(code);
  }
  bool wanted(uint64_t port) const { return raw_.wanted(raw_.context, port) != 0; }
  void count_rejected(int64_t rows) { raw_.count(raw_.context, FLOWRUN_METRIC_REJECTED, rows); }
  void count_late(int64_t rows) { raw_.count(raw_.context, FLOWRUN_METRIC_LATE, rows); }
  void warn(std::string_view reason) { raw_.warn(raw_.context, detail::text_of(reason)); }

 private:
  const flowrun_emitter& raw_;
};

// Rows in, rows out. Any number of threads are in apply at a time, hence const.
class Transform {
 public:
  virtual ~Transform() = default;
  // What comes out of the main port.
  virtual Schema bind(const Schema& input) = 0;
  // What comes out of the spec's ports.
  virtual std::vector<Schema> bind_ports(const Schema&) { return {}; }
  // Between bind and open: which columns of the main port are read downstream; give nulls() for the
  // others if that is cheaper. `read` comes full of true, one for each column of the input: set to
  // false what is not needed for that, it comes as nulls then.
  virtual void narrow(const std::vector<bool>& wanted, std::vector<bool>& read) {
    static_cast<void>(wanted);
    static_cast<void>(read);
  }
  virtual void open() {}
  virtual void apply(Batch batch, const Epoch& epoch, Emitter& out) const = 0;
};

// Saves state in sections of rows, and numbers.
class Writer {
 public:
  explicit Writer(const flowrun_snapshot_writer& raw) : raw_(raw) {}
  void write(const std::string& section, const Schema& schema, Batch rows) {
    ArrowSchema exported{};
    schema.export_to(&exported);
    ArrowArray array{};
    std::move(rows).export_to(&array);
    detail::HostError error;
    const flowrun_code code =
        raw_.write(raw_.context, section.c_str(), &exported, &array, &error.raw);
    exported.release(&exported);
    error.check(code);
  }
  void write_number(const std::string& name, int64_t number) {
    detail::HostError error;
    error.check(raw_.write_number(raw_.context, name.c_str(), number, &error.raw));
  }

 private:
  const flowrun_snapshot_writer& raw_;
};

class Reader {
 public:
  explicit Reader(const flowrun_snapshot_reader& raw) : raw_(raw) {}
  // Calls `with(batch)` for each batch of a section, in the order written.
  template <class With>
  void read(const std::string& section, With with) {
    for (uint64_t i = 0;; ++i) {
      ArrowSchema exported{};
      ArrowArray array{};
      detail::HostError error;
      error.check(raw_.read(raw_.context, section.c_str(), i, &exported, &array, &error.raw));
      if (!exported.release) return;
      const Schema schema(exported);
      exported.release(&exported);
      with(Batch(&array, schema));
    }
  }
  std::optional<int64_t> read_number(const std::string& name) {
    int64_t number = 0;
    int32_t found = 0;
    detail::HostError error;
    error.check(raw_.read_number(raw_.context, name.c_str(), &number, &found, &error.raw));
    return found ? std::optional(number) : std::nullopt;
  }

 private:
  const flowrun_snapshot_reader& raw_;
};

// Remembers across rows. What rows come to is put out once per epoch, in the order of arrival:
// `process` is called for each batch, one after the other, and is the place for all that changes.
class Stateful {
 public:
  virtual ~Stateful() = default;
  virtual Schema bind(const Schema& input) = 0;
  // What comes out of the spec's ports.
  virtual std::vector<Schema> bind_ports(const Schema&) { return {}; }
  // The input's columns that are the key, asked for after bind; none: all rows belong together.
  // With a key several objects share the work, each with the rows of its keys, and close at a time.
  // What comes of a row may then depend on rows of its key only, and the rows of every section
  // that save writes begin with the columns of the key, nulls as nulls; numbers cannot be saved.
  virtual std::vector<size_t> keys() const { return {}; }
  virtual void process(Batch batch, const Epoch& epoch, Emitter& out) = 0;
  // After the last batch of an epoch, also of one without rows: what the watermark lets go.
  // Here and in process, ports beside the main one and counts of rows are the emitter's too.
  virtual void close(const Epoch&, Emitter&) {}
  virtual void save(Writer& writer) const = 0;
  virtual void load(Reader& reader) = 0;
  virtual int64_t state_rows() const { return 0; }
  virtual int64_t state_bytes() const { return 0; }
};

// A record that a source could not take: counted, logged, and given out on the port `errors` when
// the source's spec has that port.
struct Rejection {
  std::string source;  // the peer or the file
  std::string offset;  // where in it: "line 17"
  std::string reason;
  std::string raw;  // its bytes, or the first 64 KiB of them
};

// Rows that a source gives for one read.
struct Chunk {
  std::optional<Batch> rows;
  std::string offset;  // behind these rows
  int32_t mark = FLOWRUN_MORE;
  int64_t bytes = 0;
  std::vector<Rejection> rejected = {};
};

class Source {
 public:
  virtual ~Source() = default;
  virtual Schema bind() = 0;
  // Between bind and open: which columns are read downstream; give nulls() for the others if that
  // is cheaper.
  virtual void narrow(const std::vector<bool>& wanted) { static_cast<void>(wanted); }
  // From behind the offset; nothing: from where the options say.
  virtual void open(std::optional<std::string> offset) = 0;
  // Waits for rows for at most so long, in microseconds; then the mark is FLOWRUN_IDLE.
  virtual Chunk read(int64_t timeout) = 0;
  virtual void committed(const std::string&) {}
  // From any thread.
  virtual void cancel() {}
  virtual void close() {}
  virtual void stop_at_end() {}
  // Override it to say whether open would succeed, in place of it, for `flowrun check --connect`:
  // after bind, on any thread, ended by cancel. Reads no row, commits and makes nothing outside,
  // and leaves nothing open. What it throws is what is wrong; Error(FLOWRUN_CANCELLED, "why"): it
  // cannot tell without changing something. A source without it is opened and closed.
  virtual void probe() {}
};

class Sink {
 public:
  virtual ~Sink() = default;
  virtual void bind(const Schema& schema, const flowrun_sink_input& input) = 0;
  // The token committed last before a restart.
  virtual void open(std::optional<std::string> last_committed) = 0;
  virtual void write(int64_t epoch, const Batch& batch) = 0;
  // Durable, not visible: gives the token that commit takes.
  virtual std::string prepare(int64_t) { return {}; }
  virtual void commit(int64_t epoch, const std::string& token) = 0;
  virtual void abort(int64_t) {}
  virtual void close() {}
  virtual void cancel() {}
  // As that of a source. A sink without it is not tried.
  virtual void probe() {}
};

// A record that a format could not read as it should be.
struct BadRecord {
  int64_t record;  // its number among those given
  std::string reason;
};

// What a format made of some records.
struct RecordRows {
  Batch rows;  // a column for each of those that bind was given
  // Of each row the number of the record that it was made of, never falling; nothing: row i was
  // made of record i.
  std::optional<std::vector<int32_t>> origins = {};
  std::vector<BadRecord> bad = {};  // rising; each has a row, of nulls and what could be read of it
};

// Records to columns. Any number of threads are in read at a time, hence const.
//
// What is registered as a format reads if it derives from Format, and writes if it has
//   std::unique_ptr<W> make_writer(const Schema& columns) const;
// where W derives from RowWriter. It throws for columns that the format cannot hold; it may be
// called from any thread, once for each file or connection, and once when the pipeline is checked.
// With `static const char* extension()` it names its files otherwise than by the format's name. One
// that only writes derives from nothing.
class Format {
 public:
  virtual ~Format() = default;
  // The columns that the pipeline asks for; for reading only. Throw Error::option("schema", ...)
  // for what the format cannot give.
  virtual void bind(const Schema& columns) = 0;
  // A null record gives a row of nulls and is not bad. What is not wanted need not be read. The
  // rows may not depend on which records come together.
  virtual RecordRows read(const Values<std::string_view>& records,
                          const std::vector<bool>& wanted) const = 0;
};

// Writes the rows of one file or connection, used by one thread at a time: begin, any number of
// writes, and end unless the run fails. Each appends to `out`, which begins empty. The bytes may
// not depend on how the rows are cut into batches. Where the format reads too, a row that was
// written is a record that reads as that row; a line end behind it is no part of it.
class RowWriter {
 public:
  virtual ~RowWriter() = default;
  // What stands before the first row.
  virtual void begin(std::string& out) { static_cast<void>(out); }
  // Every row, with all that parts it from the next.
  virtual void write(const Batch& batch, std::string& out) = 0;
  // What stands behind the last row. A file of a writer that overrides it is that of one epoch.
  virtual void end(std::string& out) { static_cast<void>(out); }
};

// State of one group of an aggregate R f(A...): default-constructed when empty. A class with
//   void add(std::optional<A>...);  void merge(const State&);  std::optional<R> result() const;
//   std::string save() const;  void load(std::string_view);  size_t bytes() const;
// and static Spec spec().

}  // namespace plugin
}  // namespace flowrun

#pragma GCC visibility pop

#endif  // FLOWRUN_PLUGIN_OPERATORS_HPP
