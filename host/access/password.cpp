#include "access/password.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>

#include "base/error.hpp"

namespace tapedeck::host {
namespace {

constexpr int iterations = 100'000;          // some 50 ms; SHA-256 has no cheaper way for the one who guesses
constexpr int most_iterations = 10'000'000;  // a line of the file must not hold a thread for minutes
constexpr std::string_view password_scheme = "pbkdf2-sha256$";
constexpr std::string_view token_scheme = "sha256$";

using Digest = std::array<std::uint8_t, SHA256_DIGEST_LENGTH>;

template <std::size_t Size>
std::array<std::uint8_t, Size> random_bytes() {
    std::array<std::uint8_t, Size> bytes{};
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) throw Error("the system gave no random bytes");
    return bytes;
}

std::string hex(std::span<const std::uint8_t> bytes) {
    std::string text;
    for (const auto byte : bytes) text += fmt::format("{:02x}", byte);
    return text;
}

std::optional<std::string> from_hex(std::string_view text) {
    if (text.empty() || text.size() % 2 != 0 || text.size() > 256) return {};
    std::string bytes;
    for (std::size_t i = 0; i < text.size(); i += 2) {
        std::uint8_t byte = 0;
        const auto [end, failure] = std::from_chars(text.data() + i, text.data() + i + 2, byte, 16);
        if (failure != std::errc() || end != text.data() + i + 2) return {};
        bytes.push_back(static_cast<char>(byte));
    }
    return bytes;
}

Digest pbkdf2(std::string_view password, std::string_view salt, int rounds) {
    const char* secret = password.data() == nullptr ? "" : password.data();  // the function refuses a null pointer
    if (password.size() > std::numeric_limits<int>::max()) throw Error("the password is too long");
    const std::string salt_bytes(salt);
    Digest digest{};
    if (PKCS5_PBKDF2_HMAC(secret, static_cast<int>(password.size()),
                          reinterpret_cast<const unsigned char*>(salt_bytes.data()),
                          static_cast<int>(salt_bytes.size()), rounds, EVP_sha256(), static_cast<int>(digest.size()),
                          digest.data()) != 1) {
        throw Error("PBKDF2 failed");
    }
    return digest;
}

struct PasswordHash {
    int rounds;
    std::string salt, hash;
};

std::optional<PasswordHash> parse_password_hash(std::string_view text) {
    if (!text.starts_with(password_scheme)) return {};
    text.remove_prefix(password_scheme.size());
    const auto first = text.find('$');
    const auto second = text.find('$', first == std::string_view::npos ? first : first + 1);
    if (second == std::string_view::npos) return {};
    PasswordHash parsed{};
    const auto [end, failure] = std::from_chars(text.data(), text.data() + first, parsed.rounds);
    if (failure != std::errc() || end != text.data() + first) return {};
    const auto salt = from_hex(text.substr(first + 1, second - first - 1));
    const auto hash = from_hex(text.substr(second + 1));
    if (parsed.rounds < 1 || parsed.rounds > most_iterations || !salt || !hash ||
        hash->size() != SHA256_DIGEST_LENGTH) {
        return {};
    }
    parsed.salt = *salt;
    parsed.hash = *hash;
    return parsed;
}

std::optional<std::string> parse_token_hash(std::string_view text) {
    if (!text.starts_with(token_scheme)) return {};
    auto hash = from_hex(text.substr(token_scheme.size()));
    if (hash && hash->size() != SHA256_DIGEST_LENGTH) hash.reset();
    return hash;
}

Digest sha256(std::string_view text) {
    Digest digest{};
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
    return digest;
}

bool equal(const Digest& digest, std::string_view bytes) {
    return bytes.size() == digest.size() && CRYPTO_memcmp(digest.data(), bytes.data(), digest.size()) == 0;
}

}  // namespace

std::string hash_password(std::string_view password) {
    const auto salt = random_bytes<16>();
    const std::string_view view(reinterpret_cast<const char*>(salt.data()), salt.size());
    return fmt::format("{}{}${}${}", password_scheme, iterations, hex(salt), hex(pbkdf2(password, view, iterations)));
}

std::string hash_token(std::string_view token) {
    return std::string(token_scheme) + hex(sha256(token));
}

std::string new_token() {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const auto bytes = random_bytes<32>();
    std::string token;
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (const auto byte : bytes) {
        bits = bits << 8 | byte;
        for (count += 8; count >= 6; count -= 6) token += alphabet[bits >> (count - 6) & 63];
    }
    if (count > 0) token += alphabet[bits << (6 - count) & 63];
    return token;
}

bool is_hash(std::string_view text) {
    return parse_password_hash(text) || parse_token_hash(text);
}

bool matches_hash(std::string_view secret, std::string_view hash) {
    if (const auto token = parse_token_hash(hash)) return equal(sha256(secret), *token);
    const auto password = parse_password_hash(hash);
    return password && equal(pbkdf2(secret, password->salt, password->rounds), password->hash);
}

bool equal_secrets(std::string_view left, std::string_view right) {
    const auto a = sha256(left), b = sha256(right);
    return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace tapedeck::host
