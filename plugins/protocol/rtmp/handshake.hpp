// RTMP's handshake: the server's side, plain (Adobe's specification 1.0, section 5.2) and with digests, and the
// client's, plain.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "tapedeck/media/bytes.hpp"

namespace tapedeck::rtmp {

inline constexpr std::size_t handshake_size = 1536;

/// Flash players and most encoders hide a HMAC-SHA256 in C1 at an offset that four of its bytes give; there are two
/// places for these bytes. A server that answers in kind is taken for a recent one.
enum class DigestScheme : std::uint8_t { digest_second = 0, digest_first = 1 };  // of the two halves of C1

/// Where C1 has its digest, when it has a valid one. `packet` has 1536 bytes.
std::optional<DigestScheme> find_digest(ByteSpan packet);
/// The 32 bytes of `packet` that hold the digest under `scheme`.
ByteSpan digest_of(ByteSpan packet, DigestScheme scheme);

/// Collects C0, C1 and C2 and gives the answer. Pure but for the random bytes of the answer; not thread-safe.
class Handshake {
public:
    /// Takes bytes from the front of `bytes`, as many as belong to the handshake, and appends what must be sent to
    /// `answer`. Throws Malformed on another version than 3.
    void read(ByteSpan& bytes, std::vector<std::uint8_t>& answer);

    bool done() const { return state_ == State::done; }
    /// The scheme of C1, nothing for a plain one.
    std::optional<DigestScheme> scheme() const { return scheme_; }

private:
    enum class State : std::uint8_t { version, first, second, done };

    void reply(std::vector<std::uint8_t>& answer);

    State state_ = State::version;
    std::vector<std::uint8_t> packet_;  // C1, as far as it came; freed when answered
    std::size_t skipped_ = 0;           // bytes of C2, whose content says nothing
    std::optional<DigestScheme> scheme_;
};

/// The client's side. Pure but for the random bytes of C1; not thread-safe.
class ClientHandshake {
public:
    /// Appends C0 and C1 to `out`.
    static void begin(std::vector<std::uint8_t>& out);
    /// As the server's: takes S0, S1 and S2, and appends C2. Throws Malformed on another version than 3.
    void read(ByteSpan& bytes, std::vector<std::uint8_t>& out);

    bool done() const { return taken_ == 1 + 2 * handshake_size; }

private:
    std::size_t taken_ = 0;
};

}  // namespace tapedeck::rtmp
