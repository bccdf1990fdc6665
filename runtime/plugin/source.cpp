#include <fmt/format.h>

#include <chrono>

#include "runtime/plugin/made_operator.h"

namespace flowrun {

namespace {

using Made = MadePtr<flowrun_source>;

class PluginSource final : public Source {
 public:
  explicit PluginSource(Made made) : made_(std::move(made)), table_(made_->table()) {}

  Result<SchemaPtr> bind() override {
    ArrowSchema raw{};
    FLOWRUN_RETURN_IF_ERROR(made_->call()(table_.bind, made_->self(), &raw));
    FLOWRUN_TRY(port_, take_schema(made_->component(), OwnedSchema(raw)));
    return port_.schema;
  }
  Status open(std::optional<Offset> offset) override {
    const flowrun_text text = offset ? text_of(offset->text) : flowrun_text{};
    const flowrun_text* from = offset ? &text : nullptr;
    return made_->call()(table_.open, made_->self(), from);
  }
  Result<Chunk> read(Deadline deadline) override;
  void committed(const Offset& offset) override {
    static_cast<void>(made_->call().plain(table_.committed, made_->self(), text_of(offset.text)));
  }
  void cancel() override { static_cast<void>(made_->call().plain(table_.cancel, made_->self())); }
  void close() override { static_cast<void>(made_->call().plain(table_.close, made_->self())); }
  Status probe() override {
    return table_.probe ? made_->call()(table_.probe, made_->self()) : Source::probe();
  }
  void stop_at_end() override {
    static_cast<void>(made_->call().plain(table_.stop_at_end, made_->self()));
  }
  void narrow(const ColumnSet& wanted) override {
    const std::vector<int32_t> asked(wanted.begin(), wanted.end());
    static_cast<void>(
        made_->call().plain(table_.narrow, made_->self(), asked.data(), uint64_t{asked.size()}));
  }
  [[nodiscard]] std::string describe() const override {
    return made_->component().name + " of plugin `" + made_->component().plugin + "`";
  }
  [[nodiscard]] bool marks_epochs() const override { return has(FLOWRUN_SOURCE_MARKS_EPOCHS); }
  [[nodiscard]] bool finite() const override { return has(FLOWRUN_SOURCE_FINITE); }
  [[nodiscard]] std::string guarantee() const override {
    return has(FLOWRUN_SOURCE_REPLAYABLE) ? "replayable" : "at most once";
  }

 private:
  [[nodiscard]] bool has(uint32_t flag) const { return (table_.flags & flag) != 0; }
  Result<Chunk::Mark> mark_of(int32_t mark) const;
  Result<std::vector<Rejection>> rejected_of(const flowrun_chunk& raw) const;

  Made made_;
  const flowrun_source& table_;
  BoundPort port_;
};

Result<Chunk::Mark> PluginSource::mark_of(int32_t mark) const {
  switch (mark) {
    case FLOWRUN_MORE:
      return Chunk::Mark::more;
    case FLOWRUN_EPOCH_ENDS:
      return Chunk::Mark::epoch_ends;
    case FLOWRUN_STREAM_ENDS:
      return Chunk::Mark::stream_ends;
    case FLOWRUN_IDLE:
      return Chunk::Mark::idle;
    default:
      return made_->component().blame(Error::data(
          fmt::format("`read` gave the mark {}, which is none of flowrun_plugin.h", mark)));
  }
}

Result<std::vector<Rejection>> PluginSource::rejected_of(const flowrun_chunk& raw) const {
  std::vector<Rejection> rejected;
  for (uint64_t i = 0; i < raw.num_rejected; ++i) {
    if (!raw.rejected || !raw.rejected[i])
      return made_->component().blame(
          Error::data(fmt::format("`read` gave a null pointer for rejected record {}", i)));
    const auto record = known_part<flowrun_rejection>(raw.rejected[i]);
    rejected.push_back({string_of(record.source), string_of(record.offset),
                        string_of(record.reason),
                        string_of(record.raw).substr(0, Rejection::kKeptBytes)});
  }
  return rejected;
}

Result<Chunk> PluginSource::read(Deadline deadline) {
  const int64_t now = std::chrono::duration_cast<std::chrono::microseconds>(
                          std::chrono::steady_clock::now().time_since_epoch())
                          .count();
  const int64_t timeout = std::max<int64_t>(deadline.monotonic - now, 0);
  flowrun_chunk raw{};
  raw.size = sizeof(flowrun_chunk);
  Status done = made_->call()(table_.read, made_->self(), timeout, &raw);
  OwnedArray rows(&raw.rows);
  if (!done) return std::move(done.error());
  Chunk chunk;
  FLOWRUN_TRY(chunk.mark, mark_of(raw.mark));
  chunk.offset.text = string_of(raw.offset);
  chunk.bytes = std::max<int64_t>(raw.bytes, 0);
  FLOWRUN_TRY(chunk.rejected, rejected_of(raw));
  if (!rows.get()->release) return chunk;
  FLOWRUN_TRY(chunk.rows, take_batch(made_->component(), port_, nullptr, rows.get()));
  return chunk;
}

}  // namespace

Result<MadeSource> make_plugin_source(const ComponentPtr& component, const Options& options,
                                      const MakeContext& context) {
  FLOWRUN_TRY(Made made, make_object<flowrun_source>(component, options, context));
  return MadeSource{std::make_unique<PluginSource>(std::move(made)), nullptr};
}

}  // namespace flowrun
