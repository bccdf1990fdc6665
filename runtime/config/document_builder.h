#pragma once
// The events of a YAML parser made a RawValue: anchors, merge keys, duplicate keys, limits. Knows
// no parser.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/config/diagnostic.h"
#include "runtime/config/scalar_source.h"
#include "runtime/config/yaml_document.h"

namespace flowrun {

// Calls come in the order of the document. `offset` is where the node begins in the source (its
// anchor and tag included); anchor 0 is none. A limit that is passed stops the parser: `failure()`
// is set and every later call is ignored.
class DocumentBuilder {
 public:
  using Anchor = size_t;
  DocumentBuilder(const LineIndex& lines, std::shared_ptr<const std::string> file,
                  YamlLimits limits, Diagnostics& diagnostics);

  void null(size_t offset, Anchor anchor);
  void alias(size_t offset, Anchor anchor);
  void scalar(size_t offset, std::string_view tag, Anchor anchor, const std::string& text);
  void begin_list(size_t offset, std::string_view tag, Anchor anchor);
  void begin_map(size_t offset, std::string_view tag, Anchor anchor);
  void end();  // of the list or map begun last

  [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }
  // REQUIRES: the document has ended.
  [[nodiscard]] RawValue take() { return std::move(root_); }

 private:
  struct Frame {
    RawValue value;
    Anchor anchor = 0;
    std::optional<RawValue::Key> key;  // of a map: read, waiting for its value
    bool bad_key = false;              // the key was reported: its value is dropped
    std::map<std::string, Position, std::less<>> known_keys;  // explicit and merged ones
    std::vector<RawValue> merged;                             // values of `<<`
    size_t depth_below = 0;
  };
  struct Anchored {
    RawValue value;
    size_t values = 1;
    size_t bytes = 0;
    size_t depth = 0;
  };

  void begin(RawValue::Kind kind, size_t offset, std::string_view tag, Anchor anchor);
  void complete(RawValue value, Anchor anchor, size_t depth);
  void take_key(Frame& frame, const RawValue& key);
  void take_entry(Frame& frame, RawValue value);
  void apply_merges(Frame& frame);
  void merge(Frame& frame, const RawValue& map);
  bool count(size_t values, size_t bytes, size_t depth, const Position& position);
  bool accept_tag(std::string_view tag, const Position& position);
  [[nodiscard]] bool at_key() const;
  void report(std::string message, const Position& position);
  [[nodiscard]] Position position_at(size_t offset, int32_t length) const;

  const LineIndex& lines_;
  std::shared_ptr<const std::string> file_;
  YamlLimits limits_;
  Diagnostics& diagnostics_;
  std::vector<Frame> frames_;
  std::map<Anchor, Anchored> anchors_;
  size_t values_ = 0;
  size_t bytes_ = 0;
  std::optional<Error> failure_;
  size_t reports_ = 0;
  RawValue root_;
};

}  // namespace flowrun
