#include "runtime/config/document_builder.h"

#include <algorithm>
#include <array>

#include "runtime/base/suggest.h"

namespace flowrun {

namespace {

constexpr size_t kMostReports = 200;

// "null" or "~" if the word stands there as a value of its own, "" if nothing was written and what
// stands there is the next key.
std::string_view null_word(std::string_view source, size_t offset, bool at_key) {
  constexpr std::array<std::string_view, 4> kWords = {"null", "Null", "NULL", "~"};
  const std::string_view rest = source.substr(std::min(offset, source.size()));
  for (const std::string_view word : kWords) {
    if (!rest.starts_with(word)) continue;
    const std::string_view behind = rest.substr(word.size());
    constexpr std::string_view kEnds = " \t\n,]}:";
    if (!behind.empty() && kEnds.find(behind[0]) == std::string_view::npos) continue;
    const size_t next = behind.find_first_not_of(" \t");
    const bool is_key = next != std::string_view::npos && behind[next] == ':';
    return is_key && !at_key ? std::string_view() : word;
  }
  return {};
}

std::string place(const Position& position) {
  return "line " + std::to_string(position.line) + ", column " + std::to_string(position.column);
}

}  // namespace

DocumentBuilder::DocumentBuilder(const LineIndex& lines, std::shared_ptr<const std::string> file,
                                 YamlLimits limits, Diagnostics& diagnostics)
    : lines_(lines), file_(std::move(file)), limits_(limits), diagnostics_(diagnostics) {}

Position DocumentBuilder::position_at(size_t offset, int32_t length) const {
  const TextMark mark = lines_.mark_at(offset);
  return {file_, mark.line, mark.column, length};
}

void DocumentBuilder::report(std::string message, const Position& position) {
  if (++reports_ > kMostReports) {
    failure_ = Error::invalid("too many errors to go on — correct those above first").at(position);
    return;
  }
  diagnostics_.push_back({Diagnostic::Severity::error, std::move(message), "", position});
}

bool DocumentBuilder::at_key() const {
  return !frames_.empty() && frames_.back().value.kind == RawValue::Kind::map &&
         !frames_.back().key && !frames_.back().bad_key;
}

bool DocumentBuilder::count(size_t values, size_t bytes, size_t depth, const Position& position) {
  values_ += values;
  bytes_ += bytes;
  const auto fail = [&](std::string message) {
    failure_ = Error::invalid(std::move(message)).at(position);
    return false;
  };
  if (values_ > limits_.values) {
    return fail("more than " + std::to_string(limits_.values) +
                " values, aliases expanded — make the file smaller");
  }
  if (bytes_ > limits_.bytes) {
    return fail("more than " + std::to_string(limits_.bytes >> 20) +
                " MiB of text, aliases expanded — make the file smaller");
  }
  if (frames_.size() + depth > limits_.depth) {
    return fail("nested deeper than " + std::to_string(limits_.depth) +
                " levels — make it flatter");
  }
  return true;
}

bool DocumentBuilder::accept_tag(std::string_view tag, const Position& position) {
  constexpr std::array<std::string_view, 9> kHarmless = {"",
                                                         "?",
                                                         "!",
                                                         "tag:yaml.org,2002:str",
                                                         "tag:yaml.org,2002:int",
                                                         "tag:yaml.org,2002:float",
                                                         "tag:yaml.org,2002:bool",
                                                         "tag:yaml.org,2002:map",
                                                         "tag:yaml.org,2002:seq"};
  if (std::ranges::find(kHarmless, tag) != kHarmless.end()) return true;
  constexpr std::string_view kStandard = "tag:yaml.org,2002:";
  const std::string shown = tag.starts_with(kStandard)
                                ? "!!" + std::string(tag.substr(kStandard.size()))
                                : std::string(tag);
  report("the tag " + back_quoted(shown) +
             " means nothing here — remove it; an option's spec gives a value its type",
         position);
  return false;
}

void DocumentBuilder::null(size_t offset, Anchor anchor) {
  if (failure_) return;
  const size_t start = skip_properties(lines_.source(), offset);
  const std::string_view word = null_word(lines_.source(), start, at_key());
  if (!word.empty()) return scalar(offset, "?", anchor, std::string(word));
  RawValue value;
  value.position = position_at(offset, 0);
  if (count(1, 0, 0, value.position)) complete(std::move(value), anchor, 0);
}

void DocumentBuilder::alias(size_t offset, Anchor anchor) {
  if (failure_) return;
  const Position position = position_at(offset, 0);
  const auto found = anchors_.find(anchor);
  if (found == anchors_.end()) {
    failure_ = Error::invalid(
                   "an alias inside the very value it stands for — a value cannot contain itself")
                   .at(position);
    return;
  }
  const Anchored& anchored = found->second;
  if (!count(anchored.values, anchored.bytes, anchored.depth, position)) return;
  complete(anchored.value, 0, anchored.depth);
}

void DocumentBuilder::scalar(size_t offset, std::string_view tag, Anchor anchor,
                             const std::string& text) {
  if (failure_) return;
  ScalarSource source = locate_scalar(lines_, offset, text);
  RawValue value;
  value.kind = RawValue::Kind::scalar;
  value.position = position_at(source.offset, source.length);
  value.quoted = source.quoted || tag == "!" || tag.ends_with(":str");
  value.text = text;
  value.marks = std::move(source.marks);
  // A block or a tag counts as quoted, but has no quote to skip.
  if (value.quoted && !source.quoted && value.marks.empty()) {
    value.marks.push_back({0, value.position.line, value.position.column});
  }
  if (text.find('\0') != std::string::npos)
    report("a text cannot hold a NUL — remove the escape", value.position);
  accept_tag(tag, value.position);
  if (count(1, text.size(), 0, value.position)) complete(std::move(value), anchor, 0);
}

void DocumentBuilder::begin(RawValue::Kind kind, size_t offset, std::string_view tag,
                            Anchor anchor) {
  if (failure_) return;
  Frame frame;
  frame.value.kind = kind;
  frame.value.position = position_at(skip_properties(lines_.source(), offset), 0);
  frame.anchor = anchor;
  accept_tag(tag, frame.value.position);
  if (count(1, 0, 1, frame.value.position)) frames_.push_back(std::move(frame));
}

void DocumentBuilder::begin_list(size_t offset, std::string_view tag, Anchor anchor) {
  begin(RawValue::Kind::list, offset, tag, anchor);
}

void DocumentBuilder::begin_map(size_t offset, std::string_view tag, Anchor anchor) {
  begin(RawValue::Kind::map, offset, tag, anchor);
}

void DocumentBuilder::end() {
  if (failure_) return;
  Frame frame = std::move(frames_.back());
  frames_.pop_back();
  apply_merges(frame);
  complete(std::move(frame.value), frame.anchor, frame.depth_below + 1);
}

namespace {

void measure(const RawValue& value, size_t& values, size_t& bytes) {
  ++values;
  bytes += value.text.size();
  for (const RawValue& item : value.items) measure(item, values, bytes);
}

}  // namespace

void DocumentBuilder::complete(RawValue value, Anchor anchor, size_t depth) {
  if (anchor != 0) {
    Anchored anchored{value, 0, 0, depth};
    measure(value, anchored.values, anchored.bytes);
    anchors_.insert_or_assign(anchor, std::move(anchored));
  }
  if (frames_.empty()) {
    root_ = std::move(value);
    return;
  }
  Frame& frame = frames_.back();
  frame.depth_below = std::max(frame.depth_below, depth);
  if (frame.value.kind == RawValue::Kind::list) {
    frame.value.items.push_back(std::move(value));
  } else if (!frame.key && !frame.bad_key) {
    take_key(frame, value);
  } else {
    take_entry(frame, std::move(value));
  }
}

void DocumentBuilder::take_key(Frame& frame, const RawValue& key) {
  if (key.kind != RawValue::Kind::scalar) {
    report("a key must be a plain word, not " + key.shown() + " — write `name: value`",
           key.position);
    frame.bad_key = true;
    return;
  }
  const auto [same, fresh] = frame.known_keys.emplace(key.text, key.position);
  if (!fresh) {
    report("the key " + back_quoted(key.text) + " stands here twice, first at " +
               place(same->second) + " — remove one",
           key.position);
    frame.bad_key = true;
    return;
  }
  frame.key = RawValue::Key{key.text, key.position, key.quoted};
}

void DocumentBuilder::take_entry(Frame& frame, RawValue value) {
  const bool dropped = frame.bad_key;
  frame.bad_key = false;
  if (dropped) return;
  if (frame.key->text == "<<" && !frame.key->quoted) {
    frame.merged.push_back(std::move(value));
  } else {
    if (!value.position.known() || value.kind == RawValue::Kind::empty)
      value.position = frame.key->position;
    frame.value.keys.push_back(*frame.key);
    frame.value.items.push_back(std::move(value));
  }
  frame.key.reset();
}

void DocumentBuilder::apply_merges(Frame& frame) {
  for (const RawValue& merged : frame.merged) {
    if (merged.kind == RawValue::Kind::list) {
      for (const RawValue& map : merged.items) merge(frame, map);
    } else {
      merge(frame, merged);
    }
  }
}

void DocumentBuilder::merge(Frame& frame, const RawValue& map) {
  if (map.kind != RawValue::Kind::map) {
    report("`<<` takes in mappings, not " + map.shown() + " — write `<<: *anchor` of a mapping",
           map.position);
    return;
  }
  for (size_t i = 0; i < map.keys.size(); ++i) {
    if (!frame.known_keys.emplace(map.keys[i].text, map.keys[i].position).second) continue;
    frame.value.keys.push_back(map.keys[i]);
    frame.value.items.push_back(map.items[i]);
  }
}

}  // namespace flowrun
