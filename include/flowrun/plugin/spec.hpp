// What an operator says of itself, and the options it is made from. Part of flowrun/plugin.hpp:
// include that.
#ifndef FLOWRUN_PLUGIN_SPEC_HPP
#define FLOWRUN_PLUGIN_SPEC_HPP

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "columns.hpp"

// Nothing of this is seen from outside: two plugins may have classes of one name.
#pragma GCC visibility push(hidden)

namespace flowrun {
namespace plugin {

// An option; made by text(), integer(), column() and so on.
class Option {
 public:
  Option(int32_t kind, std::string name, std::string doc)
      : kind_(kind), name_(std::move(name)), doc_(std::move(doc)) {}
  Option required() && { return flag(FLOWRUN_OPTION_REQUIRED); }
  Option secret() && { return flag(FLOWRUN_OPTION_SECRET); }
  // As a pipeline's file would have it.
  Option with_default(std::string text) && {
    default_ = std::move(text);
    return std::move(*this);
  }
  Option at_least(int64_t least) && {
    least_ = least;
    return flag(FLOWRUN_OPTION_HAS_LEAST);
  }
  Option at_most(int64_t most) && {
    most_ = most;
    return flag(FLOWRUN_OPTION_HAS_MOST);
  }
  // It makes sense only where another option has that value.
  Option when(std::string option, std::string value) && {
    when_ = {std::move(option), std::move(value)};
    return std::move(*this);
  }

 private:
  friend class Spec;
  friend Option word(std::string, std::vector<std::string>, std::string);
  friend Option list_of(Option);
  friend Option map_of(Option);
  friend Option one_of(std::string, std::string, std::vector<Option>);
  Option flag(uint32_t flag) {
    flags_ |= flag;
    return std::move(*this);
  }

  int32_t kind_;
  std::string name_;
  std::string doc_;
  uint32_t flags_ = 0;
  std::optional<std::string> default_;
  int64_t least_ = 0;
  int64_t most_ = 0;
  std::vector<std::string> words_;
  std::vector<Option> parts_;  // list, map: the item; one_of: the alternatives
  std::pair<std::string, std::string> when_;
};

inline Option text(std::string name, std::string doc) {
  return {FLOWRUN_OPTION_TEXT, std::move(name), std::move(doc)};
}
inline Option integer(std::string name, std::string doc) {
  return {FLOWRUN_OPTION_INTEGER, std::move(name), std::move(doc)};
}
inline Option number(std::string name, std::string doc) {
  return {FLOWRUN_OPTION_NUMBER, std::move(name), std::move(doc)};
}
inline Option boolean(std::string name, std::string doc) {
  return {FLOWRUN_OPTION_BOOLEAN, std::move(name), std::move(doc)};
}
inline Option duration(std::string name, std::string doc) {
  return {FLOWRUN_OPTION_DURATION, std::move(name), std::move(doc)};
}
inline Option bytes(std::string name, std::string doc) {
  return {FLOWRUN_OPTION_BYTES, std::move(name), std::move(doc)};
}
inline Option path(std::string name, std::string doc) {
  return {FLOWRUN_OPTION_PATH, std::move(name), std::move(doc)};
}
inline Option column(std::string name, std::string doc) {
  return {FLOWRUN_OPTION_COLUMN, std::move(name), std::move(doc)};
}
inline Option schema(std::string name, std::string doc) {
  return {FLOWRUN_OPTION_SCHEMA, std::move(name), std::move(doc)};
}
inline Option word(std::string name, std::vector<std::string> words, std::string doc) {
  Option option(FLOWRUN_OPTION_WORD, std::move(name), std::move(doc));
  option.words_ = std::move(words);
  return option;
}
inline Option list_of(Option item) {
  Option list(FLOWRUN_OPTION_LIST, item.name_, item.doc_);
  list.parts_.push_back(std::move(item));
  return list;
}
inline Option map_of(Option item) {
  Option map(FLOWRUN_OPTION_MAP, item.name_, item.doc_);
  map.parts_.push_back(std::move(item));
  return map;
}
inline Option one_of(std::string name, std::string doc, std::vector<Option> alternatives) {
  Option option(FLOWRUN_OPTION_ONE_OF, std::move(name), std::move(doc));
  option.parts_ = std::move(alternatives);
  return option;
}

// What an operator or function is called and takes. From it come checking, help and completion.
class Spec {
 public:
  Spec(std::string name, std::string summary)
      : name_(std::move(name)), summary_(std::move(summary)) {}
  Spec doc(std::string text) && {
    doc_ = std::move(text);
    return std::move(*this);
  }
  // The value behind the operator's name.
  Spec primary(Option option) && {
    primary_ = std::move(option);
    return std::move(*this);
  }
  Spec option(Option option) && {
    options_.push_back(std::move(option));
    return std::move(*this);
  }
  // An output beside the main one.
  Spec port(std::string name) && {
    ports_.push_back(std::move(name));
    return std::move(*this);
  }
  // Nodes, and the columns they can be tried with: "k STRING, x DOUBLE" ("" for a source).
  Spec example(std::string title, std::string yaml, std::string input) && {
    examples_.push_back({std::move(title), std::move(yaml), std::move(input), {}});
    return std::move(*this);
  }
  // The same for a format: its input is a column of texts, of which it can read these.
  Spec example(std::string title, std::string yaml, std::string input,
               std::vector<std::string> records) && {
    examples_.push_back({std::move(title), std::move(yaml), std::move(input), std::move(records)});
    return std::move(*this);
  }

