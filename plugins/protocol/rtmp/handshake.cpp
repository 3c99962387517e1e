#include "handshake.hpp"

#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <string_view>

namespace tapedeck::rtmp {

namespace {

constexpr std::size_t digest_size = 32;
using Digest = std::array<std::uint8_t, digest_size>;

constexpr std::string_view player_key = "Genuine Adobe Flash Player 001";
constexpr std::string_view server_key = "Genuine Adobe Flash Media Server 001";
/// Follows the server's key where S2 is signed.
constexpr std::array<std::uint8_t, 32> key_tail{0xf0, 0xee, 0xc2, 0x4a, 0x80, 0x68, 0xbe, 0xe8, 0x2e, 0x00, 0xd0,
                                                0xd1, 0x02, 0x9e, 0x7e, 0x57, 0x6e, 0xec, 0x5d, 0x2d, 0x29, 0x80,
                                                0x6f, 0xab, 0x93, 0xb8, 0xe6, 0x36, 0xcf, 0xeb, 0x31, 0xae};

ByteSpan bytes_of(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

Digest hmac(ByteSpan key, ByteSpan data) {
    Digest digest{};
    unsigned size = 0;
    if (!HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), data.data(), data.size(), digest.data(), &size))
        throw std::runtime_error("OpenSSL offers no HMAC-SHA256");
    return digest;
}

/// C1 and S1 are time, version, and two halves of 764 bytes: one with a key and one with the digest, each with four
/// bytes that give the offset; of the digest's half they are the first.
std::size_t digest_at(ByteSpan packet, DigestScheme scheme) {
    const std::size_t half = scheme == DigestScheme::digest_first ? 8 : 8 + 764;
    const unsigned sum = packet[half] + packet[half + 1] + packet[half + 2] + packet[half + 3];
    return half + 4 + sum % 728;
}

/// The HMAC over the packet without the place of the digest.
Digest sign(ByteSpan packet, std::size_t at, std::string_view key) {
    std::vector<std::uint8_t> rest(packet.begin(), packet.end());
    const auto first = rest.begin() + static_cast<std::ptrdiff_t>(at);
    rest.erase(first, first + digest_size);
    return hmac(bytes_of(key), rest);
}

void fill_random(std::uint8_t* target, std::size_t count) {
    if (RAND_bytes(target, static_cast<int>(count)) != 1) throw std::runtime_error("OpenSSL has no random bytes");
}

}  // namespace

ByteSpan digest_of(ByteSpan packet, DigestScheme scheme) {
    return packet.subspan(digest_at(packet, scheme), digest_size);
}

std::optional<DigestScheme> find_digest(ByteSpan packet) {
    for (const auto scheme : {DigestScheme::digest_first, DigestScheme::digest_second}) {
        const auto expected = sign(packet, digest_at(packet, scheme), player_key);
        if (std::ranges::equal(expected, digest_of(packet, scheme))) return scheme;
    }
    return std::nullopt;
}

void Handshake::read(ByteSpan& bytes, std::vector<std::uint8_t>& answer) {
    if (state_ == State::version && !bytes.empty()) {
        if (bytes[0] != 3)
            throw Malformed("the handshake asks for version " + std::to_string(bytes[0]) +
                            "; this server speaks 3, RTMP without encryption, and RTMPS on its TLS port");
        bytes = bytes.subspan(1);
        state_ = State::first;
    }
    if (state_ == State::first) {
        const auto part = bytes.first(std::min(bytes.size(), handshake_size - packet_.size()));
        packet_.insert(packet_.end(), part.begin(), part.end());
        bytes = bytes.subspan(part.size());
        if (packet_.size() < handshake_size) return;
        reply(answer);
        packet_ = {};
        state_ = State::second;
    }
    if (state_ == State::second) {
        const auto count = std::min(bytes.size(), handshake_size - skipped_);
        bytes = bytes.subspan(count);
        skipped_ += count;
        if (skipped_ == handshake_size) state_ = State::done;
    }
}

/// S0, S1 and S2. A plain S2 is C1 sent back; a signed one is random and ends in a digest whose key comes from C1's.
void Handshake::reply(std::vector<std::uint8_t>& answer) {
    const bool has_version = std::any_of(packet_.begin() + 4, packet_.begin() + 8, [](auto byte) { return byte != 0; });
    if (has_version) scheme_ = find_digest(packet_);

    answer.push_back(3);
    std::array<std::uint8_t, handshake_size> s1{};
    fill_random(s1.data() + 8, s1.size() - 8);
    if (!scheme_) {
        answer.insert(answer.end(), s1.begin(), s1.end());
        answer.insert(answer.end(), packet_.begin(), packet_.end());
        return;
    }
    constexpr std::array<std::uint8_t, 4> version{4, 5, 0, 1};
    std::ranges::copy(version, s1.begin() + 4);
    const auto at = digest_at(s1, *scheme_);
    std::ranges::copy(sign(s1, at, server_key), s1.begin() + static_cast<std::ptrdiff_t>(at));

    std::vector<std::uint8_t> key(server_key.begin(), server_key.end());
    key.insert(key.end(), key_tail.begin(), key_tail.end());
    const auto s2_key = hmac(key, digest_of(packet_, *scheme_));
    std::array<std::uint8_t, handshake_size> s2{};
    fill_random(s2.data(), s2.size() - digest_size);
    std::ranges::copy(hmac(s2_key, ByteSpan(s2).first(s2.size() - digest_size)), s2.end() - digest_size);
    answer.insert(answer.end(), s1.begin(), s1.end());
    answer.insert(answer.end(), s2.begin(), s2.end());
}

void ClientHandshake::begin(std::vector<std::uint8_t>& out) {
    std::array<std::uint8_t, 1 + handshake_size> packet{3};  // a time and a version of 0 follow
    fill_random(packet.data() + 9, packet.size() - 9);
    out.insert(out.end(), packet.begin(), packet.end());
}

/// C2 is S1 sent back, as it comes. What S2 has says nothing.
void ClientHandshake::read(ByteSpan& bytes, std::vector<std::uint8_t>& out) {
    if (taken_ == 0 && !bytes.empty()) {
        if (bytes[0] != 3)
            throw Malformed("what answers speaks no RTMP: its first byte is " + std::to_string(bytes[0]) + ", not 3");
        bytes = bytes.subspan(1);
        taken_ = 1;
    }
    constexpr std::size_t end_of_s1 = 1 + handshake_size;
    if (taken_ > 0 && taken_ < end_of_s1) {
        const auto part = bytes.first(std::min(bytes.size(), end_of_s1 - taken_));
        out.insert(out.end(), part.begin(), part.end());
        bytes = bytes.subspan(part.size());
        taken_ += part.size();
    }
    if (taken_ >= end_of_s1) {
        const auto count = std::min(bytes.size(), end_of_s1 + handshake_size - taken_);
        bytes = bytes.subspan(count);
        taken_ += count;
    }
}

}  // namespace tapedeck::rtmp
