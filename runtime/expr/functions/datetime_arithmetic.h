#pragma once
// + - * / where a date, a time or an interval takes part.

#include "runtime/expr/analyzer.h"

namespace flowrun {

// Is either operand a date, a timestamp or an interval?
bool is_datetime_arithmetic(const CallSite& site);

// `op` is one of + - * /. REQUIRES: is_datetime_arithmetic(site).
Result<TypedPtr> build_datetime_arithmetic(CallSite& site, char op);

}  // namespace flowrun
