// A transform that does wrong in a way of choice. It has the ABI's tables filled by hand, since
// plugin.hpp would catch much of it.
#include <flowrun/plugin.hpp>
#include <memory>
#include <stdexcept>
#include <string>

using namespace flowrun::plugin;

namespace {

struct Wrong {
  std::string how;
  Schema schema;
};

flowrun_code make(const flowrun_make* options, void** self, flowrun_error*) {
  const Options all(*options);
  if (all.text("wrong") == "make_nothing") return FLOWRUN_OK;
  if (all.text("wrong") == "throw_in_make") throw std::runtime_error("make went wrong");
  *self = new Wrong{all.text("wrong"), {}};
  return FLOWRUN_OK;
}

void destroy(void* self) {
  const bool throws = static_cast<Wrong*>(self)->how == "throw_in_destroy";
  delete static_cast<Wrong*>(self);
  if (throws) throw std::runtime_error("destroy went wrong");
}

flowrun_code bind(void* raw, const ArrowSchema* input, ArrowSchema* out, flowrun_error*) {
  auto& self = *static_cast<Wrong*>(raw);
  self.schema = Schema(*input).with({"extra", types::double_()});
  if (self.how == "empty_schema") return FLOWRUN_OK;
  self.schema.export_to(out);
  if (self.how == "half_schema") out->children[0]->format = nullptr;
  if (self.how == "null_child_schema") out->children[0] = nullptr;
  if (self.how == "odd_format") out->children[0]->format = "?!";
  if (self.how == "many_children") out->n_children = int64_t{1} << 40;
  if (self.how == "throw_in_bind") throw 42;
  return FLOWRUN_OK;
}

flowrun_code emit(const Wrong& self, ArrowArray& array, const flowrun_emitter* out,
                  flowrun_error* error) {
  ArrowArray& extra = *array.children[array.n_children - 1];
  ArrowArray& text = *array.children[0];
  uint64_t port = 0;
  if (self.how == "short_column") extra.length -= 1;
  if (self.how == "negative_length") extra.length = -5;
  if (self.how == "huge_offset") extra.offset = int64_t{1} << 40;
  if (self.how == "null_values") extra.buffers[1] = nullptr;
  if (self.how == "no_buffers") extra.buffers = nullptr;
  if (self.how == "few_buffers") extra.n_buffers = 1;
  if (self.how == "miscounted_nulls") extra.null_count = 2;
  if (self.how == "few_columns") array.n_children -= 1;
  if (self.how == "null_column") array.children[0] = nullptr;
  if (self.how == "wild_text") {
    auto* views = static_cast<char*>(const_cast<void*>(text.buffers[1]));
    const uint32_t size = 4000;
    std::memcpy(views, &size, 4);
    std::memset(views + 8, 0x7f, 8);
  }
  if (self.how == "other_port" || self.how == "swallow_error") port = 7;
  if (self.how == "null_batch") return out->emit(out->context, 0, nullptr, nullptr, error);
  if (self.how == "released") array.release(&array);
  if (self.how == "wrong_type") {
    ArrowSchema other;
    Schema schema = {{"k", types::string()}, {"x", types::double_()}, {"extra", types::bigint()}};
    schema.export_to(&other);
    const flowrun_code code = out->emit(out->context, 0, &other, &array, error);
    other.release(&other);
    return code;
  }
  const flowrun_code code = out->emit(out->context, port, nullptr, &array, error);
  return self.how == "swallow_error" ? FLOWRUN_OK : code;
}

flowrun_code apply(const void* raw, void*, const flowrun_epoch*, ArrowArray* given,
                   const flowrun_emitter* out, flowrun_error* error) {
  const auto& self = *static_cast<const Wrong*>(raw);
  if (self.how == "throw_in_apply") throw std::runtime_error("apply went wrong");
  if (self.how == "throw_no_exception") throw 42;
  if (self.how == "odd_code") return 42;
  if (self.how == "silent") return FLOWRUN_DATA;
  if (self.how == "unterminated") {
    std::memset(error->text, 'x', error->capacity);
    return FLOWRUN_DATA;
  }
  Builder<std::string_view> text;
  Builder<double> extra;
  Batch batch(given, self.schema);
  for (int64_t i = 0; i < batch.num_rows(); ++i) {
    text.append("a text longer than twelve bytes");
    extra.append(1.5);
  }
  batch.set(0, text.finish());
  batch.add(extra.finish());
  ArrowArray array;
  std::move(batch).export_to(&array);
  const flowrun_code code = emit(self, array, out, error);
  if (array.release) array.release(&array);
  return code;
}

Entry wrong() {
  auto table = std::make_shared<flowrun_transform>();
  *table = {};
  table->size = sizeof(flowrun_transform);
  table->make = make;
  table->destroy = destroy;
  table->bind = bind;
  table->apply = apply;
  Spec spec = Spec("wrong", "Does wrong.").primary(text("wrong", "how").required());
  for (const char* how :
       {"nothing", "short_column", "null_values", "wild_text", "throw_in_apply", "empty_schema"}) {
    spec = std::move(spec).example(how, std::string("a: { from: b, wrong: ") + how + " }",
                                   "k STRING, x DOUBLE");
  }
  return detail::entry(FLOWRUN_KIND_TRANSFORM, std::move(spec), table);
}

// Numbers rows as they come, whatever their place, and forgets what it was told to save.
class Forgetful final : public Stateful {
 public:
  static Spec spec() {
    return Spec("forgetful", "Numbers rows and saves nothing.")
        .primary(text("forgetful", "nothing"))
        .example("", "a: { from: b, forgetful: x }", "k STRING");
  }
  explicit Forgetful(const Options&) {}
  Schema bind(const Schema& input) override { return input.with({"n", types::bigint()}); }
  void process(Batch batch, const Epoch&, Emitter& out) override {
    Builder<int64_t> numbers;
    for (int64_t i = 0; i < batch.num_rows(); ++i) numbers.append(++count_);
    batch.add(numbers.finish());
    out.emit(std::move(batch));
  }
  void save(Writer&) const override {}
  void load(Reader&) override {}

