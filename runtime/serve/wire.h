#pragma once
// Wire: a connection's bytes, as they are or through TLS, for the server's sessions.

#include <array>
#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <functional>
#include <memory>
#include <optional>

namespace flowrun {

// What Beast calls an asynchronous stream. What is done once bytes have moved is kept behind one
// type, so that the machinery below is compiled once and not for each use of it. One thread at a
// time; it must outlive what it was asked to do.
class Wire {
 public:
  using Protocol = boost::asio::generic::stream_protocol;
  using Socket = boost::beast::basic_stream<Protocol>;
  using executor_type = Socket::executor_type;
  using Done = boost::asio::any_completion_handler<void(boost::system::error_code, size_t)>;
  // Unused ones are empty. What does not fit waits for the next call, as it may with any stream.
  using Pieces = std::array<boost::asio::const_buffer, 8>;

  // `tls` may be null and must outlive the wire.
  Wire(Protocol::socket socket, boost::asio::ssl::context* tls);

  executor_type get_executor() { return socket_.get_executor(); }
  // Deadlines are kept below TLS.
  [[nodiscard]] Socket& socket() { return socket_; }

  // The names that Beast asks for: any sequence of buffers, any completion token.
  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code, size_t)>(
        [this](auto done, const Buffers& into) { read_some(first_of(into), std::move(done)); },
        token, buffers);
  }
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code, size_t)>(
        [this](auto done, const Buffers& from) { write_some(pieces_of(from), std::move(done)); },
        token, buffers);
  }

  // Calls `done` with an error code; at once without TLS.
  void shake_hands(std::function<void(boost::system::error_code)> done);
  // A certificate that does not verify ends the handshake.
  [[nodiscard]] bool certified();
  // Says goodbye where TLS wants it, a short while at most. `keep` lives until then.
  void close(const std::shared_ptr<void>& keep);
  void close_socket();

 private:
  template <class Buffers>
  static boost::asio::mutable_buffer first_of(const Buffers& buffers) {
    const auto end = boost::asio::buffer_sequence_end(buffers);
    for (auto at = boost::asio::buffer_sequence_begin(buffers); at != end; ++at) {
      if (const boost::asio::mutable_buffer piece(*at); piece.size() > 0) return piece;
    }
    return {};
  }
  template <class Buffers>
  static Pieces pieces_of(const Buffers& buffers) {
    Pieces pieces;
    size_t count = 0;
    const auto end = boost::asio::buffer_sequence_end(buffers);
    for (auto at = boost::asio::buffer_sequence_begin(buffers); at != end; ++at) {
      const boost::asio::const_buffer piece(*at);
      if (piece.size() > 0 && count < pieces.size()) pieces[count++] = piece;
    }
    return pieces;
  }

  void read_some(boost::asio::mutable_buffer into, Done done);
  void write_some(const Pieces& from, Done done);

  Socket socket_;
  boost::asio::steady_timer deadline_;
  std::optional<boost::asio::ssl::stream<Socket&>> tls_;
  bool ready_ = false;  // hands were shaken, and no goodbye was said
};

}  // namespace flowrun
