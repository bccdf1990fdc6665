#pragma once
// What the tests of embedding share: a pipeline through which rows go, and generous patience.

#include <catch2/catch.hpp>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "include/flowrun/flowrun.h"

namespace host {

using namespace std::chrono_literals;

using Number = std::tuple<int64_t>;

inline constexpr flowrun::Wait kPatience = 60s;  // a slow machine must not fail

inline const std::string kThrough =
    "nodes:\n"
    "  in: { source: push, schema: \"x BIGINT\" }\n"
    "  big: { from: in, filter: \"x > 10\" }\n"
    "  out: { from: big, sink: pull }\n";

inline flowrun::Engine loaded(const std::string& text, flowrun::Settings settings = {}) {
  auto engine = flowrun::Engine::from_text(text, std::move(settings));
  INFO(engine.status().text());
  REQUIRE(engine);
  return std::move(*engine);
}

inline flowrun::RowPush<Number> push_into(flowrun::Engine& engine) {
  auto push = engine.push_rows<Number>("in");
  INFO(push.status().text());
  REQUIRE(push);
  return std::move(*push);
}

inline flowrun::RowPull<Number> pull_from(flowrun::Engine& engine) {
  auto pull = engine.pull_rows<Number>("out");
  INFO(pull.status().text());
  REQUIRE(pull);
  return std::move(*pull);
}

// Numbers from 11 on, so that the filter passes all of them.
inline std::vector<Number> numbers(size_t count) {
  std::vector<Number> rows;
  for (size_t i = 0; i < count; ++i) rows.emplace_back(static_cast<int64_t>(i) + 11);
  return rows;
}

// To the end of the run.
inline std::vector<Number> pull_all(const flowrun::RowPull<Number>& pull) {
  std::vector<Number> all;
  for (auto rows = pull.pull(kPatience); rows; rows = pull.pull(kPatience))
    all.insert(all.end(), rows->begin(), rows->end());
  return all;
}

}  // namespace host
