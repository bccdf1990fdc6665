#include "runtime/serve/tls.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509err.h>
#include <sys/stat.h>

#include <boost/asio/ssl/context.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

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

constexpr std::chrono::seconds kBetweenLooks(2);

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

TlsCertificates::TlsCertificates(TlsFiles files, Version version, TlsContext context)
    : files_(std::move(files)),
      version_(std::move(version)),
      context_(std::move(context)),
      next_look_(std::chrono::steady_clock::now() + kBetweenLooks) {}

Result<std::shared_ptr<TlsCertificates>> TlsCertificates::read(TlsFiles files) {
  // Before they are read: what is replaced meanwhile is another version.
  Version version = version_of(files);
  FLOWRUN_TRY(TlsContext context, make_tls_context(files));
  return std::shared_ptr<TlsCertificates>(
      new TlsCertificates(std::move(files), std::move(version), std::move(context)));
}

TlsCertificates::Version TlsCertificates::version_of(const TlsFiles& files) {
  Version version;
  for (const std::string& file : {files.certificate, files.key, files.client_ca}) {
    struct stat found {};
    const bool there = !file.empty() && stat(file.c_str(), &found) == 0;
    version.insert(
        version.end(),
        {there ? 1 : 0, static_cast<int64_t>(found.st_dev), static_cast<int64_t>(found.st_ino),
         static_cast<int64_t>(found.st_size), found.st_mtim.tv_sec, found.st_mtim.tv_nsec});
  }
  return version;
}

TlsContext TlsCertificates::current(const std::function<void(const LogEvent&)>& tell) {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_look_) return context_;
  next_look_ = now + kBetweenLooks;
  Version version = version_of(files_);
  if (version == version_) return context_;
  version_ = std::move(version);
  auto renewed = make_tls_context(files_);
  if (renewed) context_ = std::move(*renewed);
  if (tell && renewed) tell({LogEvent::Level::info, {}, "serve: the renewed certificate is taken"});
  if (tell && !renewed)
    tell({LogEvent::Level::warning,
          {},
          "serve: the files of `tls` were replaced and are not taken, those before are kept: " +
              renewed.error().message});
  return context_;
}

}  // namespace flowrun
