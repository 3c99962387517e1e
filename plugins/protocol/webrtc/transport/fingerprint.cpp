#include "webrtc/transport/fingerprint.hpp"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "tapedeck/context.hpp"

namespace tapedeck::webrtc {

namespace {

/// Null for an algorithm that RFC 8122 forbids or does not know.
const EVP_MD* digest_named(std::string_view name) {
    if (name == "sha-1") return EVP_sha1();
    if (name == "sha-256") return EVP_sha256();
    if (name == "sha-384") return EVP_sha384();
    if (name == "sha-512") return EVP_sha512();
    return nullptr;
}

int hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    throw Malformed("a fingerprint has a digit that is not hexadecimal");
}

}  // namespace

Fingerprint Fingerprint::parse(std::string_view text) {
    const auto blank = text.find(' ');
    if (blank == std::string_view::npos) throw Malformed("a fingerprint has no digest");
    Fingerprint made{std::string(text.substr(0, blank)), {}};
    for (auto& c : made.algorithm)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    const auto* algorithm = digest_named(made.algorithm);
    if (algorithm == nullptr) throw Malformed("a fingerprint has an unknown algorithm");
    const auto digits = text.substr(blank + 1);
    const auto size = static_cast<std::size_t>(EVP_MD_get_size(algorithm));
    if (digits.size() != size * 3 - 1) throw Malformed("a fingerprint has the wrong length");
    for (std::size_t i = 0; i < size; ++i) {
        if (i > 0 && digits[3 * i - 1] != ':') throw Malformed("a fingerprint lacks a colon");
        made.digest.push_back(static_cast<std::uint8_t>(hex(digits[3 * i]) << 4 | hex(digits[3 * i + 1])));
    }
    return made;
}

std::string Fingerprint::text() const {
    constexpr std::string_view digits = "0123456789ABCDEF";
    auto made = algorithm;
    for (char separator = ' '; const auto byte : digest) {
        made += separator;
        made += digits[byte >> 4];
        made += digits[byte & 15];
        separator = ':';
    }
    return made;
}

Fingerprint Fingerprint::of(const X509* certificate, const std::string& algorithm) {
    const auto* digest = digest_named(algorithm);
    Fingerprint made{algorithm, Bytes(EVP_MAX_MD_SIZE)};
    unsigned size = 0;
    if (digest == nullptr || X509_digest(certificate, digest, made.digest.data(), &size) != 1)
        throw Error("OpenSSL makes no " + algorithm + " fingerprint");
    made.digest.resize(size);
    return made;
}

}  // namespace tapedeck::webrtc
