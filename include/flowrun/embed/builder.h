// Builder: a pipeline without a text. What is wrong with it is said as for a file, by node.
//
//   flowrun::Builder pipeline;
//   pipeline.set("trigger", "2 seconds");
//   pipeline.node("in").option("source", "push").option("schema", "word STRING");
//   pipeline.node("counts").from("in").option("group_by", {"word"}).option("agg", "count");
//   pipeline.node("out").from("counts").option("sink", "pull").option("mode", "update");
#ifndef FLOWRUN_EMBED_BUILDER_H
#define FLOWRUN_EMBED_BUILDER_H

#include <cstdio>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "status.h"

namespace flowrun {
inline namespace api_v1 {

// What an option may be: a text, a number, a boolean, a list, a map.
class Value {
 public:
  Value(const char* text) : text_(text) {}                                      // NOLINT
  Value(std::string text) : text_(std::move(text)) {}                           // NOLINT
  Value(int64_t number) : kind_(Kind::plain), text_(std::to_string(number)) {}  // NOLINT
  Value(int number) : Value(static_cast<int64_t>(number)) {}                    // NOLINT
  Value(double number) : kind_(Kind::plain) {                                   // NOLINT
    char digits[32];
    std::snprintf(digits, sizeof(digits), "%.17g", number);
    text_ = digits;
  }
  Value(bool boolean) : kind_(Kind::plain), text_(boolean ? "true" : "false") {}  // NOLINT
  Value(std::initializer_list<Value> items) : kind_(Kind::list), items_(items) {}
  static Value map(std::vector<std::pair<std::string, Value>> entries) {
    Value value("");
    value.kind_ = Kind::map;
    for (auto& [key, item] : entries) {
      value.keys_.push_back(std::move(key));
      value.items_.push_back(std::move(item));
    }
    return value;
  }
  void write(flowrun_builder* out, const char* key) const {
    switch (kind_) {
      case Kind::text:
        return flowrun_builder_text(out, key, text_.c_str());
      case Kind::plain:
        return flowrun_builder_plain(out, key, text_.c_str());
      case Kind::list:
        flowrun_builder_list(out, key);
        for (const Value& item : items_) item.write(out, nullptr);
        return flowrun_builder_end(out);
      case Kind::map:
        flowrun_builder_map(out, key);
        for (size_t i = 0; i < items_.size(); ++i) items_[i].write(out, keys_[i].c_str());
        return flowrun_builder_end(out);
    }
  }

 private:
  friend class Node;
  enum class Kind { text, plain, list, map };
  Kind kind_ = Kind::text;
  std::string text_;
  std::vector<Value> items_;
  std::vector<std::string> keys_;
};

// Of a Builder, which must outlive it.
class Node {
 public:
  // What it reads; several are united.
  Node& from(std::string node) { return option("from", std::move(node)); }
  Node& option(std::string name, Value value) {
    value_.keys_.push_back(std::move(name));
    value_.items_.push_back(std::move(value));
    return *this;
  }

 private:
  friend class Builder;
  explicit Node(std::string name) : name_(std::move(name)) {}
  std::string name_;
  Value value_ = Value::map({});
};

class Builder {
 public:
  // A key of the top level: name, trigger, threads, memory ...
  Builder& set(std::string key, Value value) {
    top_.emplace_back(std::move(key), std::move(value));
    return *this;
  }
  Node& node(std::string name) {
    nodes_.push_back(std::unique_ptr<Node>(new Node(std::move(name))));
    return *nodes_.back();
  }
  // A static table, by its options.
  Builder& table(std::string name, std::vector<std::pair<std::string, Value>> options) {
    tables_.emplace_back(std::move(name), Value::map(std::move(options)));
    return *this;
  }
  void write(flowrun_builder* out) const {
    for (const auto& [key, value] : top_) value.write(out, key.c_str());
    if (!tables_.empty()) {
      flowrun_builder_map(out, "tables");
      for (const auto& [name, value] : tables_) value.write(out, name.c_str());
      flowrun_builder_end(out);
    }
    flowrun_builder_map(out, "nodes");
    for (const auto& node : nodes_) node->value_.write(out, node->name_.c_str());
    flowrun_builder_end(out);
  }

 private:
  std::vector<std::pair<std::string, Value>> top_;
  std::vector<std::pair<std::string, Value>> tables_;
  std::vector<std::unique_ptr<Node>> nodes_;
};

}  // namespace api_v1
}  // namespace flowrun

#endif
