#pragma once
// JsonPathFinder: get_json_object's paths, walked as Spark walks them.
//
//   JsonPathFinder finder;
//   finder.find("{\"a\":[1,2]}", "$.a[1]", out)   // true, out is "2"
//
// A path is $ and then .name, ['name'], [0], [*] or .* any number of times.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/format/json_tokens.h"

namespace flowrun {

// Remembers the last path. Not thread-safe.
class JsonPathFinder {
 public:
  // False: the path leads nowhere, or is none, or the text is no JSON. `out` is then undefined.
  bool find(std::string_view text, std::string_view path, std::string& out);

 private:
  struct Step {
    enum class Kind : uint8_t { name, index, any_field, any_element } kind;
    std::string name = {};
    int64_t index = 0;
  };
  // How a text is written: bare, in quotes, or with arrays dissolved into the one around them.
  enum class Style : uint8_t { raw, quoted, flat };
  using Steps = std::span<const Step>;

  static bool parse(std::string_view path, std::vector<Step>& steps);
  bool walk(Steps steps, Style style);
  bool walk_object(Steps steps, Style style);
  bool walk_array(Steps steps, Style style);
  bool walk_elements(Steps rest, Style style, bool dissolve);
  bool walk_index(const Step& step, Steps rest, Style style);
  bool copy();
  bool advance();
  void separate();

  std::string path_;
  bool path_valid_ = false;
  std::vector<Step> steps_;
  JsonReadOptions options_;
  JsonTokens tokens_{options_};
  bool broken_ = false;
  std::string* out_ = nullptr;
};

}  // namespace flowrun
