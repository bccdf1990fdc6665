#pragma once
// Builders for OptionSpecs, so that the spec of an operator reads like a table:
//
//   OperatorSpec spec() {
//     using namespace option;
//     return {.name = "socket",
//             .kind = OperatorKind::source,
//             .summary = "Reads lines over TCP",
//             .options = {
//                 text("host", "where to connect").with_default("127.0.0.1"),
//                 required(integer("port", "the port").between(1, 65535)),
//                 word("on_slow", {"wait", "drop"}, "what to do with a slow
//                 reader").with_default("wait"), duration("retry", "the first
//                 pause").with_default("1 second"),
//             }};
//   }
//
// A primary value is built the same way, with the operator's name: `.primary =
// list_of(column("drop", ...))`. Where several forms are right, one_of takes the first that fits:
//
//   one_of("agg", "what to compute",
//          {word("", {"count", "sum"}, "over all numeric columns"), map_of(expression("", ""), "",
//          "name: expression"),
//           list_of(expression("", ""), "", "expressions")})

#include <initializer_list>
#include <string>
#include <vector>

#include "runtime/operator/spec.h"

namespace flowrun::option {

OptionSpec text(std::string name, std::string doc);
OptionSpec word(std::string name, std::vector<std::string> words, std::string doc);
OptionSpec integer(std::string name, std::string doc);
OptionSpec number(std::string name, std::string doc);
OptionSpec boolean(std::string name, std::string doc);
OptionSpec duration(std::string name,
                    std::string doc);  // at least 0 unless told otherwise with at_least
OptionSpec bytes(std::string name, std::string doc);
OptionSpec rows(std::string name, std::string doc);  // a count, or false
OptionSpec path(std::string name, std::string doc);
OptionSpec expression(std::string name, std::string doc);
OptionSpec column(std::string name, std::string doc);
OptionSpec data_type(std::string name, std::string doc);
OptionSpec schema(std::string name, std::string doc);
OptionSpec any_scalar(std::string name, std::string doc);

// A list of `item`s; takes the item's name and doc: list_of(column("subset", "columns to look
// at")).
OptionSpec list_of(OptionSpec item);
// The same with a name and a doc of its own: lists of lists, lists of one_of.
OptionSpec list_of(OptionSpec item, std::string name, std::string doc);
// A mapping of names to `item`s.
OptionSpec map_of(OptionSpec item);
OptionSpec map_of(OptionSpec item, std::string name, std::string doc);
// A mapping that has options of its own, and no other keys:
//   group("roll", "when a file is whole", {duration("every", "..."), bytes("size", "...")})
// Options::group gives what was written in it. Plugins have none: their ABI does not know it.
OptionSpec group(std::string name, std::string doc, std::vector<OptionSpec> options);
// The first of the alternatives that fits; their names do not matter.
OptionSpec one_of(std::string name, std::string doc, std::vector<OptionSpec> alternatives);

// The option must be written.
OptionSpec required(OptionSpec spec);
// The value is never shown: not in messages, not in explain.
OptionSpec secret(OptionSpec spec);

// Several lists of options as one, in order.
std::vector<OptionSpec> together(std::initializer_list<std::vector<OptionSpec>> lists);

}  // namespace flowrun::option
