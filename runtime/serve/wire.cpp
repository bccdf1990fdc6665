#include "runtime/serve/wire.h"

#include <openssl/ssl.h>

#include <boost/asio/bind_executor.hpp>
#include <chrono>

namespace flowrun {

namespace {

namespace net = boost::asio;
using boost::system::error_code;

constexpr std::chrono::milliseconds kFarewell{300};

}  // namespace

Wire::Wire(Protocol::socket socket, net::ssl::context* tls)
    : socket_(std::move(socket)), deadline_(socket_.get_executor()) {
  if (tls) tls_.emplace(socket_, *tls);
}

// Bound to the wire's executor, as TLS takes none that is hidden behind a type.
void Wire::read_some(net::mutable_buffer into, Done done) {
  auto bound = net::bind_executor(get_executor(), std::move(done));
  if (tls_) return tls_->async_read_some(into, std::move(bound));
  socket_.async_read_some(into, std::move(bound));
}

void Wire::write_some(const Pieces& from, Done done) {
  auto bound = net::bind_executor(get_executor(), std::move(done));
  if (tls_) return tls_->async_write_some(from, std::move(bound));
  socket_.async_write_some(from, std::move(bound));
}

void Wire::shake_hands(std::function<void(error_code)> done) {
  if (!tls_) return done(error_code());
  tls_->async_handshake(net::ssl::stream_base::server,
                        [this, done = std::move(done)](error_code failure) {
                          ready_ = !failure;
                          done(failure);
                        });
}

bool Wire::certified() {
  if (!ready_) return false;
  X509* certificate = SSL_get1_peer_certificate(tls_->native_handle());
  X509_free(certificate);
  return certificate && SSL_get_verify_result(tls_->native_handle()) == X509_V_OK;
}

void Wire::close(const std::shared_ptr<void>& keep) {
  if (!ready_) return close_socket();
  ready_ = false;
  deadline_.expires_after(kFarewell);
  deadline_.async_wait([this, keep](error_code) { close_socket(); });
  tls_->async_shutdown([this, keep](error_code) { deadline_.cancel(); });
}

void Wire::close_socket() {
  error_code ignored;
  socket_.socket().shutdown(Protocol::socket::shutdown_both, ignored);
  socket_.socket().close(ignored);
}

}  // namespace flowrun
