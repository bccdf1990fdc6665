// LIKE and its kin.
#include <fmt/format.h>
#include <utf8proc.h>

#include <memory>

#include "runtime/columnar/builder.h"
#include "runtime/expr/analyzer.h"
#include "runtime/expr/coercion.h"
#include "runtime/expr/functions/functions.h"
#include "runtime/expr/lazy_nodes.h"
#include "runtime/expr/like_pattern.h"
#include "runtime/expr/scalar.h"
#include "runtime/expr/vector_loops.h"
#include "runtime/format/unicode_case.h"

namespace flowrun {

namespace {

// Lower case of every code point, as Spark's lower.
void append_lower(std::string_view text, std::string& out) {
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  for (size_t at = 0; at < text.size();) {
    utf8proc_int32_t c = 0;
    const utf8proc_ssize_t length =
        utf8proc_iterate(bytes + at, static_cast<utf8proc_ssize_t>(text.size() - at), &c);
    if (length <= 0) {
      out += text[at++];
      continue;
    }
    at += static_cast<size_t>(length);
    utf8proc_uint8_t encoded[4];
    const utf8proc_ssize_t written = utf8proc_encode_char(utf8proc_tolower(c), encoded);
    out.append(reinterpret_cast<const char*>(encoded), static_cast<size_t>(written));
  }
}

// Compiles what it is given, and remembers it while it stays the same.
struct LikeMatcher {
  std::string_view escape = "\\";

  Result<bool> operator()(std::string_view text, std::string_view pattern) {
    if (!compiled || pattern != source) {
      source = pattern;
      FLOWRUN_TRY(LikePattern fresh, LikePattern::compile(pattern, escape));
      compiled = std::move(fresh);
    }
    return compiled->matches(text);
  }

  std::string source;
  std::optional<LikePattern> compiled;
};

struct IlikeMatcher {
  LikeMatcher inner;
  std::string lower_text;
  std::string lower_pattern;
  std::string source;

  Result<bool> operator()(std::string_view text, std::string_view pattern) {
    if (pattern != source || lower_pattern.empty()) {
      source = pattern;
      lower_pattern.clear();
      append_lower(pattern, lower_pattern);
    }
    lower_text.clear();
    append_lower(text, lower_text);
    return inner(lower_text, lower_pattern);
  }
};

// A pattern by Java's rules as far as RE2 has them.
// like(text, pattern[, escape]); the escape is a constant.
Result<BoundFunction> bind_like(const Arguments& arguments, bool any_case) {
  std::string escape = "\\";
  if (arguments.size() == 3) {
    const auto given = arguments.constant_text(2);
    if (!given || count_code_points(*given) != 1)
      return wrong_argument(arguments, 2, "one character, the escape");
    escape = *given;
  }
  for (size_t i = 0; i < 2; ++i) {
    if (!implicit_cast(arguments.types[i], Type::string()))
      return wrong_argument(arguments, i, "string");
  }
  Kernel kernel = [escape, any_case](const CallContext& context,
                                     std::span<const Datum> values) -> Result<Datum> {
    const auto both = values.subspan(0, 2);
    if (both[0].is_constant_null() || both[1].is_constant_null())
      return Datum::null(Type::boolean());
    const int64_t rows = rows_to_compute(both, context.num_rows);
    const NullMask mask = combine_nulls(both, rows);
    LikeMatcher like{.escape = escape, .source = {}, .compiled = {}};
    IlikeMatcher ilike{.inner = like, .lower_text = {}, .lower_pattern = {}, .source = {}};
    BooleanBuilder out;
    for (int64_t i = 0; i < rows; ++i) {
      if (mask.is_null(i)) {
        out.append_null();
        continue;
      }
      const std::string_view text = both[0].column->string(both[0].at(i));
      const std::string_view pattern = both[1].column->string(both[1].at(i));
      FLOWRUN_TRY(const bool matches, any_case ? ilike(text, pattern) : like(text, pattern));
      out.append(matches);
    }
    return Datum{out.finish(), both[0].constant && both[1].constant};
  };
  std::vector<Type> types(arguments.size(), Type::string());
  return BoundFunction{std::move(types), Type::boolean(), std::move(kernel)};
}

std::string like_name(std::span<const std::string> arguments) {
  if (arguments.size() == 2) return fmt::format("{} LIKE {}", arguments[0], arguments[1]);
  return fmt::format("{} LIKE {} ESCAPE '{}'", arguments[0], arguments[1], arguments[2]);
}

// x LIKE ANY (...): the patterns joined by OR (ANY) or AND (ALL), each turned if `negated`.
ScalarFunction quantified(const char* name, const char* doc, bool all, bool negated) {
  return {name, doc, 2, ScalarFunction::kAnyNumber,
          BuildFunction([=](CallSite& site) -> Result<TypedPtr> {
            TypedPtr result;
            for (size_t i = 1; i < site.size(); ++i) {
              FLOWRUN_TRY(TypedPtr term, site.call("like", {site.argument(0), site.argument(i)}));
              if (negated) {
                FLOWRUN_TRY(term, site.call("not", {std::move(term)}));
              }
              result = result ? std::make_shared<LogicNode>(all, std::move(result), std::move(term))
                              : std::move(term);
            }
            return CallSite::named(result, fmt::format("{}({})", name, site.argument(0)->name));
          })};
}

}  // namespace

void register_like_functions(FunctionRegistry& registry) {
  registry.add(ScalarFunction(
                   "like",
                   "x LIKE pattern [ESCAPE c]: whether x matches; % is any text, _ any character.",
                   2, 3, BindFunction([](const Arguments& a) { return bind_like(a, false); }))
                   .named_by(like_name)
                   .may_fail());
  registry.add(ScalarFunction("ilike", "x ILIKE pattern [ESCAPE c]: as LIKE, whatever the case.", 2,
                              3,
                              BindFunction([](const Arguments& a) { return bind_like(a, true); }))
                   .may_fail());
  registry.add(quantified("likeany", "x LIKE ANY (...): whether x matches one of the patterns.",
                          false, false));
  registry.add(
      quantified("likeall", "x LIKE ALL (...): whether x matches every pattern.", true, false));
  registry.add(quantified("notlikeany",
                          "x NOT LIKE ANY (...): whether x does not match one of the patterns.",
                          false, true));
  registry.add(quantified(
      "notlikeall", "x NOT LIKE ALL (...): whether x matches none of the patterns.", true, true));
}

}  // namespace flowrun
