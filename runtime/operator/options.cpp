#include "runtime/operator/options.h"

#include "runtime/base/check.h"

namespace flowrun {

Error OptionValue::place(Error error) const {
  if (error.position.known()) return error;
  Position where = position;
  if (error.offset && where.known() && !interpolated) {
    const auto offset = static_cast<int32_t>(*error.offset);
    TextMark mark{0, where.line, where.column + (quoted ? 1 : 0)};
    for (const TextMark& candidate : marks) {
      if (candidate.offset <= offset) mark = candidate;
    }
    where.line = mark.line;
    where.column = mark.column + offset - mark.offset;
    where.length = 0;
  }
  error.position = where;
  return error;
}

const OptionValue* Options::find(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? nullptr : &found->second;
}

const OptionValue& Options::at(std::string_view name) const {
  const OptionValue* value = find(name);
  FLOWRUN_CHECK(value, "an option that is read is in the operator's spec");
  return *value;
}

std::string Options::text_or(std::string_view name, std::string_view fallback) const {
  const OptionValue* value = find(name);
  return value ? value->text : std::string(fallback);
}

int64_t Options::integer_or(std::string_view name, int64_t fallback) const {
  const OptionValue* value = find(name);
  return value ? value->integer : fallback;
}

bool Options::boolean_or(std::string_view name, bool fallback) const {
  const OptionValue* value = find(name);
  return value ? value->boolean : fallback;
}

std::vector<std::string> Options::texts(std::string_view name) const {
  std::vector<std::string> texts;
  if (const OptionValue* value = find(name)) {
    for (const OptionValue& item : value->items) texts.push_back(item.text);
  }
  return texts;
}

Options Options::group(std::string_view name) const {
  Options inside;
  if (const OptionValue* value = find(name)) {
    for (size_t i = 0; i < value->items.size(); ++i)
      inside.set(value->keys[i].first, value->items[i]);
  }
  return inside;
}

}  // namespace flowrun
