#include "runtime/config/top_level.h"

#include <algorithm>

#include "runtime/base/suggest.h"
#include "runtime/format/time_zone.h"
#include "runtime/operator/option_specs.h"
#include "runtime/operator/reader_options.h"

namespace flowrun {

namespace {

Trigger make_trigger(const OptionValue& value) {
  if (value.kind == OptionKind::duration) return {Trigger::Kind::period, value.integer};
  if (value.text == "once") return {Trigger::Kind::once, 0};
  if (value.text == "available_now") return {Trigger::Kind::available_now, 0};
  return {Trigger::Kind::asap, 0};
}

// Takes `serve:` out of `top`.
void read_serve(RawValue& top, Plan& plan, Errors& errors) {
  const auto key = std::ranges::find(top.keys, "serve", &RawValue::Key::text);
  if (key == top.keys.end()) return;
  const auto at = key - top.keys.begin();
  const RawValue serve = std::move(top.items[static_cast<size_t>(at)]);
  const Position position = key->position;
  top.keys.erase(key);
  top.items.erase(top.items.begin() + at);
  if (serve.kind != RawValue::Kind::map && serve.kind != RawValue::Kind::empty) {
    errors.push_back(Error::invalid("`serve` cannot be " + serve.shown() +
                                    " — write `{ listen: 127.0.0.1:8080 }`")
                         .at(position));
    return;
  }
  RawValue map = serve.kind == RawValue::Kind::empty ? RawValue::map({}) : serve;
  map.position = position;
  plan.serve = PlanServe{position, read_options(serve_specs(), map, "`serve`", errors)};
}

std::optional<int64_t> integer_of(const Options& options, std::string_view name) {
  const OptionValue* value = options.find(name);
  return value ? std::optional(value->integer) : std::nullopt;
}

}  // namespace

std::vector<OptionSpec> top_level_specs() {
  using namespace option;
  return {
      text("name", "the pipeline's name; the file's name without it"),
      text("doc", "what the pipeline is for"),
      one_of("trigger", "when an epoch ends: at once, after a period, or once for what is there",
             {word("", {"asap", "once", "available_now"}, ""), duration("", "").at_least(1)})
          .with_default("asap"),
      integer("threads", "workers; one per core that is granted without it").between(1, 1024),
      bytes("memory",
            "bounds everything that grows; 256 MiB without it, or half of what the cgroup grants")
          .at_least(1 << 20),
      bytes("in_flight",
            "bounds what was read and is not yet processed; 32 MiB, or an eighth of `memory`, "
            "without it")
          .at_least(1),
      text("timezone", "the zone of dates and of times as text").with_default("UTC"),
      list_of(text("plugins",
                   "libraries to load: files, relative to this one, or names looked for in the "
                   "folders of FLOWRUN_PLUGIN_PATH")),
      word("watermark_policy", {"min", "max"}, "which watermark counts where several meet")
          .with_default("min"),
  };
}

const std::vector<std::string>& structure_keys() {
  static const std::vector<std::string> kKeys = {"nodes",       "chain",   "tables",
                                                 "connections", "include", "serve"};
  return kKeys;
}

std::vector<OptionSpec> serve_specs() {
  using namespace option;
  return {
      text("listen",
           "the address and port of the HTTP API and the dashboard, such as 127.0.0.1:8080; port 0 "
           "for a free one; no port is opened without it"),
      secret(text("token",
                  "what clients must send as `Authorization: Bearer`; required for an address that "
                  "is not the machine's own")),
      group(
          "tls", "HTTPS",
          {required(path("certificate", "the server's certificate, a PEM file")),
           required(path("key", "its private key, a PEM file without a password")),
           path("client_ca",
                "an authority, a PEM file: clients that show a certificate of it need no token")}),
      list_of(
          text("hosts",
               "names by which clients may call this server, beside the address it listens on")),
      list_of(text("origins", "web pages of these origins may read the API; none without it")),
      path("socket",
           "the Unix socket for `flowrun sql`, `top`, `tap` and `status`; in the user's runtime "
           "folder without it"),
      duration("time_limit", "a statement is ended after so long")
          .at_least(1)
          .with_default("10 seconds"),
      integer("max_rows", "rows of an answer at most")
          .between(1, 10'000'000)
          .with_default("100000"),
      integer("max_connections", "clients at a time").between(1, 65535).with_default("256"),
  };
}

void read_top_level(const Document& document, Plan& plan, Diagnostics& diagnostics) {
  Errors errors;
  RawValue top = document.top;
  top.position = document.position;
  read_serve(top, plan, errors);
  const Options options =
      read_options(top_level_specs(), top, "the pipeline file", errors, structure_keys());
  for (Error& error : errors) diagnostics.push_back(make_diagnostic(std::move(error)));
  plan.name = options.text_or("name", "");
  plan.doc = options.text_or("doc", "");
  plan.trigger = make_trigger(options.at("trigger"));
  plan.threads = integer_of(options, "threads");
  plan.memory = integer_of(options, "memory");
  plan.in_flight = integer_of(options, "in_flight");
  plan.timezone = options.text("timezone");
  if (const auto zone = find_time_zone(plan.timezone); !zone) {
    diagnostics.push_back(make_diagnostic(options.at("timezone").place(zone.error())));
  }
  plan.watermark_policy_max = options.text("watermark_policy") == "max";
}

bool read_tables(const Document& document, const Registry& registry, Plan& plan,
                 LoadedPlan& loaded) {
  const std::vector<OptionSpec> specs = table_option_specs(registry);
  const size_t before = loaded.diagnostics.size();
  for (size_t i = 0; i < document.tables.keys.size(); ++i) {
    const RawValue::Key& key = document.tables.keys[i];
    RawValue table = document.tables.items[i];
    const std::string owner = "the table " + back_quoted(key.text);
    if (table.kind != RawValue::Kind::map) {
      loaded.diagnostics.push_back(
          make_diagnostic(Error::invalid(owner + " cannot be " + table.shown() +
                                         " — write `{ file: PATH, format: csv }`")
                              .at(key.position)));
      continue;
    }
    table.position = key.position;
    Errors errors;
    Options options = read_options(specs, table, owner, errors);
    for (Error& error : errors) loaded.diagnostics.push_back(make_diagnostic(std::move(error)));
    plan.tables.push_back({key.text, key.position, std::move(options)});
  }
  return loaded.diagnostics.size() == before;
}

}  // namespace flowrun
