#pragma once
// sum and avg over every type that has them.

#include "runtime/state/aggregates/entry.h"

namespace flowrun {

Result<AggregateSignature> resolve_sum(AggregateTypes arguments, AggregateConstants constants);
std::unique_ptr<GroupStates> make_sum(const AggregateSignature& signature,
                                      AggregateConstants constants);
std::unique_ptr<GroupStates> make_try_sum(const AggregateSignature& signature,
                                          AggregateConstants constants);
Result<AggregateSignature> resolve_average(AggregateTypes arguments, AggregateConstants constants);
std::unique_ptr<GroupStates> make_average(const AggregateSignature& signature,
                                          AggregateConstants constants);

}  // namespace flowrun
