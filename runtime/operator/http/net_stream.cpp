#include "runtime/operator/http/net_stream.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <cerrno>
#include <climits>
#include <system_error>
#include <utility>

namespace flowrun {

namespace {

constexpr const char* kGone = "the connection broke";

std::string last_tls_error() {
  const unsigned long code = ERR_get_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason ? reason : "unknown error";
}

bool would_block(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

// A BIO over a socket that never raises SIGPIPE, which OpenSSL's own does.

int descriptor_of(BIO* bio) { return *static_cast<const int*>(BIO_get_data(bio)); }

int bio_write(BIO* bio, const char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t sent = ::send(descriptor_of(bio), bytes, static_cast<size_t>(size), MSG_NOSIGNAL);
  if (sent < 0 && would_block(errno)) BIO_set_retry_write(bio);
  return static_cast<int>(sent);
}

int bio_read(BIO* bio, char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t got = ::recv(descriptor_of(bio), bytes, static_cast<size_t>(size), 0);
  if (got < 0 && would_block(errno)) BIO_set_retry_read(bio);
  if (got == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return static_cast<int>(got);
}

long bio_control(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

const BIO_METHOD* socket_method() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "flowrun socket");
    BIO_meth_set_write(made, bio_write);
    BIO_meth_set_read(made, bio_read);
    BIO_meth_set_ctrl(made, bio_control);
    return made;
  }();
  return method;
}

bool is_address(const std::string& host) {
  unsigned char bytes[sizeof(in6_addr)];
  return inet_pton(AF_INET, host.c_str(), bytes) == 1 ||
         inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

}  // namespace

struct TlsContext::Parts {
  ~Parts() { SSL_CTX_free(context); }
  SSL_CTX* context = nullptr;
};

TlsContext::TlsContext(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
TlsContext::~TlsContext() = default;

Result<std::shared_ptr<const TlsContext>> TlsContext::make(const std::string& ca_file) {
  auto parts = std::make_unique<Parts>();
  parts->context = SSL_CTX_new(TLS_client_method());
  if (!parts->context) return Error::io("cannot begin TLS: " + last_tls_error());
  SSL_CTX_set_min_proto_version(parts->context, TLS1_2_VERSION);
  SSL_CTX_set_verify(parts->context, SSL_VERIFY_PEER, nullptr);
  if (ca_file.empty()) {
    if (SSL_CTX_set_default_verify_paths(parts->context) != 1)
      return Error::io("cannot read the system's certificates: " + last_tls_error());
  } else if (SSL_CTX_load_verify_locations(parts->context, ca_file.c_str(), nullptr) != 1) {
    ERR_clear_error();
    return Error::invalid(
        fmt::format("cannot read certificates from {} — it must be a PEM file", ca_file));
  }
  return std::shared_ptr<const TlsContext>(new TlsContext(std::move(parts)));
}

struct NetStream::Tls {
  ~Tls() { SSL_free(ssl); }
  SSL* ssl = nullptr;
  int descriptor = -1;
  std::string host;
};

NetStream::NetStream(Descriptor socket) : socket_(std::move(socket)) {}
NetStream::NetStream(NetStream&&) noexcept = default;
NetStream& NetStream::operator=(NetStream&&) noexcept = default;
NetStream::~NetStream() = default;

Status NetStream::secure(const TlsContext& tls, const std::string& host, const Wakeup& wakeup,
                         int64_t deadline) {
  tls_ = std::make_unique<Tls>();
  tls_->descriptor = socket_.get();
  tls_->host = host;
  tls_->ssl = SSL_new(tls.parts_->context);
  BIO* bio = tls_->ssl ? BIO_new(socket_method()) : nullptr;
  if (!bio) return Error::io("cannot begin TLS: " + last_tls_error());
  BIO_set_data(bio, &tls_->descriptor);
  BIO_set_init(bio, 1);
  SSL_set_bio(tls_->ssl, bio, bio);
  if (is_address(host)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls_->ssl), host.c_str());
  } else {
    SSL_set_tlsext_host_name(tls_->ssl, host.c_str());
    SSL_set1_host(tls_->ssl, host.c_str());
  }
  while (true) {
    ERR_clear_error();
    const int result = SSL_connect(tls_->ssl);
    if (result == 1) return {};
    FLOWRUN_RETURN_IF_ERROR(continue_tls(result, wakeup, deadline));
  }
}

Error NetStream::tls_error() const {
  if (const long verified = SSL_get_verify_result(tls_->ssl); verified != X509_V_OK) {
    ERR_clear_error();
    return Error::io(
        fmt::format("the certificate of {} is not trusted: {} — name the certificate to trust with "
                    "`ca:` if it is the right server",
                    tls_->host, X509_verify_cert_error_string(verified)));
  }
  const unsigned long code = ERR_peek_error();
  if (code == 0 || ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    ERR_clear_error();
    return Error::unavailable(kGone);
  }
  return Error::unavailable(fmt::format("TLS with {} failed: {}", tls_->host, last_tls_error()));
}

Status NetStream::continue_tls(int result, const Wakeup& wakeup, int64_t deadline) {
  const int wish = SSL_get_error(tls_->ssl, result);
  if (wish != SSL_ERROR_WANT_READ && wish != SSL_ERROR_WANT_WRITE) return tls_error();
  FLOWRUN_TRY(const bool ready,
              wait_for_socket(socket_, wish == SSL_ERROR_WANT_READ, wakeup, deadline));
  if (!ready) return Error::unavailable(fmt::format("{} is too slow", tls_->host));
  return {};
}

Result<size_t> NetStream::receive(std::span<char> space) {
  if (closed_) return 0;
  if (tls_) return receive_secured(space);
  while (true) {
    const ssize_t got = recv(socket_.get(), space.data(), space.size(), 0);
    if (got > 0) return static_cast<size_t>(got);
    if (got == 0) {
      closed_ = true;
      return 0;
    }
    if (errno == EINTR) continue;
    if (would_block(errno)) return 0;
    return Error::unavailable(fmt::format("{}: {}", kGone, std::generic_category().message(errno)));
  }
}

Result<size_t> NetStream::receive_secured(std::span<char> space) {
  ERR_clear_error();
  wants_write_ = false;
  const int most = static_cast<int>(std::min<size_t>(space.size(), INT_MAX));
  const int got = SSL_read(tls_->ssl, space.data(), most);
  if (got > 0) return static_cast<size_t>(got);
  switch (SSL_get_error(tls_->ssl, got)) {
    case SSL_ERROR_WANT_READ:
      return 0;
    case SSL_ERROR_WANT_WRITE:
      wants_write_ = true;
      return 0;
    case SSL_ERROR_ZERO_RETURN:
      closed_ = true;
      return 0;
    default:
      return tls_error();
  }
}

Result<bool> NetStream::wait(const Wakeup& wakeup, int64_t deadline) {
  if (tls_ && SSL_pending(tls_->ssl) > 0) return true;
  return wait_for_socket(socket_, !wants_write_, wakeup, deadline);
}

Status NetStream::send(std::string_view bytes, const Wakeup& wakeup, int64_t deadline) {
  if (!tls_) return tcp_send(socket_, bytes, wakeup, deadline);
  while (!bytes.empty()) {
    ERR_clear_error();
    const int most = static_cast<int>(std::min<size_t>(bytes.size(), INT_MAX));
    const int sent = SSL_write(tls_->ssl, bytes.data(), most);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
    } else {
      FLOWRUN_RETURN_IF_ERROR(continue_tls(sent, wakeup, deadline));
    }
  }
  return {};
}

}  // namespace flowrun
