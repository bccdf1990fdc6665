#include "runtime/expr/scalar.h"

#include <fmt/format.h>

#include "runtime/expr/coercion.h"

namespace flowrun {

namespace {

std::string signature_text(std::span<const Type> parameters) {
  std::string text;
  for (const Type& parameter : parameters) {
    if (!text.empty()) text += ", ";
    text += parameter.simple_string();
  }
  return "(" + text + ")";
}

bool castable(std::span<const Type> types, std::span<const Type> parameters) {
  if (types.size() != parameters.size()) return false;
  for (size_t i = 0; i < types.size(); ++i) {
    if (types[i].id() != TypeId::null && !implicit_cast(types[i], parameters[i])) return false;
  }
  return true;
}

// REQUIRES: castable.
size_t num_exact(std::span<const Type> types, std::span<const Type> parameters) {
  size_t count = 0;
  for (size_t i = 0; i < types.size(); ++i)
    count += types[i].id() == TypeId::null || types[i] == parameters[i] ? 1 : 0;
  return count;
}

template <class Builder, class T>
ColumnPtr constant_of(Builder builder, T value) {
  builder.append(value);
  return builder.finish();
}

}  // namespace

Error wrong_argument(const Arguments& arguments, size_t i, std::string_view expected) {
  return Error::invalid(fmt::format("argument {} of `{}` is {} ({}) — it takes {}", i + 1,
                                    arguments.function, arguments.types[i].simple_string(),
                                    arguments.names[i], expected));
}

Result<BoundFunction> bind_to_signature(const Arguments& arguments,
                                        std::span<const Type> parameters, Type result,
                                        Kernel kernel) {
  BoundFunction bound{.arguments = {},
                      .result = std::move(result),
                      .kernel = std::move(kernel),
                      .adds_nulls = true};
  for (size_t i = 0; i < arguments.size(); ++i) {
    auto type = implicit_cast(arguments.types[i], parameters[i]);
    if (!type) return wrong_argument(arguments, i, parameters[i].simple_string());
    bound.arguments.push_back(std::move(*type));
  }
  return bound;
}

ScalarFunction overloads(FunctionNames names, std::string doc,
                         std::vector<ScalarFunction> signatures) {
  size_t least = ScalarFunction::kAnyNumber;
  size_t most = 0;
  bool fallible = false;
  for (const ScalarFunction& signature : signatures) {
    least = std::min(least, signature.parameters.size());
    most = std::max(most, signature.parameters.size());
    fallible = fallible || signature.fallible;
  }
  BindFunction bind =
      [signatures = std::move(signatures)](const Arguments& arguments) -> Result<BoundFunction> {
    const ScalarFunction* best = nullptr;
    for (const ScalarFunction& signature : signatures) {
      if (!castable(arguments.types, signature.parameters)) continue;
      if (!best || num_exact(arguments.types, signature.parameters) >
                       num_exact(arguments.types, best->parameters))
        best = &signature;
    }
    if (best) return best->bind(arguments);
    std::string expected;
    for (const ScalarFunction& signature : signatures) {
      expected += (expected.empty() ? "" : " or ") + signature_text(signature.parameters);
    }
    return Error::invalid(fmt::format("`{}` cannot be given {} — it takes {}", arguments.function,
                                      signature_text(arguments.types), expected));
  };
  ScalarFunction function(std::move(names), std::move(doc), least, most, std::move(bind));
  function.fallible = fallible;
  return function;
}

Status check_made_bytes(std::string_view function, int64_t bytes) {
  constexpr int64_t kMost = int64_t{1} << 27;
  if (bytes <= kMost) return {};
  return Error::data(
      fmt::format("`{}` would make a text of {} bytes — {} are the most", function, bytes, kMost));
}

ColumnPtr constant_text(std::string_view text) {
  return constant_of(StringBuilder(Type::string()), text);
}
ColumnPtr constant_int(int32_t value) {
  return constant_of(FixedBuilder<int32_t>(Type::integer()), value);
}
ColumnPtr constant_bool(bool value) { return constant_of(BooleanBuilder(), value); }
ColumnPtr constant_null() { return null_column(Type::null(), 1); }

}  // namespace flowrun