 private:
  int64_t count_ = 0;
};

// Says that it has a key and numbers all rows of the object, whatever their key; saves the key
// last.
class Keyless final : public Stateful {
 public:
  static Spec spec() {
    return Spec("keyless", "Numbers rows without regard to the key.")
        .primary(column("keyless", "the key"))
        .option(boolean("saves", "It saves something.").with_default("false"))
        .example("", "a: { from: b, keyless: k }", "k STRING")
        .example("", "a: { from: b, keyless: k, saves: true }", "k STRING");
  }
  explicit Keyless(const Options& options)
      : name_(options.text("keyless")), saves_(options.boolean("saves")) {}
  Schema bind(const Schema& input) override {
    key_ = input.find(name_);
    return input.with({"n", types::bigint()});
  }
  std::vector<size_t> keys() const override { return {key_}; }
  void process(Batch batch, const Epoch&, Emitter& out) override {
    Builder<int64_t> numbers;
    for (int64_t i = 0; i < batch.num_rows(); ++i) numbers.append(++count_);
    batch.add(numbers.finish());
    out.emit(std::move(batch));
  }
  void save(Writer& writer) const override {
    Builder<int64_t> counts;
    counts.append(count_);
    if (saves_) writer.write("counts", {{"n", types::bigint()}}, Batch({counts.finish()}));
  }
  void load(Reader&) override {}

 private:
  std::string name_;
  bool saves_;
  size_t key_ = 0;
  int64_t count_ = 0;
};

// Writes wrongly in a way of choice.
class WrongWriter final : public RowWriter {
 public:
  explicit WrongWriter(std::string how) : how_(std::move(how)) {}
  void write(const Batch& batch, std::string& out) override {
    if (how_ == "write_throws" && batch.num_rows() > 0)
      throw std::runtime_error("write went wrong");
    if (how_ == "by_batch") out += std::to_string(batch.num_rows());
    for (int64_t i = 0; i < batch.num_rows(); ++i) {
      const auto values = batch.values<int64_t>(0);
      const bool lost = how_ == "loses" || values.is_null(i);
      out += (lost ? "0" : std::to_string(values[i])) + "\n";
    }
  }

