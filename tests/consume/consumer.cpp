// Everything of the C++ header is compiled here, by a program that has only what is installed.
#include <flowrun/flowrun.h>

#include <cstdio>

struct Reading {
  std::string sensor;
  std::optional<double> value;
};
template <>
constexpr auto flowrun::describe<Reading> =
    flowrun::columns("sensor", &Reading::sensor, "value", &Reading::value);

int main() {
  flowrun::Registry registry;
  if (!registry.scalar<double(double)>("twice", [](double x) { return 2 * x; })) return 1;
  flowrun::Settings settings;
  settings.registry = &registry;
  auto engine = flowrun::Engine::from_text(
      "nodes:\n"
      "  in: { source: push, schema: \"sensor STRING, value DOUBLE\" }\n"
      "  more: { from: in, select: [sensor, twice(value) AS value] }\n"
      "  out: { from: more, sink: pull }\n",
      std::move(settings));
  if (!engine) return std::puts(engine.status().text().c_str()), 1;
  auto in = engine->push_rows<Reading>("in");
  auto out = engine->pull_rows<Reading>("out");
  if (!in || !out || !engine->start()) return 1;
  if (!in->push({"a sensor with a long name", 2.5})) return 1;
  in->finish();
  auto rows = out->pull();
  if (!rows) return std::puts(rows.status().text().c_str()), 1;
  std::printf("%s %g\n", (*rows)[0].sensor.c_str(), *(*rows)[0].value);
  return engine->wait() ? 0 : 1;
}
