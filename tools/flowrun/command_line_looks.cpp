// The commands that ask a run: sql, status, top, tap.
#include "tools/flowrun/command_options.h"

namespace flowrun {

namespace {

void add_sql(CLI::App& app, CommandLine& out, Drafts& drafts) {
  SqlCommand& sql = drafts.sql;
  CLI::App* command = app.add_subcommand(
      "sql", "Ask a running pipeline about its tables; without a statement, at a prompt");
  add_run_file(*command, sql.file);
  command->add_option("statement", sql.statement, "such as \"select * from counts\"")
      ->type_name("STATEMENT");
  add_table_format_option(*command, sql.format);
  add_duration(*command, "--watch", sql.watch, "ask again and again: 1s");
  command->add_option("--rows", sql.rows, "rows of a table that are shown (default 20)")
      ->check(CLI::Range(0, 10'000'000));
  command->add_option("--truncate", sql.truncate,
                      "cut cells of a table: true (20), false or a number");
  command->add_flag("--vertical", sql.vertical, "a line per value");
  command->callback([&out, &sql] { out = sql; });
}

void add_looks(CLI::App& app, CommandLine& out, Drafts& drafts) {
  StatusCommand& status = drafts.status;
  CLI::App* command = app.add_subcommand("status", "What runs on this machine, under this user");
  command->add_option("file", status.file, "only this pipeline, or the socket of a run")
      ->type_name("FILE");
  add_format_option(*command, status.json);
  command->callback([&out, &status] { out = status; });

  TopCommand& top = drafts.top;
  command = app.add_subcommand("top", "Watch a running pipeline, node by node");
  add_run_file(*command, top.file);
  add_duration(*command, "--every", top.every, "how often it is drawn (default 1s)");
  command->add_flag("--once", top.once, "one picture");
  command->callback([&out, &top] { out = top; });

  TapCommand& tap = drafts.tap;
  command = app.add_subcommand("tap", "Show some of the rows that leave or enter a node");
  add_run_file(*command, tap.file);
  command->add_option("node", tap.node, "the node, or a port of it: readings.errors")
      ->required()
      ->type_name("NODE");
  command->add_flag("--input", tap.input, "what enters the node, not what leaves it");
  command->add_option("--limit", tap.limit, "so many rows (default 20)")
      ->check(CLI::Range(1, 1000));
  add_duration(*command, "--wait", tap.wait, "for so long at most (default 5s)");
  add_table_format_option(*command, tap.format);
  command->callback([&out, &tap] { out = tap; });
}

}  // namespace

void add_look_commands(CLI::App& app, CommandLine& out, Drafts& drafts) {
  add_sql(app, out, drafts);
  add_looks(app, out, drafts);
}

}  // namespace flowrun
