#pragma once
// Server: sends one stream of records to every TCP client that is connected, as lines or, asked
// over HTTP, as server-sent events.
//
//   ServerOptions options{.name = "watches", .port = 9999, .rate = 1000};
//   Status done = serve(*make_watches({.rate = 1000}), options);   // until SIGINT, SIGTERM or
//   --count

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "runtime/base/status.h"
#include "tools/simulate/record_stream.h"

namespace flowrun::simulate {

// What happens when a client reads slower than records are made.
enum class Slow : uint8_t {
  wait,  // everybody waits for it
  drop,  // it is disconnected
};

struct ServerOptions {
  std::string name;
  std::string host = "127.0.0.1";
  uint16_t port = 0;             // 0: a free one
  double rate = 1000;            // records a second
  std::optional<int64_t> count;  // end after so many records
  Slow slow = Slow::wait;
  std::string events_at;              // not empty: server-sent events at GET of this path
  std::optional<int64_t> drop_every;  // cut all connections after so many records
  bool show = false;                  // print what is sent on standard output
  bool quiet = false;                 // say nothing on standard error
  std::function<void(uint16_t port)> on_listening;  // told the port once clients may connect
};

// With `events_at` each event has an id, and a client that names one in Last-Event-ID is given what
// followed it, as far back as EventLog keeps. Cutting connections as `drop_every` says happens in
// the middle of an event, but between two lines.
//
// Blocks. Records are made only while somebody is connected, and go to all who are; a client that
// leaves is no error. Returns at SIGINT or SIGTERM, or when `count` records have been handed to the
// clients.
Status serve(RecordStream& stream, const ServerOptions& options);

}  // namespace flowrun::simulate
