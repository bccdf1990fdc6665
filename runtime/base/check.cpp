#include "runtime/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace flowrun {

void check_failed(const char* file, int line, const char* condition, const char* message) {
  std::fprintf(stderr, "flowrun: broken invariant at %s:%d: %s (%s)\n", file, line, message,
               condition);
  std::abort();
}

}  // namespace flowrun
