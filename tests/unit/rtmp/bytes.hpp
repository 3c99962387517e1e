// Bytes written by hand for the tests of RTMP.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "tapedeck/media/bytes.hpp"

namespace tapedeck::rtmp {

/// Hex digits; spaces are passed over.
inline Bytes hex(std::string_view digits) {
    Bytes bytes;
    int high = -1;
    for (const char c : digits) {
        if (c == ' ') continue;
        const int value = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
        if (high < 0) {
            high = value;
        } else {
            bytes.push_back(static_cast<std::uint8_t>(high << 4 | value));
            high = -1;
        }
    }
    return bytes;
}

inline Bytes join(std::initializer_list<Bytes> parts) {
    Bytes all;
    for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
}

inline Bytes big_endian(std::uint64_t value, int count) {
    Bytes bytes;
    while (count-- > 0) bytes.push_back(static_cast<std::uint8_t>(value >> (8 * count)));
    return bytes;
}

/// `count` bytes 0, 1, 2, ... that begin at `first`.
inline Bytes counting(std::size_t count, std::uint8_t first = 0) {
    Bytes bytes(count);
    for (auto& byte : bytes) byte = first++;
    return bytes;
}

/// A chunk with a full header (format 0) on a chunk stream below 64; the payload in one piece.
inline Bytes chunk0(std::uint8_t chunk_stream, std::uint32_t time, std::uint8_t type, std::uint32_t stream,
                    const Bytes& payload) {
    const auto id = static_cast<std::uint8_t>(stream);
    return join({{chunk_stream}, big_endian(time, 3), big_endian(payload.size(), 3), {type, id, 0, 0, 0}, payload});
}

}  // namespace tapedeck::rtmp
