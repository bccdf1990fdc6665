#pragma once
// The dashboard's files and the API's description, which stand in the binary.

#include <string_view>

namespace flowrun {

struct EmbeddedFile {
  std::string_view path;  // "/dashboard.js"
  const char* content_type;
  std::string_view bytes;
};

// Null if there is none.
const EmbeddedFile* find_embedded_file(std::string_view path);

}  // namespace flowrun
