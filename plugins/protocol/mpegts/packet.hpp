// One packet of a transport stream (ISO/IEC 13818-1 section 2.4.3.2).
#pragma once

#include <cstdint>
#include <optional>

#include "tapedeck/media/bytes.hpp"

namespace tapedeck::mpegts {

inline constexpr std::size_t packet_size = 188;
inline constexpr std::uint8_t sync_byte = 0x47;
inline constexpr std::uint16_t null_pid = 0x1fff;

/// `payload` lies in the bytes it was parsed from.
struct Packet {
    std::uint16_t pid = 0;
    std::uint8_t counter = 0;
    bool starts_unit = false;  ///< a PES packet begins with the payload, or a section in it
    bool is_scrambled = false;
    bool has_payload = false;
    bool may_jump = false;    ///< discontinuity_indicator: the counter and the clock may begin anew here
    bool is_stuffed = false;  ///< filled up with stuffing, as the last packet of a PES packet is
    ByteSpan payload;
};

/// Whether an adaptation field has stuffing behind its fields (section 2.4.3.4). `field` begins with its flags.
inline bool has_stuffing(ByteSpan field) {
    if (field.empty()) return true;
    std::size_t used = 1 + ((field[0] & 0x10) != 0 ? 6 : 0) + ((field[0] & 0x08) != 0 ? 6 : 0) + (field[0] >> 2 & 1u);
    for (const unsigned private_data_or_extension : {2u, 1u})
        if ((field[0] & private_data_or_extension) != 0) used += 1 + (used < field.size() ? field[used] : 0u);
    return used < field.size() || (field.size() == 1 && field[0] == 0);
}

/// `bytes` are 188 that begin with the sync byte. Nothing where the packet was damaged on its way, or its lengths are
/// wrong.
inline std::optional<Packet> parse_packet(ByteSpan bytes) {
    if ((bytes[1] & 0x80) != 0) return std::nullopt;  // transport_error_indicator
    Packet packet;
    packet.pid = static_cast<std::uint16_t>((bytes[1] & 0x1f) << 8 | bytes[2]);
    packet.starts_unit = (bytes[1] & 0x40) != 0;
    packet.is_scrambled = (bytes[3] & 0xc0) != 0;
    packet.has_payload = (bytes[3] & 0x10) != 0;
    packet.counter = bytes[3] & 0x0f;
    std::size_t at = 4;
    if ((bytes[3] & 0x20) != 0) {
        const std::size_t length = bytes[4];
        at += 1 + length;
        if (at > packet_size) return std::nullopt;
        packet.may_jump = length != 0 && (bytes[5] & 0x80) != 0;
        packet.is_stuffed = has_stuffing(bytes.subspan(5, length));
    }
    if (packet.has_payload) packet.payload = bytes.subspan(at, packet_size - at);
    return packet;
}

}  // namespace tapedeck::mpegts
