#include "runtime/expr/aggregate_function.h"

namespace flowrun {

std::string AggregateFunction::column_name(std::span<const std::string> arguments,
                                           bool distinct) const {
  std::string text = name() + (distinct ? "(DISTINCT " : "(");
  for (size_t i = 0; i < arguments.size(); ++i) text += (i == 0 ? "" : ", ") + arguments[i];
  return text + ")";
}

Result<AggregateFunction::Signature> AggregateFunction::resolve_ordered(
    std::span<const Type> arguments, std::span<const ColumnPtr> constants,
    std::span<const SortDirection> order) const {
  const OrderUse use = order_use();
  if (use == OrderUse::none && !order.empty())
    return Error::invalid("`" + name() + "` takes no WITHIN GROUP");
  if (use == OrderUse::value && order.size() != 1)
    return Error::invalid("`" + name() + "` needs WITHIN GROUP (ORDER BY x) with one x");
  const size_t keys = use == OrderUse::rows ? order.size() : 0;
  const size_t plain = arguments.size() - keys;
  FLOWRUN_TRY(Signature signature, resolve(arguments.first(plain), constants.first(plain)));
  signature.arguments.insert(signature.arguments.end(),
                             arguments.begin() + static_cast<std::ptrdiff_t>(plain),
                             arguments.end());
  signature.order.assign(order.begin(), order.end());
  return signature;
}

}  // namespace flowrun
