#include "runtime/format/json_fast.h"

#include <simdjson.h>

#include <algorithm>
#include <cstring>

#include "runtime/format/json_scan.h"

namespace flowrun {

// simdjson's first stage alone.
struct JsonFast::Indexer {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> stage;
  size_t capacity = 0;

  bool run(const char* data, size_t length) {
    constexpr size_t kFirstCapacity = 80 << 10;
    constexpr size_t kDepth = 1;  // of the second stage, which is never run
    if (length == 0) return false;
    if (length > capacity) {
      capacity = std::max({length, capacity * 2, kFirstCapacity});
      const auto& implementation = simdjson::get_active_implementation();
      if (implementation->create_dom_parser_implementation(capacity, kDepth, stage) !=
          simdjson::SUCCESS) {
        capacity = 0;
        return false;
      }
    }
    return stage->stage1(reinterpret_cast<const uint8_t*>(data), length,
                         simdjson::stage1_mode::regular) == simdjson::SUCCESS;
  }
};

// Where a value goes: a row of a filler, or the end of a builder inside a nested column.
struct JsonFast::FillerSink {
  JsonFast& reader;
  ColumnFiller& filler;
  int64_t row;

  template <class T>
  void value(T v) {
    filler.set<T>(row, v);
  }
  void boolean(bool v) { filler.set_boolean(row, v); }
  void null() { filler.set_null(row); }
  void copied(std::string_view text) { filler.set_text(row, text); }
  void shared(std::string_view text) {
    const auto at = static_cast<uint32_t>(text.data() - reader.data_);
    filler.set_shared_text(row, text.data(), static_cast<uint32_t>(text.size()), reader.buffer_,
                           reader.offset_ + at);
  }
};

struct JsonFast::BuilderSink {
  ColumnBuilder& builder;

