#pragma once
// Which format records are read and rows are written by, as an operator's options say: one built in
// or a plugin's. Operators ask here, so that a format stands wherever another does.

#include <functional>
#include <memory>
#include <string_view>

#include "runtime/operator/registry.h"
#include "runtime/operator/row_text.h"

namespace flowrun {

// How the records that an operator reads are written.
class RecordReading {
 public:
  // By the format of that name and its options. `source`: records of a file rather than texts of a
  // column.
  static Result<RecordReading> of(std::string_view format, const Options& options,
                                  const MakeContext& context, bool source);

  // Null for a plugin's.
  [[nodiscard]] const RecordFormat* built_in() const { return plugged_ ? nullptr : &built_in_; }
  // Errors: a column or a type that the format cannot give; no schema (null), which only built-in
  // formats find out themselves.
  [[nodiscard]] Result<MakeRecordReader> reader_of(const SchemaPtr& schema) const;

 private:
  RecordReading(const Options& options, const MakeContext& context)
      : options_(options), context_(context) {}

  Options options_;
  MakeContext context_;
  const RegisteredFormat* plugged_ = nullptr;
  RecordFormat built_in_;
};

// What writes rows, once their schema is known. Refuses columns that the format cannot hold.
using MakeRowText = std::function<Result<std::unique_ptr<RowText>>(const SchemaPtr&)>;

// By the options of row_text_option_specs, or those of a plugin's format.
Result<MakeRowText> row_text_option(const Options& options, const MakeContext& context);

}  // namespace flowrun
