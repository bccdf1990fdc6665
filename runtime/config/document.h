#pragma once
// Document: a pipeline file and those it includes, read and put together, before any spec is asked.

#include <set>
#include <string>

#include "runtime/config/load.h"

namespace flowrun {

// Maps in the order of the files, what is included first. `top` has the other top-level keys of the
// main file.
struct Document {
  RawValue top;
  RawValue connections;
  RawValue tables;
  RawValue nodes;
  RawValue chain;     // the top-level `chain:`, empty if there is none
  Position position;  // the beginning of the main file
};

// REQUIRES: `text` is not cleaned. Errors are appended; what could be read is given back all the
// same.
Document read_document(std::string text, const std::string& name, const LoadOptions& options,
                       LoadedPlan& loaded);

// The same for a document that a host made: its values have no positions.
Document read_document(const RawValue& root, const std::string& name, const LoadOptions& options,
                       LoadedPlan& loaded);
// The same before `${...}` is resolved.
Document merge_document(std::string text, const std::string& name, const LoadOptions& options,
                        LoadedPlan& loaded);

// The bytes of a file, or one clear error. `limit` 0: none.
Result<std::string> read_text_file(const std::string& path, size_t limit);

}  // namespace flowrun
