#pragma once
// What every operator must hold to, whatever it computes: the suite that built-in and plugged-in
// ones pass.
//
// Beside running without an error and emitting what its ports declare, the result must not depend
// on how the rows are cut into chunks, on the workers and partitions, on where rows stand in their
// buffers, on columns that the operator says it does not read, or on a restart from a snapshot;
// batches without rows, of one row and of nulls only are no error; and counts and the observed
// event time agree as well.

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/operator/harness.h"

namespace flowrun {

// Every breach as one line; empty if there is none.
std::vector<std::string> check_contract(const Trial& trial, uint64_t seed);

}  // namespace flowrun