  template <class T>
  void value(T v) {
    static_cast<FixedBuilder<T>&>(builder).append(v);
  }
  void boolean(bool v) { static_cast<BooleanBuilder&>(builder).append(v); }
  void null() { builder.append_null(); }
  void copied(std::string_view text) { static_cast<StringBuilder&>(builder).append(text); }
  void shared(std::string_view text) { copied(text); }
};

JsonFast::JsonFast(std::vector<Target> targets, const TextTimes& times)
    : targets_(std::move(targets)),
      times_(times),
      indexer_(std::make_unique<Indexer>()),
      written_(targets_.size(), -1) {
  add_key("", -1);  // stands before the first key of a record
  for (size_t i = 0; i < targets_.size(); ++i) {
    keys_.back().next = static_cast<uint32_t>(keys_.size());
    key_index_.erase(targets_[i].name);
    add_key(targets_[i].name, static_cast<int32_t>(i));
  }
}

JsonFast::~JsonFast() = default;

uint32_t JsonFast::add_key(std::string_view name, int32_t target) {
  Key key;
  key.name = name;
  key.target = target;
  key.next = static_cast<uint32_t>(keys_.size());
  char bytes[16] = {};
  char mask[16] = {};
  const std::string quoted = key.name + '"';
  const size_t compared = std::min(quoted.size(), sizeof bytes);
  std::memcpy(bytes, quoted.data(), compared);
  std::memset(mask, 0xff, compared);
  std::memcpy(&key.low, bytes, 8);
  std::memcpy(&key.high, bytes + 8, 8);
  std::memcpy(&key.low_mask, mask, 8);
  std::memcpy(&key.high_mask, mask + 8, 8);
  key_index_.emplace(key.name, key.next);
  keys_.push_back(std::move(key));
  return keys_.back().next;
}

inline bool JsonFast::matches(const Key& key, const char* text) const {
  uint64_t low;
  uint64_t high;
  std::memcpy(&low, text, 8);
  std::memcpy(&high, text + 8, 8);
  if ((((low ^ key.low) & key.low_mask) | ((high ^ key.high) & key.high_mask)) != 0) return false;
  const size_t size = key.name.size();
  return size < 16 ||
         (std::memcmp(text + 16, key.name.data() + 16, size - 16) == 0 && text[size] == '"');
}

bool JsonFast::index(const char* data, size_t length, uint32_t buffer, uint32_t offset) {
  FLOWRUN_DCHECK(length <= kMaxBlock, "a block is no longer than kMaxBlock");
  if (!indexer_->run(data, length)) return false;
  data_ = data;
  buffer_ = buffer;
  offset_ = offset;
  next_ = indexer_->stage->structural_indexes.get();
  fence_ = next_ + indexer_->stage->n_structural_indexes;
  has_backslash_ = std::memchr(data, '\\', length) != nullptr;
  return true;
}

bool JsonFast::read(uint32_t begin, uint32_t end, int64_t row) {
  while (*next_ < begin) ++next_;
  const uint32_t* const start = next_;
  ++record_;
  if (*next_ < end && token() == '{' && read_fields(row) && *next_ < end) {
    ++next_;
    for (size_t i = 0; i < targets_.size(); ++i) {
      if (written_[i] != record_) targets_[i].filler->set_null(row);
    }
    return true;
  }
  next_ = start;
  return false;
}

// From the opening to the closing brace of the record, which is left as the current token.
bool JsonFast::read_fields(int64_t row) {
  ++next_;
  if (token() == '}') return true;
  uint32_t previous = 0;
  while (true) {
    const int64_t found = find_key(previous);
    if (found < 0) return false;
    previous = static_cast<uint32_t>(found);
    const int32_t target = keys_[previous].target;
    next_ += 2;
    if (target < 0) {
      if (!skip_value(0)) return false;
    } else {
      const auto column = static_cast<size_t>(target);
      if (written_[column] == record_) return false;
      written_[column] = record_;
      if (!read_value(targets_[column], row)) return false;
    }
    const char c = token();
    if (c == '}') return true;
    if (c != ',') return false;
    ++next_;
  }
}

int64_t JsonFast::find_key(uint32_t previous) {
  const char* const at = data_ + *next_;
  if (*at != '"' || data_[next_[1]] != ':') return -1;
  const uint32_t guess = keys_[previous].next;
  if (guess < keys_.size() && matches(keys_[guess], at + 1)) [[likely]]
    return guess;
  bool escaped = false;
  std::string_view name;
  constexpr size_t kLongName = 1000;
  if (!string_content(at, name, escaped) || escaped || name.size() > kLongName) return -1;
  const auto found = key_index_.find(name);
  uint32_t key = 0;
  if (found != key_index_.end()) {
    key = found->second;
  } else if (keys_.size() < kMaxKeys) {
    key = add_key(name, -1);
  }
  keys_[previous].next = key;
  return key;
}

// Behind a string's closing quote only white space can stand before the next token.
inline bool JsonFast::string_content(const char* at, std::string_view& content,
                                     bool& escaped) const {
  if (!has_token() || *at != '"') return false;
  const char* end = data_ + next_[1] - 1;
  while (json_scan::is_space(*end)) --end;
  if (end <= at) return false;
  content = {at + 1, static_cast<size_t>(end - at - 1)};
  escaped = has_backslash_ && std::memchr(content.data(), '\\', content.size()) != nullptr;
  return true;
}

// Text of a string, decoded into unescaped_ if need be.
bool JsonFast::plain_text(const char* at, std::string_view& text) {
  bool escaped = false;
  if (!string_content(at, text, escaped)) return false;
  if (!escaped) return true;
  if (!json_scan::unescape(text, unescaped_)) return false;
  text = unescaped_;
  return true;
}

bool JsonFast::read_value(const Target& target, int64_t row) {
  ColumnFiller& filler = *target.filler;
  if (filler.nested()) return read_nested(filler.type(), *filler.nested(), 0);
  return read_scalar(filler.type(), FillerSink{*this, filler, row});
}

template <class T, class Sink>
bool JsonFast::read_integer(const char* at, Sink& sink) {
  int64_t value = 0;
  if (!json_scan::integer(at, value) || value != static_cast<T>(value)) return false;
  sink.template value<T>(static_cast<T>(value));
  return true;
}

template <class Sink>
bool JsonFast::read_scalar(const Type& type, Sink sink) {
  const char* const at = data_ + *next_;
  if (*at == 'n') {
    if (!json_scan::word(at, "null")) return false;
    sink.null();
    ++next_;
    return true;
  }
  bool good = false;
  switch (type.id()) {
    case TypeId::string: {
      bool escaped = false;
      std::string_view content;
      if (!string_content(at, content, escaped)) return false;
      if (!escaped) {
        sink.shared(content);
      } else {
        if (!json_scan::unescape(content, unescaped_)) return false;
        sink.copied(unescaped_);
      }
      good = true;
      break;
    }
    case TypeId::bigint:
      good = read_integer<int64_t>(at, sink);
      break;
    case TypeId::integer:
      good = read_integer<int32_t>(at, sink);
      break;
    case TypeId::smallint:
      good = read_integer<int16_t>(at, sink);
      break;
    case TypeId::tinyint:
      good = read_integer<int8_t>(at, sink);
      break;
    case TypeId::boolean:
      good = json_scan::word(at, "true") || json_scan::word(at, "false");
      if (good) sink.boolean(*at == 't');
      break;
    case TypeId::date:
    case TypeId::timestamp:
      good = read_from_string(type, at, sink);
      break;
    default:
      good = read_number(type, at, sink);
      break;
  }
  if (good) ++next_;
  return good;
}

template <class Sink>
bool JsonFast::read_number(const Type& type, const char* at, Sink& sink) {
  if (type.id() == TypeId::double_) {
    double value = 0;
    if (!json_scan::double_value(at, value)) return false;
    sink.template value<double>(value);
    return true;
  }
  const json_scan::Number number = json_scan::number(at);
  constexpr int64_t kMaxDigits = 500;
  if (!number.end || number.num_digits > kMaxDigits) return false;
  const std::string_view text(at, static_cast<size_t>(number.end - at));
  if (type.id() == TypeId::real) {
    if (number.whole) return false;
    sink.template value<float>(json_float(text));
    return true;
  }
  if (type.id() != TypeId::decimal) return false;
  const auto value = parse_decimal_text(text, type.precision(), type.scale());
  if (value) sink.template value<Decimal128>(*value);
  return value.has_value();
}

template <class Sink>
bool JsonFast::read_from_string(const Type& type, const char* at, Sink& sink) {
  std::string_view text;
  if (!plain_text(at, text) || text.empty()) return false;
  if (type.id() == TypeId::date) {
    const auto days = times_.date_or_days(text);
    if (days) sink.template value<int32_t>(*days);
    return days.has_value();
  }
  const auto micros = times_.timestamp(text);
  if (micros) sink.template value<int64_t>(*micros);
  return micros.has_value();
}

bool JsonFast::read_nested(const Type& type, ColumnBuilder& builder, int depth) {
  if (!type.is_nested())
    return type.id() != TypeId::null && read_scalar(type, BuilderSink{builder});
  if (depth > kMaxDepth || !has_token()) return false;
  if (token() == 'n') {
    if (!json_scan::word(data_ + *next_, "null")) return false;
    ++next_;
    builder.append_null();
    return true;
  }
  switch (type.id()) {
    case TypeId::struct_:
      return read_struct(type, builder, depth);
    case TypeId::array:
      return read_array(type, builder, depth);
    default:
      return read_map(type, builder, depth);
  }
}

bool JsonFast::read_struct(const Type& type, ColumnBuilder& builder, int depth) {
  auto& structure = static_cast<StructBuilder&>(builder);
  if (token() != '{') return false;
  ++next_;
  const auto fields = type.fields();
  while (token() != '}') {
    std::string_view name;
    if (data_[next_[1]] != ':' || !plain_text(data_ + *next_, name)) return false;
    next_ += 2;
    const auto field = std::ranges::find(fields, name, &Field::name);
    if (field == fields.end()) {
      if (!skip_value(depth)) return false;
    } else {
      ColumnBuilder& child = structure.field(static_cast<size_t>(field - fields.begin()));
      if (child.size() != structure.size() || !read_nested(field->type, child, depth + 1))
        return false;
    }
    if (token() == '}') break;
    if (token() != ',' || data_[next_[1]] != '"') return false;
    ++next_;
  }
  ++next_;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (structure.field(i).size() == structure.size()) structure.field(i).append_null();
  }
  structure.append();
  return true;
}

