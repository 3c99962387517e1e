// Packets in a stream of bytes: RFC 4571 section 2.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "tapedeck/media/bytes.hpp"

namespace tapedeck::webrtc {

constexpr std::size_t longest_frame = 1500, frame_header = 2;  // bytes

/// Takes the first packet off the front of `bytes`; nothing as long as a part of it is missing. Throws Malformed if it
/// is longer than `longest_frame`.
inline std::optional<std::span<std::uint8_t>> take_frame(std::span<std::uint8_t>& bytes) {
    if (bytes.size() < frame_header) return std::nullopt;
    const auto size = static_cast<std::size_t>(bytes[0] << 8 | bytes[1]);
    if (size > longest_frame) throw Malformed("a frame of " + std::to_string(size) + " bytes");
    if (bytes.size() < frame_header + size) return std::nullopt;
    const auto frame = bytes.subspan(frame_header, size);
    bytes = bytes.subspan(frame_header + size);
    return frame;
}

inline void append_frame(Bytes& to, ByteSpan packet) {
    to.push_back(static_cast<std::uint8_t>(packet.size() >> 8));
    to.push_back(static_cast<std::uint8_t>(packet.size() & 0xff));
    to.insert(to.end(), packet.begin(), packet.end());
}

}  // namespace tapedeck::webrtc
