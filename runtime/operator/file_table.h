#pragma once
// FileTable: a static table that stands in a file of records.

#include <memory>
#include <string>

#include "runtime/operator/registry.h"

namespace flowrun {

// By the options of table_option_specs(). Touches no file: schema() and load() do.
Result<std::unique_ptr<StaticTable>> make_file_table(std::string name, const Options& options,
                                                     const MakeContext& context);

}  // namespace flowrun
