#pragma once
// RecordStream: an endless stream of made-up records, one JSON object a line.
//
//   auto stream = make_watches({.seed = 7, .rate = 1000});
//   std::string out;
//   stream->append(out, 100, now);   // the next 100 records, as if they arrived at `now`
//
// The records are a function of the seed and the rate alone, but for their two times.

#include <cstdint>
#include <memory>
#include <string>

namespace flowrun::simulate {

struct StreamOptions {
  uint64_t seed = 1;
  double rate = 1000;  // records a second: how many records an activity of some seconds spans
  double nulls = 0;    // share of records in error: every field null but the two times
  double late = 0;     // share of records whose creation lies half a minute to ten minutes back
  bool burst = false;  // changes: now and then a run of edits on one page
};

// Not thread-safe.
class RecordStream {
 public:
  virtual ~RecordStream() = default;
  // Appends `records` records. Their arrival is `now` (nanoseconds since 1970), later records a
  // little later.
  virtual void append(std::string& out, int64_t records, int64_t now) = 0;
};

// Accelerometers of watches and phones: Arrival_Time, Creation_Time, Device, Index, Model, User,
// gt, x, y, z.
std::unique_ptr<RecordStream> make_watches(const StreamOptions& options);
// Heart rates: Arrival_Time, Creation_Time, Device, Index, Model, User, bpm.
std::unique_ptr<RecordStream> make_heart(const StreamOptions& options);
// Lines of plays: character, quote.
std::unique_ptr<RecordStream> make_quotes(const StreamOptions& options);
// Changes of Wikipedia and its sisters: recorded ones, and invented edits of more wikis with
// `"invented":true`, two in a hundred on pages about the communes of Haute-Garonne.
std::unique_ptr<RecordStream> make_wikimedia(const StreamOptions& options);

}  // namespace flowrun::simulate
