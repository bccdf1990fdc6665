#include "tools/flowrun/command_options.h"

namespace flowrun {

namespace {

const std::map<std::string, double> kDurations = {
    {"us", 1},        {"ms", 1e3},      {"s", 1e6},       {"sec", 1e6},     {"second", 1e6},
    {"seconds", 1e6}, {"m", 60e6},      {"min", 60e6},    {"minute", 60e6}, {"minutes", 60e6},
    {"h", 3600e6},    {"hour", 3600e6}, {"hours", 3600e6}};

}  // namespace

void add_plugin_option(CLI::App& command, std::vector<std::string>& plugins) {
  command
      .add_option("--plugin", plugins,
                  "load this library: a file with a slash, or a name in FLOWRUN_PLUGIN_PATH")
      ->type_name("PATH")
      ->allow_extra_args(false);
}

void add_set_option(CLI::App& command, std::vector<std::string>& set) {
  command.add_option("--set", set, "change an option, as node.key=value; again for more")
      ->type_name("PATH=VALUE")
      ->allow_extra_args(false);
}

void add_pipeline_file(CLI::App& command, PipelineArguments& pipeline) {
  command.add_option("file", pipeline.file, "the pipeline")->required()->type_name("FILE");
}

void add_pipeline_options(CLI::App& command, PipelineArguments& pipeline) {
  add_pipeline_file(command, pipeline);
  add_set_option(command, pipeline.set);
  command.add_option("--only", pipeline.only, "only these sinks and what they need, by name")
      ->delimiter(',')
      ->type_name("SINK")
      ->allow_extra_args(false);
  add_plugin_option(command, pipeline.plugins);
}

void add_run_file(CLI::App& command, std::string& file) {
  command.add_option("file", file, "the pipeline that runs, or the socket of a run")
      ->required()
      ->type_name("FILE");
}

void add_format_option(CLI::App& command, bool& json) {
  command
      .add_option_function<std::string>(
          "--format", [&json](const std::string& word) { json = word == "json"; }, "text or json")
      ->check(CLI::IsMember({"text", "json"}));
}

void add_table_format_option(CLI::App& command, std::string& format) {
  command.add_option("--format", format, "table, json (an object a line) or csv")
      ->check(CLI::IsMember({"table", "json", "csv"}));
}

void add_duration(CLI::App& command, const std::string& name, std::function<void(int64_t)> take,
                  const std::string& what) {
  command
      .add_option_function<double>(
          name,
          [take = std::move(take)](double microseconds) {
            take(static_cast<int64_t>(microseconds));
          },
          what)
      ->transform(CLI::AsNumberWithUnit(kDurations, CLI::AsNumberWithUnit::UNIT_REQUIRED))
      ->type_name("DURATION");
}

}  // namespace flowrun
