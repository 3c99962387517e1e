// One RTP packet (RFC 3550 section 5.1) with header extensions (RFC 8285).
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "tapedeck/media/bytes.hpp"

namespace tapedeck::rtp {

inline constexpr std::size_t header_size = 12;

/// The spans lie in the bytes it was parsed from.
struct Packet {
    bool marker = false;
    std::uint8_t payload_type = 0;  // 0 to 127
    std::uint16_t sequence = 0;
    std::uint32_t timestamp = 0;
    std::uint32_t ssrc = 0;
    std::uint16_t extension_profile = 0;  // 0xBEDE: one-byte headers, 0x100n: two-byte headers
    ByteSpan extensions;
    ByteSpan payload;  // without padding; empty in packets that only probe
    ByteSpan whole;    // all that it was parsed from
};

/// Throws Malformed. CSRCs are passed over.
Packet parse_packet(ByteSpan bytes);

/// Whether a datagram of a muxed port is RTCP (RFC 5761 section 4); else it is RTP when its first byte is 128 to 191.
inline bool is_rtcp(ByteSpan bytes) {
    return bytes.size() >= 2 && bytes[0] >> 6 == 2 && bytes[1] >= 192 && bytes[1] <= 223;
}

/// The extension element of `id` (1 to 14, or to 255 with two-byte headers), where the packet has it. A torn list ends
/// at its last whole element.
std::optional<ByteSpan> extension(const Packet& packet, std::uint8_t id);

struct Extension {
    std::uint8_t id = 0;  // 1 to 255
    ByteSpan value;       // up to 255 bytes
};

/// Bytes that `write_header` takes for these extensions.
std::size_t written_size(std::span<const Extension> extensions);

/// Writes the header without CSRCs and padding; the payload goes behind it. One-byte headers where all ids and values
/// fit them. `into` holds `written_size`; returns that. `packet.extensions` is not looked at.
std::size_t write_header(std::span<std::uint8_t> into, const Packet& packet, std::span<const Extension> extensions);

}  // namespace tapedeck::rtp
