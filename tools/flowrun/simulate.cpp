#include <fmt/format.h>
#include <unistd.h>

#include <memory>

#include "tools/flowrun/commands.h"
#include "tools/simulate/server.h"

namespace flowrun {
namespace {

std::unique_ptr<simulate::RecordStream> make_stream(const SimulateCommand& command) {
  const simulate::StreamOptions options{.seed = command.seed,
                                        .rate = command.rate,
                                        .nulls = command.nulls,
                                        .late = command.late,
                                        .burst = command.burst};
  if (command.stream == "heart") return simulate::make_heart(options);
  if (command.stream == "quotes") return simulate::make_quotes(options);
  if (command.stream == "wikimedia") return simulate::make_wikimedia(options);
  return simulate::make_watches(options);
}

}  // namespace

int execute(const SimulateCommand& command) {
  const simulate::ServerOptions options{
      .name = command.stream,
      .host = command.host,
      .port = command.port,
      .rate = command.rate,
      .count = command.count,
      .slow = command.drop_slow ? simulate::Slow::drop : simulate::Slow::wait,
      .events_at = command.stream == "wikimedia" && !command.lines ? "/v2/stream/recentchange" : "",
      .drop_every = command.drop_every,
      .show = !command.quiet && isatty(STDOUT_FILENO) == 1,
      .quiet = command.quiet,
      .on_listening = {}};
  const auto stream = make_stream(command);
  const Status served = simulate::serve(*stream, options);
  if (served) return kExitDone;
  fmt::print(stderr, "{}: {}\n", command.stream, served.error().message);
  return served.error().code == ErrorCode::invalid ? kExitRefused : kExitFailed;
}

}  // namespace flowrun
