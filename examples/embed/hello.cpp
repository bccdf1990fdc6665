// Pushes readings into a pipeline and prints the counts that come out of it.
#include <flowrun/flowrun.h>

#include <cstdio>

using Reading = std::tuple<std::string, double>;
using Count = std::tuple<std::string, int64_t>;

int main() {
  flowrun::Builder pipeline;
  pipeline.node("in").option("source", "push").option("schema", "sensor STRING, value DOUBLE");
  pipeline.node("high").from("in").option("filter", "value > 20");
  pipeline.node("counts").from("high").option("group_by", {"sensor"}).option("agg", "count");
  pipeline.node("out").from("counts").option("sink", "pull").option("mode", "complete");

  auto engine = flowrun::Engine::from(pipeline);
  if (!engine) return std::fprintf(stderr, "%s\n", engine.status().text().c_str()), 1;
  auto in = engine->push_rows<Reading>("in");
  auto out = engine->pull_rows<Count>("out");
  if (!engine->start()) return 1;
  auto ticket = in->push(std::vector<Reading>{{"attic", 24.5}, {"cellar", 12}, {"attic", 25}});
  if (!ticket || !ticket->wait()) return 1;
  in->finish();
  for (auto rows = out->pull(); rows; rows = out->pull())
    for (auto& [sensor, count] : *rows) std::printf("%s %ld\n", sensor.c_str(), long(count));
  return engine->wait() ? 0 : 1;
}
