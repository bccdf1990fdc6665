#include "runtime/serve/tls.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509err.h>

#include <boost/asio/ssl/context.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>

namespace flowrun {

namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

Status readable(const std::string& file, const char* what) {
  if (std::ifstream(file).good()) return ok_status();
  return Error::invalid(fmt::format("cannot read the {} {}: {}", what, file, std::strerror(errno)));
}

Status taken(const error_code& failure, const std::string& file, const char* what) {
  if (!failure) return ok_status();
  return Error::invalid(
      fmt::format("{} is no {}: {} — it must be a PEM file", file, what, failure.message()));
}

Status use_key(ssl::context& context, const TlsFiles& files) {
  error_code failure;
  // Nobody is there to be asked for a password.
  context.set_password_callback([](size_t, ssl::context::password_purpose) { return ""; }, failure);
  context.use_private_key_file(files.key, ssl::context::pem, failure);
  const auto code = static_cast<unsigned long>(failure.value());
  const bool other =
      ERR_GET_LIB(code) == ERR_LIB_X509 && ERR_GET_REASON(code) == X509_R_KEY_VALUES_MISMATCH;
  if (failure && !other) return taken(failure, files.key, "private key without a password");
  if (!failure && SSL_CTX_check_private_key(context.native_handle()) == 1) return ok_status();
  return Error::invalid(
      fmt::format("the key {} does not belong to the certificate {} — name the key with which the "
                  "certificate was made",
                  files.key, files.certificate));
}

}  // namespace

Result<TlsContext> make_tls_context(const TlsFiles& files) {
  FLOWRUN_RETURN_IF_ERROR(readable(files.certificate, "certificate"));
  FLOWRUN_RETURN_IF_ERROR(readable(files.key, "key"));
  if (!files.client_ca.empty())
    FLOWRUN_RETURN_IF_ERROR(readable(files.client_ca, "authority of clients"));
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  error_code failure;
  context->set_options(ssl::context::default_workarounds | ssl::context::no_sslv2 |
                           ssl::context::no_sslv3 | ssl::context::no_tlsv1 |
                           ssl::context::no_tlsv1_1 | ssl::context::no_compression,
                       failure);
  context->use_certificate_chain_file(files.certificate, failure);
  FLOWRUN_RETURN_IF_ERROR(taken(failure, files.certificate, "certificate"));
  FLOWRUN_RETURN_IF_ERROR(use_key(*context, files));
  // A session resumed knows its client by the session's id.
  static constexpr unsigned char kSessions[] = "flowrun";
  SSL_CTX_set_session_id_context(context->native_handle(), kSessions, sizeof kSessions - 1);
  if (files.client_ca.empty()) return context;
  context->load_verify_file(files.client_ca, failure);
  FLOWRUN_RETURN_IF_ERROR(taken(failure, files.client_ca, "authority's certificate"));
  SSL_CTX_set_client_CA_list(context->native_handle(),
                             SSL_load_client_CA_file(files.client_ca.c_str()));
  context->set_verify_mode(ssl::verify_peer, failure);
  return context;
}

}  // namespace flowrun
