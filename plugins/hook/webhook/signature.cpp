#include "signature.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "tapedeck/context.hpp"

namespace tapedeck::webhook {

std::string hmac_sha256(std::string_view secret, std::string_view message) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    const auto* bytes = reinterpret_cast<const unsigned char*>(message.data());
    if (::HMAC(::EVP_sha256(), secret.data(), static_cast<int>(secret.size()), bytes, message.size(), digest.data(),
               &size) == nullptr)
        throw Error(TD_FAILED, "the event cannot be signed: OpenSSL has no HMAC-SHA256", true);
    constexpr std::string_view digits = "0123456789abcdef";
    std::string hex;
    for (unsigned n = 0; n < size; ++n) {
        hex += digits[digest[n] >> 4];
        hex += digits[digest[n] & 15];
    }
    return hex;
}

std::string signature_of(std::string_view secret, std::int64_t seconds, std::string_view body) {
    const auto time = std::to_string(seconds);
    return "t=" + time + ",v1=" + hmac_sha256(secret, time + '.' + std::string(body));
}

}  // namespace tapedeck::webhook
