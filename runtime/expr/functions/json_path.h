#pragma once
// A JSON path as get_json_object takes it, and the search for it in a JSON text.
//
//   auto path = JsonPath::compile("$.a[*].b");       // nothing if it is no path
//   JsonPathFinder finder;
//   if (finder.find(text, *path, out)) ...             // out: what Spark's get_json_object answers

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/format/json_tokens.h"

namespace flowrun {

class JsonPath {
 public:
  struct Step {
    enum class Kind : uint8_t { name, any_name, index, any_index } kind = Kind::name;
    std::string name;
    int64_t index = 0;
  };
  static std::optional<JsonPath> compile(std::string_view text);
  [[nodiscard]] std::span<const Step> steps() const { return steps_; }

 private:
  std::vector<Step> steps_;
};

// Writes the value at which the tokens stand as compact JSON, numbers as Jackson rewrites them. The
// tokens end on its last. False: the text is broken.
bool append_json_tokens(JsonTokens& tokens, std::string& out);

// Not thread-safe; meant for many texts.
class JsonPathFinder {
 public:
  JsonPathFinder() : tokens_(options_) {}
  JsonPathFinder(const JsonPathFinder&) = delete;
  JsonPathFinder& operator=(const JsonPathFinder&) = delete;
  // False: nothing there, or the text is no JSON.
  bool find(std::string_view text, const JsonPath& path, std::string& out);

 private:
  using Steps = std::span<const JsonPath::Step>;
  // How a match is written: a string bare, everything quoted, or arrays within arrays opened.
  enum class Style : uint8_t { raw, quoted, flatten };
  // Where matches go; inside an array commas part them.
  struct Target {
    std::string* text;
    bool in_array = false;
    bool empty = true;
    void separate() {
      if (in_array && !empty) *text += ',';
      empty = false;
    }
  };

  bool next();
  bool value(Steps steps, Style style, Target& target);
  bool whole(Style style, Target& target);
  bool member(Steps steps, Style style, Target& target);
  bool element(Steps steps, Style style, Target& target);
  bool every_element(Steps steps, Style style, Target& target);

  JsonReadOptions options_;
  JsonTokens tokens_;
  bool broken_ = false;
};

}  // namespace flowrun
