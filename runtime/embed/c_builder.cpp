#include "runtime/embed/c_builder.h"

#include <utility>

using flowrun::RawValue;

flowrun_builder::flowrun_builder() { begin(RawValue::Kind::map, ""); }

void flowrun_builder::begin(RawValue::Kind kind, const char* key) {
  Open open{key ? key : "", {}};
  open.value.kind = kind;
  open_.push_back(std::move(open));
}

void flowrun_builder::scalar(const char* key, std::string text, bool quoted) {
  RawValue value = RawValue::scalar(std::move(text));
  value.quoted = quoted;
  add(key ? key : "", std::move(value));
}

// The outermost map cannot be ended: what follows goes into it.
void flowrun_builder::end() {
  if (open_.size() == 1) return;
  Open ended = std::move(open_.back());
  open_.pop_back();
  add(ended.key, std::move(ended.value));
}

RawValue flowrun_builder::document() const {
  flowrun_builder copy = *this;
  while (copy.open_.size() > 1) copy.end();
  return std::move(copy.open_.front().value);
}

void flowrun_builder::add(const std::string& key, RawValue value) {
  RawValue& parent = open_.back().value;
  if (parent.kind == RawValue::Kind::map) parent.keys.push_back({key, {}, false});
  parent.items.push_back(std::move(value));
}

flowrun_builder* flowrun_builder_new(void) { return new flowrun_builder; }
void flowrun_builder_release(flowrun_builder* builder) { delete builder; }
void flowrun_builder_map(flowrun_builder* builder, const char* key) {
  builder->begin(RawValue::Kind::map, key);
}
void flowrun_builder_list(flowrun_builder* builder, const char* key) {
  builder->begin(RawValue::Kind::list, key);
}
void flowrun_builder_text(flowrun_builder* builder, const char* key, const char* text) {
  builder->scalar(key, text, true);
}
void flowrun_builder_plain(flowrun_builder* builder, const char* key, const char* text) {
  builder->scalar(key, text, false);
}
void flowrun_builder_end(flowrun_builder* builder) { builder->end(); }