 private:
  std::string how_;
};

// The same, with something behind the last row.
class EndedWriter final : public RowWriter {
 public:
  void begin(std::string& out) override { out += "[\n"; }
  void write(const Batch& batch, std::string& out) override {
    for (int64_t i = 0; i < batch.num_rows(); ++i) out += "row " + std::to_string(++rows_) + "\n";
  }
  void end(std::string& out) override { out += "]\n"; }

 private:
  int64_t rows_ = 0;
};

// Only writes, and numbers the rows of a file.
class Numbered {
 public:
  static Spec spec() {
    return Spec("numbered", "Numbers rows.")
        .example("", "a: { from: b, sink: file, path: out, format: numbered }", "n BIGINT");
  }
  explicit Numbered(const Options&) {}
  std::unique_ptr<EndedWriter> make_writer(const Schema&) const {
    return std::make_unique<EndedWriter>();
  }
};

// Only reads.
class OneWay final : public Format {
 public:
  static Spec spec() { return Spec("one_way", "Gives nulls."); }
  explicit OneWay(const Options&) {}
  void bind(const Schema&) override {}
  RecordRows read(const Values<std::string_view>& records,
                  const std::vector<bool>&) const override {
    return {Batch({nulls(records.size(), types::bigint())})};
  }
};

// A format that does wrong in a way of choice.
class WrongFormat final : public Format {
 public:
  static Spec spec() {
    return Spec("wrong_format", "Does wrong.")
        .option(text("how", "how"))
        .example("", "a: { from: b, parse: wrong_format, how: together, schema: \"n bigint\" }",
                 "value STRING", {"one", "two"})
        .example("", "a: { from: b, parse: wrong_format, how: rejects, schema: \"n bigint\" }",
                 "value STRING", {"one"})
        .example("", "a: { from: b, parse: wrong_format, how: by_batch, schema: \"n bigint\" }",
                 "value STRING", {"one"})
        .example("", "a: { from: b, parse: wrong_format, how: loses, schema: \"n bigint\" }",
                 "value STRING", {"one"})
        .example("",
                 "a: { from: b, sink: file, path: out, format: wrong_format, how: write_throws }",
                 "n BIGINT");
  }
  explicit WrongFormat(const Options& options) : how_(options.text("how")) {}
  void bind(const Schema& columns) override {
    if (how_ == "refuse") throw Error::option("schema", "there is no column at all");
    columns_ = columns;
  }
  RecordRows read(const Values<std::string_view>& records,
                  const std::vector<bool>&) const override {
    RecordRows out;
    Builder<int64_t> numbers;
    const int64_t rows = how_ == "short_rows" ? records.size() - 1 : records.size();
    for (int64_t i = 0; i < rows; ++i) numbers.append(how_ == "together" ? records.size() : i);
    out.rows = Batch({numbers.finish()});
    if (how_ == "wild_origin") out.origins = std::vector<int32_t>(records.size(), 1 << 30);
    if (how_ == "short_origins") out.origins = std::vector<int32_t>();
    if (how_ == "wild_bad") out.bad = {{-1, "no such record"}};
    if (how_ == "bad_twice") out.bad = {{0, "bad"}, {0, "bad"}};
    if (how_ == "rejects") {
      for (int64_t i = 0; i < records.size(); ++i) {
        if (!records.is_null(i)) out.bad.push_back({i, "not today"});
      }
    }
    if (how_ == "many_columns") out.rows.add(out.rows.column(0));
    if (how_ == "throw") throw std::runtime_error("read went wrong");
    return out;
  }
  std::unique_ptr<WrongWriter> make_writer(const Schema& columns) const {
    if (how_ == "make_writer_throws") throw std::runtime_error("make_writer went wrong");
    if (how_ == "refuse_writing") throw Error::option("how", "it cannot hold " + columns[0].name);
    return std::make_unique<WrongWriter>(how_);
  }

 private:
  std::string how_;
  Schema columns_;
};

}  // namespace

FLOWRUN_PLUGIN("wrong", "1.0.0", wrong(), stateful<Forgetful>("a number", true),
               stateful<Keyless>("a number", true), format<WrongFormat>(), format<Numbered>(),
               format<OneWay>())
