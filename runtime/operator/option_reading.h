#pragma once
// Option reading: raw values, as YAML or a host program gives them, made typed Options by an
// operator's spec.
//
//   Result<Options> options = make_options(spec, RawValue::map({{"dropna",
//   RawValue::scalar("any")}}));
//
// What a scalar means is decided by the spec alone: `no`, `9999` and `on` are texts until an option
// wants otherwise. Everything that is wrong is reported, not only the first.

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/operator/spec.h"

namespace flowrun {

// A value as it was written, before any spec has looked at it.
struct RawValue {
  enum class Kind : uint8_t {
    empty,  // nothing was written: `key:`
    scalar,
    list,
    map,
  };
  struct Key {
    std::string text;
    Position position;
    bool quoted = false;
  };

  Kind kind = Kind::empty;
  Position position;
  bool quoted = false;
  bool interpolated = false;  // `text` differs from what stands in the file, which is in `written`
  std::string text;           // scalar
  std::string written;        // set if interpolated: what may be shown
  std::vector<TextMark> marks;  // see OptionValue::marks
  std::vector<RawValue> items;  // list; map: the values
  std::vector<Key> keys;        // map: as many as items

  static RawValue scalar(std::string text);
  static RawValue list(std::vector<RawValue> items);
  static RawValue map(std::vector<std::pair<std::string, RawValue>> entries);

  // The value of a map's key, or null.
  [[nodiscard]] const RawValue* find(std::string_view key) const;
  // "a mapping", "a list", "`text`", "nothing": for messages. Long texts are cut.
  [[nodiscard]] std::string shown() const;
};

using Errors = std::vector<Error>;

// One value by its spec. On errors (appended) the value given back is not complete.
OptionValue read_option(const OptionSpec& spec, const RawValue& raw, Errors& errors);

// The options of an operator: those of its spec and those that every operator of its kind has
// (`mode` and `every` of sinks; `on_error` where the spec lists the port `errors`).
std::vector<OptionSpec> all_options(const OperatorSpec& spec);

// A map of options by their specs: unknown keys, missing required ones and wrong values are errors;
// defaults are filled in. Specs of one name must belong to different values of another option
// (OptionSpec::only_with): the one is taken that has a meaning. `owner` names what they are options
// of: "window", "the table `users`". `beside` are words that may stand there too without being
// options: for the did-you-mean.
Options read_options(std::span<const OptionSpec> specs, const RawValue& map, std::string_view owner,
                     Errors& errors, std::span<const std::string> beside = {});

// The same for an operator: `map` has its primary value under its name beside the options.
Options read_operator_options(const OperatorSpec& spec, const RawValue& map, Errors& errors,
                              std::span<const std::string> beside = {});
// For hosts and tests: the first error, if there is any.
Result<Options> make_options(const OperatorSpec& spec, const RawValue& map);

// "a whole number from 1 to 65535", "a list of columns": what an option takes.
std::string describe_option(const OptionSpec& spec);

// "10 MiB", "64k", "1.5 GB", "4096": powers of 1024 whatever the spelling, as in Spark.
Result<int64_t> parse_bytes(std::string_view text);

}  // namespace flowrun
