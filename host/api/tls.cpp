#include "api/tls.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <boost/asio/ssl/context.hpp>
#include <cerrno>
#include <functional>
#include <string_view>

#include "api/keys.hpp"
#include "base/error.hpp"
#include "base/log.hpp"

namespace tapedeck::host::api {
namespace {

namespace ssl = boost::asio::ssl;

template <auto Free>
struct Freer {
    template <class T>
    void operator()(T* object) const {
        Free(object);
    }
};
using PrivateKey = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freer<X509_EXTENSION_free>>;
using Memory = std::unique_ptr<BIO, Freer<BIO_free_all>>;

constexpr long ten_years = 3650L * 24 * 3600;

/// The oldest error of this thread as OpenSSL words it.
std::string openssl_reason() {
    const auto code = ERR_get_error();
    ERR_clear_error();
    const auto* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
    return reason == nullptr ? "unknown reason" : reason;
}

void expect(bool done, std::string_view what) {
    if (!done) throw Error(fmt::format("cannot make a self-signed certificate: {}: {}", what, openssl_reason()));
}

/// Asio calls this for a key under a passphrase; without it OpenSSL would ask on the terminal.
int no_passphrase(char*, int, int, void*) {
    return 0;
}

std::string host_name() {
    std::array<char, 256> name{};
    if (gethostname(name.data(), name.size() - 1) != 0) return "localhost";
    for (const char* c = name.data(); *c != '\0'; ++c) {
        const bool plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9');
        if (!plain && *c != '-' && *c != '.') return "localhost";
    }
    return name[0] == '\0' ? "localhost" : name.data();
}

void add_extension(X509& certificate, int kind, const std::string& value) {
    X509V3_CTX context{};
    X509V3_set_ctx(&context, &certificate, &certificate, nullptr, nullptr, 0);
    const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
    expect(extension && X509_add_ext(&certificate, extension.get(), -1) == 1, value);
}

Certificate sign_for(EVP_PKEY& key) {
    Certificate made(X509_new());
    expect(made != nullptr, "memory");
    auto& certificate = *made;
    std::uint64_t serial = 0;
    expect(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1, "random number");
    X509_set_version(&certificate, X509_VERSION_3);
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(&certificate), serial >> 1);
    X509_gmtime_adj(X509_getm_notBefore(&certificate), -3600);  // for clients whose clock is behind
    X509_gmtime_adj(X509_getm_notAfter(&certificate), ten_years);
    X509_set_pubkey(&certificate, &key);
    const auto name = host_name();
    const auto common = name.substr(0, 64);
    auto* subject = X509_get_subject_name(&certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(common.c_str()), -1,
                               -1, 0);
    X509_set_issuer_name(&certificate, subject);
    add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE");
    add_extension(certificate, NID_ext_key_usage, "serverAuth");
    add_extension(certificate, NID_subject_alt_name, fmt::format("DNS:localhost,DNS:{},IP:127.0.0.1,IP:::1", name));
    expect(X509_sign(&certificate, &key, EVP_sha256()) != 0, "signature");
    return made;
}

/// Written beside its place and then renamed: a crash must leave no half file under the name.
void write_file(const std::filesystem::path& file, BIO& text, mode_t mode) {
    char* data = nullptr;
    const auto size = static_cast<std::size_t>(BIO_get_mem_data(&text, &data));
    const auto fresh = file.string() + ".new";
    ::unlink(fresh.c_str());
    const int descriptor = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (descriptor < 0) throw_errno(fresh, errno);
    const auto written = ::write(descriptor, data, size);
    const int failure = written < 0 ? errno : ENOSPC;
    const bool synced = ::fsync(descriptor) == 0;
    ::close(descriptor);
    if (written != static_cast<ssize_t>(size) || !synced) throw_errno(fresh, failure);
    if (::rename(fresh.c_str(), file.c_str()) != 0) throw_errno(file.string(), errno);
}

/// Whether both files can be used: readable, belonging together and not expired.
bool are_usable(const CertificateFiles& files) {
    if (!std::filesystem::exists(files.certificate) || !std::filesystem::exists(files.key)) return false;
    try {
        const auto context = tls_context(files);
        const auto* certificate = SSL_CTX_get0_certificate(context->native_handle());
        return X509_cmp_current_time(X509_get0_notAfter(certificate)) > 0;
    } catch (const Error& failure) {
        log::warning("{}; a new self-signed pair is made", failure.what());
        return false;
    }
}

}  // namespace

std::shared_ptr<ssl::context> tls_context(const CertificateFiles& files) {
    auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
    auto* native = context->native_handle();
    SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
    SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);  // an idle connection keeps no buffers
    SSL_CTX_set_default_passwd_cb(native, no_passphrase);
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(native, files.certificate.c_str()) != 1) {
        throw Error(fmt::format("{} = {}: {}; it must be a PEM file with the certificate first, then its chain",
                                tls_certificate.name, files.certificate.string(), openssl_reason()));
    }
    if (SSL_CTX_use_PrivateKey_file(native, files.key.c_str(), SSL_FILETYPE_PEM) != 1) {
        throw Error(fmt::format("{} = {}: {}; it must be the PEM file of the certificate's key, without a passphrase",
                                tls_key.name, files.key.string(), openssl_reason()));
    }
    return context;
}

CertificateFiles self_signed(const std::filesystem::path& folder) {
    CertificateFiles files{folder / "self-signed.crt", folder / "self-signed.key"};
    if (are_usable(files)) return files;
    const PrivateKey key(EVP_EC_gen("P-256"));
    expect(key != nullptr, "key");
    const auto certificate = sign_for(*key);
    const Memory key_text(BIO_new(BIO_s_mem())), certificate_text(BIO_new(BIO_s_mem()));
    expect(PEM_write_bio_PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1, "key");
    expect(PEM_write_bio_X509(certificate_text.get(), certificate.get()) == 1, "certificate");
    try {
        std::filesystem::create_directories(folder);
        write_file(files.key, *key_text, 0600);
        write_file(files.certificate, *certificate_text, 0644);
    } catch (const std::exception& failure) {
        throw Error(fmt::format("a self-signed certificate cannot be kept: {}; set {} and {}, or {} = false",
                                failure.what(), tls_certificate.name, tls_key.name, https_enabled.name));
    }
    log::info("made a self-signed certificate, {}; set {} and {} to your own", files.certificate.string(),
              tls_certificate.name, tls_key.name);
    return files;
}

}  // namespace tapedeck::host::api
