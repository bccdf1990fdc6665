#include "runtime/format/utc_text.h"

#include "runtime/format/datetime.h"

namespace flowrun {

std::string utc_text(int64_t microseconds) {
  std::string text;
  LocalTime wall(TimeZone::utc());
  append_iso_timestamp(microseconds, wall, text);
  return text;
}

}  // namespace flowrun