bool JsonFast::read_array(const Type& type, ColumnBuilder& builder, int depth) {
  auto& array = static_cast<ArrayBuilder&>(builder);
  if (token() != '[') return false;
  ++next_;
  while (token() != ']') {
    if (!read_nested(type.element(), array.element(), depth + 1)) return false;
    if (token() == ']') break;
    if (token() != ',' || data_[next_[1]] == ']') return false;
    ++next_;
  }
  ++next_;
  array.append();
  return true;
}

bool JsonFast::read_map(const Type& type, ColumnBuilder& builder, int depth) {
  auto& map = static_cast<MapBuilder&>(builder);
  if (token() != '{') return false;
  ++next_;
  while (token() != '}') {
    std::string_view name;
    if (data_[next_[1]] != ':' || !plain_text(data_ + *next_, name)) return false;
    static_cast<StringBuilder&>(map.key()).append(name);
    next_ += 2;
    if (!read_nested(type.value(), map.value(), depth + 1)) return false;
    if (token() == '}') break;
    if (token() != ',' || data_[next_[1]] != '"') return false;
    ++next_;
  }
  ++next_;
  map.append();
  return true;
}

// A value that nobody wants: only its syntax counts.
bool JsonFast::skip_value(int depth) {
  const char* const at = data_ + *next_;
  bool good = false;
  switch (*at) {
    case '"': {
      std::string_view text;
      good = plain_text(at, text);
      break;
    }
    case 't':
      good = json_scan::word(at, "true");
      break;
    case 'f':
      good = json_scan::word(at, "false");
      break;
    case 'n':
      good = json_scan::word(at, "null");
      break;
    case '{':
      return skip_members('}', depth);
    case '[':
      return skip_members(']', depth);
    default: {
      const json_scan::Number number = json_scan::number(at);
      constexpr int64_t kMaxDigits = 500;
      good = number.end != nullptr && number.num_digits <= kMaxDigits;
    }
  }
  if (good) ++next_;
  return good;
}

bool JsonFast::skip_members(char closer, int depth) {
  if (depth > kMaxDepth || !has_token()) return false;
  ++next_;
  if (token() == closer) {
    ++next_;
    return true;
  }
  while (true) {
    if (closer == '}') {
      std::string_view name;
      if (data_[next_[1]] != ':' || !plain_text(data_ + *next_, name)) return false;
      next_ += 2;
    }
    if (!skip_value(depth + 1)) return false;
    const char c = token();
    if (c != closer && c != ',') return false;
    ++next_;
    if (c == closer) return true;
  }
}

}  // namespace flowrun
