// Certificates: PEM files, or a self-signed pair made at the first start.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

namespace boost::asio::ssl {
class context;
}

namespace tapedeck::host::api {

struct CertificateFiles {
    std::filesystem::path certificate, key;
};

/// A server context of TLS 1.2 and 1.3 with the certificate chain and key of these PEM files. Throws Error that names
/// the setting, the file and the reason.
std::shared_ptr<boost::asio::ssl::context> tls_context(const CertificateFiles& files);

/// `self-signed.crt` and `self-signed.key` (mode 0600) in `folder`; made when they are missing or expired, valid for
/// ten years for `localhost`, this machine's name and the loopback addresses. Throws Error when they cannot be written.
CertificateFiles self_signed(const std::filesystem::path& folder);

}  // namespace tapedeck::host::api
