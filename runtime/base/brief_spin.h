#pragma once
// BriefSpin: looks around for some microseconds before a thread goes to sleep, where the waits
// before were that short: a change of threads costs more than that. A wait that turns out long is
// the last one to spin, so that whoever idles takes no time of a core.
//
//   BriefSpin::Wait wait(spin_);
//   lock.unlock();
//   wait.look([&] { return ready_.load(std::memory_order_acquire); });
//   lock.lock();
//   readable_.wait(lock, ...);   // looks again itself

#include <atomic>
#include <chrono>
#include <thread>

namespace flowrun {

// One place where threads wait for one kind of thing. Thread-safe.
class BriefSpin {
  using Clock = std::chrono::steady_clock;

 public:
  static constexpr std::chrono::microseconds kLongest{50};
  // Where others want the core, to look around costs more than to sleep and be woken: then it is
  // not tried again for a while.
  static constexpr std::chrono::microseconds kYieldOfOthers{100};
  static constexpr std::chrono::milliseconds kRest{200};

  // From here to its end somebody waits.
  class Wait {
   public:
    explicit Wait(BriefSpin& spin) : spin_(spin) {}
    ~Wait() { spin_.hot_.store(Clock::now() - began_ < kLongest, std::memory_order_relaxed); }
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;

    // Until `ready` or for as long as it is worth it. `ready` takes no lock.
    template <class Ready>
    void look(Ready ready) const {
      if (!spin_.hot_.load(std::memory_order_relaxed)) return;
      Clock::time_point now = began_;
      if (now < spin_.rests_until_.load(std::memory_order_relaxed)) return;
      while (!ready() && now - began_ < kLongest) {
        const Clock::time_point before = now;
        std::this_thread::yield();
        now = Clock::now();
        if (now - before < kYieldOfOthers) continue;
        spin_.rests_until_.store(now + kRest, std::memory_order_relaxed);
        return;
      }
    }

   private:
    BriefSpin& spin_;
    const Clock::time_point began_ = Clock::now();
  };

 private:
  std::atomic<bool> hot_{false};
  std::atomic<Clock::time_point> rests_until_{Clock::time_point()};
};

}  // namespace flowrun
