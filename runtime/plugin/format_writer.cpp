#include "runtime/plugin/made_format.h"

namespace flowrun {

namespace {

using Made = MadePtr<flowrun_format>;

// What all writers of one use of a format share.
struct BoundText {
  Made made;
  OwnedSchema schema;  // of the rows
};

// What a plugin appends goes to a string of the host's.
class ByteOutput {
 public:
  explicit ByteOutput(std::string& bytes) : bytes_(bytes) {}
  ByteOutput(const ByteOutput&) = delete;
  ByteOutput& operator=(const ByteOutput&) = delete;
  [[nodiscard]] const flowrun_output* get() const { return &raw_; }

 private:
  static flowrun_code append(void* context, const void* bytes, uint64_t count,
                             flowrun_error* error) noexcept {
    if (count == 0) return FLOWRUN_OK;
    if (!bytes) return report(Error::data("it appended bytes at a null pointer"), error);
    try {
      static_cast<ByteOutput*>(context)->bytes_.append(static_cast<const char*>(bytes), count);
      return FLOWRUN_OK;
    } catch (const std::exception&) {
      return report(Error::exhausted("there is no memory left for what it writes"), error);
    }
  }

  std::string& bytes_;
  flowrun_output raw_{sizeof(flowrun_output), this, append};
};

class PluginRowWriter final : public RowWriter {
 public:
  explicit PluginRowWriter(std::shared_ptr<const BoundText> text) : text_(std::move(text)) {}
  PluginRowWriter(const PluginRowWriter&) = delete;
  PluginRowWriter& operator=(const PluginRowWriter&) = delete;
  ~PluginRowWriter() override {
    if (raw_) static_cast<void>(made().call().plain(table().destroy_writer, raw_));
  }

  Status open() {
    const ArrowSchema* schema = text_->schema.get();
    FLOWRUN_RETURN_IF_ERROR(made().call()(table().make_writer, made().self(), schema, &raw_));
    if (raw_) return ok_status();
    return made().component().blame(Error::data("`make_writer` gave back a null pointer"));
  }
  Status begin(std::string& out) override { return put(table().begin, out); }
  Status write(const RecordBatch& batch, std::string& out) override {
    OwnedArray array;
    FLOWRUN_RETURN_IF_ERROR(export_batch(batch, array.get(), made().component().text()));
    const ByteOutput output(out);
    return made().call()(table().write, raw_, array.get(), output.get());
  }
  Status end(std::string& out) override { return put(table().end, out); }

 private:
  [[nodiscard]] const MadeOperator<flowrun_format>& made() const { return *text_->made; }
  [[nodiscard]] const flowrun_format& table() const { return made().table(); }
  template <class Function>
  Status put(Function function, std::string& out) {
    if (!function) return ok_status();
    const ByteOutput output(out);
    return made().call()(function, raw_, output.get());
  }

  std::shared_ptr<const BoundText> text_;
  void* raw_ = nullptr;
};

class PluginText final : public RowText {
 public:
  explicit PluginText(std::shared_ptr<const BoundText> text)
      : text_(std::move(text)), extension_(string_of(text_->made->table().extension)) {
    if (extension_.empty()) extension_ = text_->made->component().name;
  }

  [[nodiscard]] Result<std::unique_ptr<RowWriter>> make_writer() const override {
    auto writer = std::make_unique<PluginRowWriter>(text_);
    FLOWRUN_RETURN_IF_ERROR(writer->open());
    return writer;
  }
  [[nodiscard]] bool writers_remember() const override { return true; }
  [[nodiscard]] bool has_end() const override { return text_->made->table().end != nullptr; }
  [[nodiscard]] std::string_view extension() const override { return extension_; }

 private:
  std::shared_ptr<const BoundText> text_;
  std::string extension_;
};

}  // namespace

Result<std::unique_ptr<RowText>> make_plugin_text(const ComponentPtr& component,
                                                  const SchemaPtr& schema, const Options& options,
                                                  const MakeContext& context) {
  FLOWRUN_TRY(const Options own, format_options(*component, options));
  auto bound = std::make_shared<BoundText>();
  bound->schema = OwnedSchema::of(*schema, component->text());
  FLOWRUN_TRY(bound->made, make_object<flowrun_format>(component, own, context));
  auto text = std::make_unique<PluginText>(std::move(bound));
  // What the format cannot hold is said now.
  FLOWRUN_TRY(const auto tried, text->make_writer());
  static_cast<void>(tried);
  return text;
}

RegisteredFormat plugin_format(const ComponentPtr& component) {
  const auto table = component->table<flowrun_format>();
  RegisteredFormat format{component->spec, {}, {}, "plugin `" + component->plugin + "`"};
  if (table.read) {
    format.make = [component](const SchemaPtr& schema, const Options& options,
                              const MakeContext& context) {
      return make_plugin_format(component, schema, options, context);
    };
  }
  if (table.write) {
    format.make_text = [component](const SchemaPtr& schema, const Options& options,
                                   const MakeContext& context) {
      return make_plugin_text(component, schema, options, context);
    };
  }
  return format;
}

}  // namespace flowrun
