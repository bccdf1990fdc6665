#pragma once
// Registry: the operators an engine knows. A value: a test or an embedder can have several.
//
//   void register_dropna(Registry& registry) {
//     registry.add_transform(spec(), [](const Options& options, const MakeContext& context) { ...
//     });
//   }

#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/format/record_format.h"
#include "runtime/operator/sink.h"
#include "runtime/operator/source.h"
#include "runtime/operator/spec.h"
#include "runtime/operator/stateful.h"
#include "runtime/operator/table.h"
#include "runtime/operator/transform.h"

namespace flowrun {

// Results leave the process through this: the console sink writes here, and nobody else does.
class Output {
 public:
  virtual ~Output() = default;
  // Whole pieces of text; pieces never interleave. Thread-safe.
  virtual Status write(std::string_view text) = 0;
};

class RowText;
struct RegisteredFormat;

// What a factory may need besides the options. Pointers outlive the operator.
struct MakeContext {
  std::string node;  // the node's name
  const ExpressionEnvironment* expressions = nullptr;
  const Clock* clock = nullptr;
  std::function<StaticTable*(std::string_view)> table;  // null if the file declares no such table
  std::vector<std::string> table_names;                 // for did-you-mean
  std::function<LiveTable*(std::string_view)> live_table;           // made when first asked for
  std::function<const RegisteredFormat*(std::string_view)> format;  // null if it is no plugin's
  Output* console = nullptr;
  bool console_is_shared = false;  // several console sinks: the node's name stands above each frame
  bool allow_exec = false;         // whether operators may start programs that the file names
};

// A source and, where its format needs decoding, the transform that workers run on what it reads.
struct MadeSource {
  std::unique_ptr<Source> source;
  std::unique_ptr<Transform> decode;  // may be null
};

using MakeSource = std::function<Result<MadeSource>(const Options&, const MakeContext&)>;
using MakeTransform =
    std::function<Result<std::unique_ptr<Transform>>(const Options&, const MakeContext&)>;
using MakeStateful =
    std::function<Result<std::unique_ptr<Stateful>>(const Options&, const MakeContext&)>;
using MakeSink = std::function<Result<std::unique_ptr<Sink>>(const Options&, const MakeContext&)>;

// Readers of records by that schema. Errors: a column or a type that the format cannot give.
using MakeFormat = std::function<Result<MakeRecordReader>(const SchemaPtr& schema, const Options&,
                                                          const MakeContext&)>;
// What writes rows of that schema. Errors: a column or a type that the format cannot hold.
using MakeFormatText = std::function<Result<std::unique_ptr<RowText>>(
    const SchemaPtr& schema, const Options&, const MakeContext&)>;

// A record format beside those built in. At least one of the two is there.
struct RegisteredFormat {
  OperatorSpec spec;         // name, summary, doc, options and examples; the rest is unused
  MakeFormat make;           // empty: it does not read
  MakeFormatText make_text;  // empty: it does not write
  std::string owner;         // whose it is, for errors: "plugin `logfmt`"
};

// The format of that name; null if it is none of a plugin's.
const RegisteredFormat* plugged_format(std::string_view name, const MakeContext& context);

struct RegisteredOperator {
  OperatorSpec spec;
  MakeSource make_source;  // exactly one of these is set, as spec.kind says
  MakeTransform make_transform;
  MakeStateful make_stateful;
  MakeSink make_sink;
};

class Registry {
 public:
  // REQUIRES: no operator of that kind-space has the name (sources, sinks and the others are three
  // spaces).
  void add_source(OperatorSpec spec, MakeSource make);
  void add_transform(OperatorSpec spec, MakeTransform make);
  void add_stateful(OperatorSpec spec, MakeStateful make);
  void add_sink(OperatorSpec spec, MakeSink make);
  // A format that reads becomes a word of every option whose role is record_format (`parse`,
  // `format` of the file source), one that writes of every option whose role is row_format
  // (`format` of sinks); its options become options of those operators, for that word only. The
  // options of the other role refuse it, saying what it can do. Operators that are added later do
  // not know it. REQUIRES: check_format took it.
  void add_format(RegisteredFormat format);
  // Errors: the name is taken, or an option is called as one that such an operator has for every
  // format.
  [[nodiscard]] Status check_format(const RegisteredFormat& format) const;

  // Null if there is none. A hyphen in the name is read as an underscore.
  [[nodiscard]] const RegisteredOperator* find_source(std::string_view name) const;
  [[nodiscard]] const RegisteredOperator* find_sink(std::string_view name) const;
  [[nodiscard]] const RegisteredOperator* find_operator(
      std::string_view name) const;  // transform or stateful
  // For one whose operators are made of those of `other`: their specs name its formats.
  void share_formats(const Registry& other) { formats_ = other.formats_; }
  // Null if there is none; json, csv and text are built in and not among them.
  [[nodiscard]] const RegisteredFormat* find_format(std::string_view name) const;
  // In the order of kind, then name.
  [[nodiscard]] std::vector<const RegisteredOperator*> all() const;

 private:
  using Space = std::map<std::string, RegisteredOperator, std::less<>>;
  void add(Space& space, RegisteredOperator entry);

  Space sources_;
  Space operators_;
  Space sinks_;
  std::map<std::string, RegisteredFormat, std::less<>> formats_;
};

}  // namespace flowrun