  const std::string& name() const { return name_; }
  size_t num_ports() const { return 1 + ports_.size(); }
  // For the ABI; lives as long as the Spec, which may not change or move after.
  const flowrun_spec* raw();

 private:
  struct Use {
    std::string title;
    std::string yaml;
    std::string input;
    std::vector<std::string> records;
  };
  const flowrun_option_spec* convert(const Option& option);

  std::string name_;
  std::string summary_;
  std::string doc_;
  std::optional<Option> primary_;
  std::vector<Option> options_;
  std::vector<std::string> ports_;
  std::vector<Use> examples_;

  flowrun_spec raw_{};
  std::deque<flowrun_option_spec> raw_options_;
  std::deque<std::vector<const flowrun_option_spec*>> option_lists_;
  std::deque<std::vector<const char*>> word_lists_;
  std::deque<flowrun_example> raw_examples_;
  std::vector<const flowrun_example*> example_list_;
};

inline const flowrun_option_spec* Spec::convert(const Option& option) {
  flowrun_option_spec& raw = raw_options_.emplace_back();
  raw = {};
  raw.size = sizeof raw;
  raw.name = option.name_.c_str();
  raw.kind = option.kind_;
  raw.flags = option.flags_;
  raw.doc = option.doc_.c_str();
  raw.default_text = option.default_ ? option.default_->c_str() : nullptr;
  raw.least = option.least_;
  raw.most = option.most_;
  if (!option.when_.first.empty()) {
    raw.when_option = option.when_.first.c_str();
    raw.when_value = option.when_.second.c_str();
  }
  auto& words = word_lists_.emplace_back();
  for (const std::string& word : option.words_) words.push_back(word.c_str());
  raw.words = words.data();
  raw.num_words = words.size();
  std::vector<const flowrun_option_spec*> parts;
  for (const Option& part : option.parts_) parts.push_back(convert(part));
  const auto& kept = option_lists_.emplace_back(std::move(parts));
  if (option.kind_ == FLOWRUN_OPTION_ONE_OF) {
    raw.alternatives = kept.data();
    raw.num_alternatives = kept.size();
  } else if (!kept.empty()) {
    raw.item = kept[0];
  }
  return &raw;
}

inline const flowrun_spec* Spec::raw() {
  std::vector<const flowrun_option_spec*> options;
  for (const Option& option : options_) options.push_back(convert(option));
  const auto& kept = option_lists_.emplace_back(std::move(options));
  auto& ports = word_lists_.emplace_back();
  for (const std::string& port : ports_) ports.push_back(port.c_str());
  for (const Use& use : examples_) {
    auto& records = word_lists_.emplace_back();
    for (const std::string& record : use.records) records.push_back(record.c_str());
    raw_examples_.push_back({sizeof(flowrun_example), use.title.c_str(), use.yaml.c_str(),
                             use.input.c_str(), records.data(), records.size()});
    example_list_.push_back(&raw_examples_.back());
  }
  raw_ = {sizeof(flowrun_spec),
          name_.c_str(),
          summary_.c_str(),
          doc_.c_str(),
          primary_ ? convert(*primary_) : nullptr,
          kept.data(),
          kept.size(),
          ports.data(),
          ports.size(),
          example_list_.data(),
          example_list_.size()};
  return &raw_;
}

// The checked options an operator is made from. Valid in its constructor only.
class Options {
 public:
  explicit Options(const flowrun_make& make) : make_(make) {}
  std::string node() const { return detail::string_of(make_.node); }
  bool has(std::string_view name) const { return find(name) != nullptr; }
  // Null if it was not written and has no default.
  const flowrun_value* find(std::string_view name) const {
    for (uint64_t i = 0; i < make_.options->count; ++i) {
      const flowrun_text key = make_.options->names[i];
      if (std::string_view(key.data, key.size) == name) return make_.options->values[i];
    }
    return nullptr;
  }
  std::string text(std::string_view name, std::string fallback = "") const {
    const flowrun_value* value = find(name);
    return value ? detail::string_of(value->text) : fallback;
  }
  int64_t integer(std::string_view name, int64_t fallback = 0) const {
    const flowrun_value* value = find(name);
    return value ? value->integer : fallback;
  }
  double number(std::string_view name, double fallback = 0) const {
    const flowrun_value* value = find(name);
    return value ? value->number : fallback;
  }
  bool boolean(std::string_view name, bool fallback = false) const {
    const flowrun_value* value = find(name);
    return value ? value->boolean != 0 : fallback;
  }
  // Of a list.
  std::vector<std::string> texts(std::string_view name) const {
    std::vector<std::string> texts;
    const flowrun_value* value = find(name);
    for (uint64_t i = 0; value && i < value->num_items; ++i)
      texts.push_back(detail::string_of(value->items[i]->text));
    return texts;
  }
  // Of an option of kind schema; empty if it was not written.
  Schema schema(std::string_view name) const {
    const flowrun_value* value = find(name);
    return value && value->schema ? Schema(*value->schema) : Schema();
  }

 private:
  const flowrun_make& make_;
};

}  // namespace plugin
}  // namespace flowrun

#pragma GCC visibility pop

#endif  // FLOWRUN_PLUGIN_SPEC_HPP
