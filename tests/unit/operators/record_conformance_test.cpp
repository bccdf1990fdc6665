// Every case of tests/conformance/json and csv that needs no operator but the file source and
// parse.

#include <catch2/catch.hpp>

#include <filesystem>

#include "tests/unit/operators/conformance_case.h"

namespace flowrun {

namespace {

void run_all(const char* kind) {
  const auto root = std::filesystem::path(FLOWRUN_SOURCE_DIR) / "tests" / "conformance" / kind;
  int run = 0;
  for (const auto& entry : std::filesystem::directory_iterator(root)) {
    const auto result = run_case(entry.path());
    if (!result) continue;
    ++run;
    INFO(entry.path().string());
    CHECK(difference(*result, entry.path()) == "");
  }
  CHECK(run > 40);
}

}  // namespace

TEST_CASE("JSON records read as Spark reads them") { run_all("json"); }

TEST_CASE("CSV records read as Spark reads them") { run_all("csv"); }

}  // namespace flowrun
