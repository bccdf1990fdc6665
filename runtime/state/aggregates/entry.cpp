#include "runtime/state/aggregates/entry.h"

#include <fmt/format.h>

namespace flowrun {

Result<AggregateSignature> AggregateEntry::resolve(AggregateTypes arguments,
                                                   AggregateConstants constants) const {
  auto signature = resolve_(arguments, constants);
  if (!signature) return std::move(signature.error()).within(name_);
  return signature;
}

NameAggregate name_by_first_argument(std::string name) {
  return [name = std::move(name)](std::span<const std::string> arguments, bool distinct) {
    return name + (distinct ? "(DISTINCT " : "(") + (arguments.empty() ? "" : arguments[0]) + ")";
  };
}

Status check_argument_count(size_t count, size_t least, size_t most) {
  if (count >= least && count <= most) return {};
  if (least == most) {
    return Error::invalid(
        fmt::format("takes {} argument{}, got {}", least, least == 1 ? "" : "s", count));
  }
  return Error::invalid(fmt::format("takes {} to {} arguments, got {}", least, most, count));
}

Error unexpected_type(std::string_view wanted, const Type& got) {
  return Error::invalid(fmt::format("takes {}, got {}", wanted, got.simple_string()));
}

Result<Type> as_double(const Type& type) {
  if (type.is_numeric() || type.id() == TypeId::string || type.id() == TypeId::null)
    return Type::double_();
  return unexpected_type("numbers", type);
}

}  // namespace flowrun
