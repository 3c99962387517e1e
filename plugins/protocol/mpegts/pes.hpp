// The header of a PES packet (ISO/IEC 13818-1 section 2.4.3.6).
#pragma once

#include <cstdint>
#include <optional>

#include "tapedeck/media/bytes.hpp"

namespace tapedeck::mpegts {

/// Times of 33 bits in 90 kHz.
struct PesHeader {
    std::size_t size = 0;  ///< the payload follows
    std::optional<std::int64_t> pts;
    std::int64_t dts = 0;  ///< the PTS where there is none of its own; of no meaning without a PTS
};

/// The size of the whole packet by its first six bytes; 0: it ends where the next one begins. Nothing where no PES
/// packet begins, or there are fewer bytes.
inline std::optional<std::size_t> pes_size(ByteSpan bytes) {
    if (bytes.size() < 6 || bytes[0] != 0 || bytes[1] != 0 || bytes[2] != 1) return std::nullopt;
    const std::size_t length = std::size_t{bytes[4]} << 8 | bytes[5];
    return length == 0 ? 0 : 6 + length;
}

/// Of a whole packet of sound or pictures. Throws Malformed.
inline PesHeader parse_pes(ByteSpan bytes) {
    ByteReader reader(bytes);
    reader.take(6);
    if ((reader.u8() & 0xc0) != 0x80) throw Malformed("PES: no header of MPEG-2");
    const auto flags = reader.u8();
    ByteReader fields(reader.take(reader.u8()));
    const auto time = [&fields] {
        const std::uint64_t high = fields.u8(), middle = fields.u16(), low = fields.u16();
        if ((high & middle & low & 1) == 0) throw Malformed("PES: a time without its marker bits");
        return static_cast<std::int64_t>((high >> 1 & 7) << 30 | middle >> 1 << 15 | low >> 1);
    };
    PesHeader header{bytes.size() - reader.left(), std::nullopt, 0};
    if ((flags & 0x80) != 0) header.dts = *(header.pts = time());
    if ((flags & 0xc0) == 0xc0) header.dts = time();
    return header;
}

}  // namespace tapedeck::mpegts
