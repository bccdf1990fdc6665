#include "runtime/operator/sort_key.h"

namespace flowrun {

namespace {

// Takes `words` off the end of `text`, without regard to case; true if they stood there.
bool take_suffix(std::string& text, std::string_view words) {
  if (text.size() <= words.size() ||
      !names_equal(std::string_view(text).substr(text.size() - words.size()), words)) {
    return false;
  }
  const size_t rest = text.find_last_not_of(" \t", text.size() - words.size() - 1);
  if (rest == std::string::npos || rest + 1 == text.size() - words.size())
    return false;  // part of a longer word
  text.resize(rest + 1);
  return true;
}

}  // namespace

int SortKey::compare(const Column& values, int64_t a, int64_t b) const {
  const bool null_a = values.is_null(a);
  const bool null_b = values.is_null(b);
  if (null_a || null_b) return null_a == null_b ? 0 : (null_a == nulls_first ? -1 : 1);
  const int difference = compare_rows(values, a, values, b);
  return descending ? -difference : difference;
}

SortKey take_sort_words(std::string& text) {
  SortKey key;
  const bool nulls_first = take_suffix(text, "nulls first");
  const bool nulls_last = !nulls_first && take_suffix(text, "nulls last");
  key.descending = take_suffix(text, "desc");
  if (!key.descending) take_suffix(text, "asc");
  key.nulls_first = nulls_first || (!nulls_last && !key.descending);
  return key;
}

Result<SortKey> bind_sort_key(const OptionValue& option, const Binder& binder) {
  std::string text = option.text;
  SortKey key = take_sort_words(text);
  auto bound = binder.bind(text);
  if (!bound) return option.place(std::move(bound.error()));
  key.expression = std::move(*bound);
  return key;
}

}  // namespace flowrun
