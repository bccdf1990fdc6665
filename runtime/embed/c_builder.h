#pragma once
// flowrun_builder: a document put together value by value.

#include <string>
#include <vector>

#include "include/flowrun/flowrun_c.h"
#include "runtime/operator/option_reading.h"

struct flowrun_builder {
 public:
  flowrun_builder();
  void begin(flowrun::RawValue::Kind kind, const char* key);
  void scalar(const char* key, std::string text, bool quoted);
  void end();
  // With what is still open ended.
  [[nodiscard]] flowrun::RawValue document() const;

 private:
  void add(const std::string& key, flowrun::RawValue value);

  struct Open {
    std::string key;  // in the value around it
    flowrun::RawValue value;
  };
  std::vector<Open> open_;  // outermost first; never empty
};
