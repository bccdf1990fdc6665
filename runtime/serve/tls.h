#pragma once
// What the HTTP server needs for HTTPS.

#include <memory>
#include <string>

#include "runtime/base/status.h"

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

}  // namespace flowrun
