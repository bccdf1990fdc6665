#include "runtime/operator/option_reading.h"

namespace flowrun {

namespace {

constexpr size_t kShownLength = 60;

}  // namespace

RawValue RawValue::scalar(std::string text) {
  RawValue value;
  value.kind = Kind::scalar;
  value.text = std::move(text);
  return value;
}

RawValue RawValue::list(std::vector<RawValue> items) {
  RawValue value;
  value.kind = Kind::list;
  value.items = std::move(items);
  return value;
}

// Its elements are moved out of it.
// NOLINTNEXTLINE(performance-unnecessary-value-param)
RawValue RawValue::map(std::vector<std::pair<std::string, RawValue>> entries) {
  RawValue value;
  value.kind = Kind::map;
  for (auto& [key, item] : entries) {
    value.keys.push_back({std::move(key), {}, false});
    value.items.push_back(std::move(item));
  }
  return value;
}

const RawValue* RawValue::find(std::string_view key) const {
  for (size_t i = 0; i < keys.size(); ++i) {
    if (keys[i].text == key) return &items[i];
  }
  return nullptr;
}

std::string RawValue::shown() const {
  switch (kind) {
    case Kind::empty:
      return "nothing";
    case Kind::list:
      return "a list";
    case Kind::map:
      return "a mapping";
    case Kind::scalar:
      break;
  }
  std::string line = interpolated ? written : text;
  if (const size_t end = line.find('\n'); end != std::string::npos)
    line = line.substr(0, end) + "...";
  if (line.size() > kShownLength) {
    size_t end = kShownLength;
    while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xC0) == 0x80) --end;
    line = line.substr(0, end) + "...";
  }
  return "`" + line + "`";
}

}  // namespace flowrun
