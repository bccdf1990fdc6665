#include "runtime/plugin/made_operator.h"

namespace flowrun {

namespace {

int32_t kind_of(OptionKind kind) {
  switch (kind) {
    case OptionKind::word:
      return FLOWRUN_OPTION_WORD;
    case OptionKind::integer:
    case OptionKind::rows:
      return FLOWRUN_OPTION_INTEGER;
    case OptionKind::number:
      return FLOWRUN_OPTION_NUMBER;
    case OptionKind::boolean:
      return FLOWRUN_OPTION_BOOLEAN;
    case OptionKind::duration:
      return FLOWRUN_OPTION_DURATION;
    case OptionKind::bytes:
      return FLOWRUN_OPTION_BYTES;
    case OptionKind::path:
      return FLOWRUN_OPTION_PATH;
    case OptionKind::column:
      return FLOWRUN_OPTION_COLUMN;
    case OptionKind::data_type:
      return FLOWRUN_OPTION_DATA_TYPE;
    case OptionKind::schema:
      return FLOWRUN_OPTION_SCHEMA;
    case OptionKind::list:
      return FLOWRUN_OPTION_LIST;
    case OptionKind::map:
    case OptionKind::group:
      return FLOWRUN_OPTION_MAP;
    default:
      return FLOWRUN_OPTION_TEXT;
  }
}

}  // namespace

ExportedOptions::ExportedOptions(const Options& options) {
  for (const auto& [name, value] : options.values()) {
    names_.push_back(text_of(name));
    top_.push_back(convert(value));
  }
  raw_ = {sizeof(flowrun_options), names_.data(), top_.data(), names_.size()};
}

const flowrun_value* ExportedOptions::convert(const OptionValue& value) {
  flowrun_value& raw = values_.emplace_back();
  raw.size = sizeof(flowrun_value);
  raw.kind = kind_of(value.kind);
  raw.boolean = value.boolean ? 1 : 0;
  raw.integer = value.integer;
  raw.number = value.kind == OptionKind::number ? value.number : static_cast<double>(value.integer);
  raw.text = text_of(value.text);
  if (value.kind == OptionKind::schema && value.schema) {
    raw.schema = schemas_.emplace_back(OwnedSchema::of(*value.schema, TextLayout::views)).get();
  } else if (value.kind == OptionKind::data_type) {
    raw.schema =
        schemas_.emplace_back(OwnedSchema::of(Field{"", value.type}, TextLayout::views)).get();
  }
  std::vector<const flowrun_value*> items;
  for (const OptionValue& item : value.items) items.push_back(convert(item));
  std::vector<flowrun_text> keys;
  for (const auto& [key, position] : value.keys) keys.push_back(text_of(key));
  raw.num_items = items.size();
  raw.items = lists_.emplace_back(std::move(items)).data();
  raw.keys = keys_.emplace_back(std::move(keys)).data();
  return &raw;
}

}  // namespace flowrun
