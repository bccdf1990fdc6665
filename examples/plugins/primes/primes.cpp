// primes: a source that can be replayed. Its offset is the last number that it has looked at.
#include <atomic>
#include <flowrun/plugin.hpp>
#include <string>

using namespace flowrun::plugin;

namespace {

constexpr int64_t kRowsPerRead = 1000;

class Primes final : public Source {
 public:
  static Spec spec() {
    return Spec("primes", "The prime numbers up to a bound, in order.")
        .doc("Replayable: opened at an offset it gives the same numbers again.")
        .option(integer("below", "Where it ends.").required().at_least(0))
        .example("The primes below a hundred", "numbers: { source: primes, below: 100 }", "");
  }
  explicit Primes(const Options& options) : end_(options.integer("below")) {}

  Schema bind() override { return {{"prime", types::bigint()}}; }

  void open(std::optional<std::string> offset) override {
    candidate_ = offset ? std::stoll(*offset) : 1;
  }

  Chunk read(int64_t) override {
    if (cancelled_) throw Error::cancelled();
    Builder<int64_t> primes;
    while (primes.size() < kRowsPerRead && candidate_ + 1 < end_) {
      ++candidate_;
      if (is_prime(candidate_)) primes.append(candidate_);
    }
    Chunk chunk;
    chunk.mark = candidate_ + 1 < end_ ? FLOWRUN_MORE : FLOWRUN_STREAM_ENDS;
    chunk.rows = Batch({primes.finish()});
    chunk.offset = std::to_string(candidate_);
    return chunk;
  }

  void cancel() override { cancelled_ = true; }

 private:
  static bool is_prime(int64_t number) {
    for (int64_t divisor = 2; divisor * divisor <= number; ++divisor) {
      if (number % divisor == 0) return false;
    }
    return number > 1;
  }

  int64_t end_;
  int64_t candidate_ = 1;
  std::atomic<bool> cancelled_{false};
};

}  // namespace

FLOWRUN_PLUGIN("primes", "1.0.0", source<Primes>(FLOWRUN_SOURCE_REPLAYABLE | FLOWRUN_SOURCE_FINITE))
