// Packets inside packets: RTX (RFC 4588) and RED (RFC 2198).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "rtp/packet.hpp"

namespace tapedeck::rtp {

/// The packet that a retransmission repeats, as it came on `ssrc` with `payload_type`; nothing out of padding.
inline std::optional<Packet> unpack_rtx(const Packet& rtx, std::uint32_t ssrc, std::uint8_t payload_type) {
    if (rtx.payload.size() < 2) return std::nullopt;
    Packet original = rtx;
    original.ssrc = ssrc;
    original.payload_type = payload_type;
    original.sequence = static_cast<std::uint16_t>(rtx.payload[0] << 8 | rtx.payload[1]);
    original.payload = rtx.payload.subspan(2);
    return original;
}

/// Fills `into` with what a RED packet carries: redundant blocks as packets of their own, each taken for the one as
/// many sequence numbers before, then the primary one, last. Throws Malformed.
inline void unpack_red(const Packet& red, std::vector<Packet>& into) {
    into.clear();
    if (red.payload.empty()) return;
    ByteReader reader(red.payload);
    std::vector<std::size_t> sizes;
    std::uint8_t first = reader.u8();
    for (; (first & 0x80) != 0; first = reader.u8()) {
        const auto offset_and_size = reader.u24();
        Packet block = red;
        block.marker = false;
        block.payload_type = first & 0x7f;
        block.timestamp = red.timestamp - (offset_and_size >> 10);
        into.push_back(block);
        sizes.push_back(offset_and_size & 0x3ff);
    }
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        into[i].sequence = static_cast<std::uint16_t>(red.sequence - (sizes.size() - i));
        into[i].payload = reader.take(sizes[i]);
    }
    Packet primary = red;
    primary.payload_type = first;
    primary.payload = reader.rest();
    into.push_back(primary);
}

}  // namespace tapedeck::rtp
