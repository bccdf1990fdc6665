// sink: discard. Takes rows and forgets them: for benchmarks and for running a graph without a
// result.

#include <memory>

#include "runtime/operator/registry.h"

namespace flowrun {

namespace {

class DiscardSink final : public Sink {
 public:
  Status bind(const SinkInput&) override { return {}; }
  [[nodiscard]] bool accepts(OutputMode, bool) const override { return true; }
  Status open(std::optional<Token>) override { return {}; }
  Status write(EpochId, const RecordBatch&) override { return {}; }
  Result<Token> prepare(EpochId) override { return Token{}; }
  Status commit(EpochId, const Token&) override { return {}; }
  Status abort(EpochId) override { return {}; }
  [[nodiscard]] std::string describe() const override { return "discard"; }
};

OperatorSpec spec() {
  OperatorSpec spec;
  spec.name = "discard";
  spec.summary = "Takes rows and forgets them.";
  spec.doc =
      "The graph before it runs as for any other sink: for measuring, and for counting what is "
      "rejected or late.";
  spec.examples = {
      {"Run a graph for its counters alone",
       "lines: { source: socket, port: 9999 }\nnowhere: { from: lines, sink: discard }\n"}};
  return spec;
}

}  // namespace

void register_discard_sink(Registry& registry) {
  registry.add_sink(spec(),
                    [](const Options&, const MakeContext&) -> Result<std::unique_ptr<Sink>> {
                      return std::make_unique<DiscardSink>();
                    });
}

}  // namespace flowrun
