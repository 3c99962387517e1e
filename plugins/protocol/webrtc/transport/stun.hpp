// STUN messages as ICE uses them: RFC 8489, and RFC 8445 section 16.1 for the attributes of a check.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "tapedeck/media/bytes.hpp"
#include "webrtc/transport/endpoint.hpp"

namespace tapedeck::webrtc::stun {

enum class Kind : std::uint8_t { request, indication, success, error };
constexpr std::uint16_t binding = 1;
using Transaction = std::array<std::uint8_t, 12>;

/// What a message says. Borrows the bytes it was parsed from.
struct Message {
    ByteSpan bytes;
    Kind kind = Kind::request;
    std::uint16_t method = 0;
    Transaction transaction{};
    std::string_view username;
    std::optional<std::uint32_t> priority;
    bool use_candidate = false;
    std::optional<std::uint64_t> controlling, controlled;
    std::optional<Endpoint> mapped;  // XOR-MAPPED-ADDRESS
    int error = 0;                   // code of ERROR-CODE
    std::size_t integrity_at = 0;    // where MESSAGE-INTEGRITY begins; 0: there is none
    bool has_fingerprint = false;    // and it is right
    std::uint16_t unknown = 0;       // the first attribute that must be understood and is not
};

/// One datagram, or nothing if it is no whole STUN message or its FINGERPRINT is wrong. What follows MESSAGE-INTEGRITY
/// is left out but for FINGERPRINT (RFC 8489 section 14.5).
std::optional<Message> parse(ByteSpan datagram);

/// Whether MESSAGE-INTEGRITY (HMAC-SHA1) is there and was made with this password (short-term credentials).
bool is_signed(const Message& message, std::string_view password);

/// Writes one message into the caller's bytes. Whatever does not fit is left out, and then `finish` gives nothing.
class Writer {
public:
    Writer(std::span<std::uint8_t> into, Kind kind, std::uint16_t method, const Transaction& transaction);

    void username(std::string_view name);
    void priority(std::uint32_t value);
    void use_candidate();
    void controlling(std::uint64_t tie_breaker);
    void mapped(const Endpoint& address);
    /// `code` from 300 to 699. Without a reason phrase: an error must not be larger than what it answers.
    void error(int code);
    void unknown(std::uint16_t attribute);
    /// Adds MESSAGE-INTEGRITY unless `password` is empty, then FINGERPRINT. Returns the whole message.
    ByteSpan finish(std::string_view password);

private:
    std::span<std::uint8_t> attribute(std::uint16_t type, std::size_t size);
    void set_length(std::size_t whole);

    std::span<std::uint8_t> into_;
    std::size_t size_ = 0;
    bool is_short_ = false;
};

}  // namespace tapedeck::webrtc::stun
