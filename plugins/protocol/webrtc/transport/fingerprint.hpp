// What the SDP says of a certificate.
#pragma once

#include <openssl/types.h>

#include <string>
#include <string_view>

#include "tapedeck/media/bytes.hpp"

namespace tapedeck::webrtc {

/// a=fingerprint of RFC 8122: the digest of a certificate.
struct Fingerprint {
    std::string algorithm;  // sha-1, sha-256, sha-384 or sha-512
    Bytes digest;

    /// "sha-256 12:AB:..."; case does not matter. Throws Malformed for another algorithm or a wrong length.
    static Fingerprint parse(std::string_view text);
    std::string text() const;
    /// Of a certificate. Throws Error for an algorithm that `parse` would not take.
    static Fingerprint of(const X509* certificate, const std::string& algorithm);
    bool operator==(const Fingerprint&) const = default;
};

}  // namespace tapedeck::webrtc
