#pragma once
// What the HTTP server needs for HTTPS.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/exec/progress.h"

namespace boost::asio::ssl {
class context;
}

namespace flowrun {

// PEM files.
struct TlsFiles {
  std::string certificate;  // the server's, those that sign it below it
  std::string key;          // without a password
  std::string client_ca;    // of clients' certificates; empty: none are asked for
};

using TlsContext = std::shared_ptr<boost::asio::ssl::context>;

// For a server, TLS 1.2 and newer. A client is asked for a certificate where there is a
// `client_ca`; one without is let in, one with a certificate that the authority did not sign is
// not. Errors: `invalid`, naming the file that is missing, no PEM, or does not fit the other.
Result<TlsContext> make_tls_context(const TlsFiles& files);

// The certificates of a server that lives longer than they do: files that were replaced are taken
// for the connections that begin from then on, and those that there are keep what they began with.
//
//   FLOWRUN_TRY(auto certificates, TlsCertificates::read(files));
//   const TlsContext context = certificates->current(tell);   // for each new connection
//
// One thread at a time.
class TlsCertificates {
 public:
  // Errors: as of make_tls_context.
  static Result<std::shared_ptr<TlsCertificates>> read(TlsFiles files);

  // Looks at the files, a few seconds apart at least. Files that were replaced by others which will
  // not do leave things as they are, and are told of once; so are those that were taken. `tell` may
  // be empty.
  TlsContext current(const std::function<void(const LogEvent&)>& tell);

 private:
  // What tells one version of the files from the next: of each its place on the disk, its size and
  // when it was written.
  using Version = std::vector<int64_t>;

  TlsCertificates(TlsFiles files, Version version, TlsContext context);
  [[nodiscard]] static Version version_of(const TlsFiles& files);

  const TlsFiles files_;
  Version version_;  // the last one that was looked into
  TlsContext context_;
  std::chrono::steady_clock::time_point next_look_;
};

}  // namespace flowrun
