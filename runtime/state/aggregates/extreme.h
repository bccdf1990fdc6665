#pragma once
// min and max over every type that has an order.

#include "runtime/state/aggregates/entry.h"

namespace flowrun {

Result<AggregateSignature> resolve_extreme(AggregateTypes arguments, AggregateConstants constants);
std::unique_ptr<GroupStates> make_min(const AggregateSignature& signature,
                                      AggregateConstants constants);
std::unique_ptr<GroupStates> make_max(const AggregateSignature& signature,
                                      AggregateConstants constants);

// "takes values that can be ordered, got map<...>" for maps and what contains one.
Status check_orderable(const Type& type);

}  // namespace flowrun
