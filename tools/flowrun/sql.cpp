// flowrun sql: questions to a running pipeline, one from the command line or many at a prompt.

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <thread>

#include "tools/flowrun/commands.h"
#include "tools/flowrun/prompt.h"
#include "tools/flowrun/running.h"

namespace flowrun {
namespace {

std::string target_of(const SqlCommand& command) {
  std::string target = "/v1/sql?format=" + std::string(command.format == "table"  ? "text"
                                                       : command.format == "json" ? "ndjson"
                                                                                  : command.format);
  if (command.rows) target += fmt::format("&rows={}", *command.rows);
  if (command.format == "table" && command.rows)
    target += fmt::format("&max_rows={}", *command.rows + 1);
  if (!command.truncate.empty()) target += "&truncate=" + percent_encoded(command.truncate);
  if (command.vertical) target += "&vertical=true";
  return target;
}

bool more_rows(const ApiResponse& response) {
  for (const auto& [name, value] : response.headers) {
    if (name == "flowrun-more-rows") return value == "true";
  }
  return false;
}

// Asks once and prints the answer.
int ask(ApiClient& client, const SqlCommand& command, const std::string& statement) {
  const auto answer = client.post(target_of(command), statement, "text/plain");
  if (!answer) return complain("error: " + answer.error().message, kExitFailed);
  if (answer->status != 200) return complain(error_of(*answer), kExitRefused);
  std::fwrite(answer->body.data(), 1, answer->body.size(), stdout);
  std::fflush(stdout);
  if (more_rows(*answer) && command.format != "table")
    std::fputs("there are more rows — add a `limit`, or raise `max_rows` under `serve:`\n", stderr);
  return kExitDone;
}

int watch(ApiClient& client, const SqlCommand& command) {
  const bool redraw = isatty(STDOUT_FILENO) == 1;
  while (true) {
    if (redraw) std::fputs("\x1b[H\x1b[2J", stdout);
    if (const int code = ask(client, command, command.statement); code != kExitDone) return code;
    std::this_thread::sleep_for(std::chrono::microseconds(*command.watch));
  }
}

std::vector<std::string> words(ApiClient& client) {
  const auto answer = client.get("/v1/words");
  return answer ? texts_in(answer->body, "words") : std::vector<std::string>();
}

}  // namespace

int execute(const SqlCommand& command) {
  auto client = connect_to_run(command.file);
  if (!client)
    return complain("error: " + client.error().message,
                    client.error().code == ErrorCode::invalid ? kExitRefused : kExitFailed);
  if (command.watch) return watch(**client, command);
  if (!command.statement.empty()) return ask(**client, command, command.statement);
  Prompt prompt(words(**client));
  int code = kExitDone;
  while (const auto statement = prompt.read()) {
    code = ask(**client, command, *statement);
    // A connection that was idle for long is made anew.
    if (code == kExitFailed) {
      auto again = connect_to_run(command.file);
      if (!again) return code;
      client = std::move(again);
      code = ask(**client, command, *statement);
    }
  }
  return isatty(STDIN_FILENO) == 1 ? kExitDone : code;
}

}  // namespace flowrun
