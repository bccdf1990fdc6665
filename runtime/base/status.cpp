#include "runtime/base/status.h"

#include <fmt/format.h>

#include <system_error>

namespace flowrun {

Error Error::from_errno(std::string_view what, int error_number) {
  return io(fmt::format("{}: {}", what, std::generic_category().message(error_number)));
}

Error Error::within(std::string_view prefix) && {
  message = fmt::format("{}: {}", prefix, message);
  return std::move(*this);
}

}  // namespace flowrun
