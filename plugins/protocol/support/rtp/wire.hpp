// Big-endian numbers towards the wire.
#pragma once

#include <cstdint>

#include "tapedeck/media/bytes.hpp"

namespace tapedeck::rtp {

/// Writes at `at`, which has the room, and gives the place behind.
inline std::uint8_t* put16(std::uint8_t* at, std::uint16_t value) {
    *at++ = static_cast<std::uint8_t>(value >> 8);
    *at++ = static_cast<std::uint8_t>(value & 0xff);
    return at;
}
inline std::uint8_t* put32(std::uint8_t* at, std::uint32_t value) {
    return put16(put16(at, static_cast<std::uint16_t>(value >> 16)), static_cast<std::uint16_t>(value & 0xffff));
}

/// Appends the lowest `count` bytes of `value`, the highest first.
inline void append_number(Bytes& into, std::uint64_t value, unsigned count) {
    while (count-- > 0) into.push_back(static_cast<std::uint8_t>(value >> (8 * count) & 0xff));
}

}  // namespace tapedeck::rtp
