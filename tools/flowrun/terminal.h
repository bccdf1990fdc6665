#pragma once
// Terminal: the one writer of the process. Results go to standard output, everything else to
// standard error, and the status line below them is taken away before either is written and drawn
// again after.
//
//   Terminal terminal(Terminal::standard());
//   terminal.line("iot: 9 nodes");            // standard error
//   terminal.write("+---+\n|  n|\n");         // standard output
//   terminal.set_status("epoch 3 ...");       // drawn on a terminal only

#include <atomic>
#include <mutex>
#include <string>
#include <string_view>

#include "runtime/operator/registry.h"

namespace flowrun {

// Thread-safe: a piece or a line never interleaves with another.
class Terminal final : public Output {
 public:
  struct Streams {
    int out = 1;
    int error = 2;
    bool status = false;   // draw the status line on `error`
    bool colours = false;  // on `error`
  };
  // What standard output and standard error are: a terminal or a pipe. NO_COLOR is heeded.
  static Streams standard();

  explicit Terminal(Streams streams) : streams_(streams) {}
  ~Terminal() override { set_status({}); }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  Status write(std::string_view text) override;
  // Writes a line (the line break is added) to standard error. A failure there is nobody's to hear.
  void line(std::string_view text);
  // One line; cut to the terminal's width. Empty: none.
  void set_status(std::string text);
  // Before the process ends at once: takes the status line away for good. Waits for nobody, be it a
  // thread that is stuck in writing or a terminal that takes nothing; calls only what a signal
  // handler may.
  void leave() noexcept;
  [[nodiscard]] bool colours() const { return streams_.colours; }
  [[nodiscard]] bool has_status() const { return streams_.status; }

 private:
  // With a status line everything goes to one terminal and takes turns. Otherwise a standard output
  // that blocks (a pipe nobody reads) must not hold up the log.
  std::mutex& out_mutex() { return streams_.status ? error_mutex_ : out_mutex_; }
  void erase_status();
  void draw_status();

  Streams streams_;
  std::mutex out_mutex_;
  std::mutex error_mutex_;  // guards the status line too
  std::string status_;
  std::atomic<bool> drawn_ = false;
  std::atomic<bool> left_ = false;  // nothing is drawn any more
};

// The first `width` characters of a UTF-8 text, each taken to be one column wide.
std::string_view clip(std::string_view text, size_t width);

// ANSI colours, or the text as it is.
enum class Colour : uint8_t { none, bold, red, yellow };
std::string coloured(std::string_view text, Colour colour, bool colours);

}  // namespace flowrun
