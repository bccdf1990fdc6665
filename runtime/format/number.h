#pragma once
// Numbers as Java, and so Spark, writes them.
//
//   std::string out;
//   append_double(1e10, out);   // "1.0E10"
//   append_double(0.00093, out);  // "9.3E-4"
//
// The digits are the fewest that read back as the same number.

#include <cstdint>
#include <string>

namespace flowrun {

void append_integer(int64_t value, std::string& out);
// Plain from 0.001 up to below 10^7, else with an exponent; NaN, Infinity, -Infinity.
void append_double(double value, std::string& out);
void append_float(float value, std::string& out);

}  // namespace flowrun
