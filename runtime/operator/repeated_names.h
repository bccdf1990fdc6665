#pragma once
// Names that stand more than once in a schema, as behind a join of sides with equal names.

#include <string>
#include <vector>

#include "runtime/columnar/type.h"

namespace flowrun {

// Each once, as it is written first; letter case does not tell names apart.
inline std::vector<std::string> repeated_names(const Schema& schema) {
  std::vector<std::string> repeated;
  for (size_t i = 0; i < schema.num_fields(); ++i) {
    const std::vector<size_t> places = schema.find_all(schema.field(i).name);
    if (places.size() > 1 && places[0] == i) repeated.push_back(schema.field(i).name);
  }
  return repeated;
}

}  // namespace flowrun
