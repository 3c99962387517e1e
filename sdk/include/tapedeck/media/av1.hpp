// AV1: open bitstream units and what a sequence header says (AV1 bitstream specification sections 5.3 to 5.5).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "tapedeck/media/bytes.hpp"

namespace tapedeck::av1 {

enum : std::uint8_t { obu_sequence_header = 1, obu_temporal_delimiter = 2 };

/// A temporal unit as files have it: without the delimiter in front, which has no content.
inline ByteSpan without_delimiter(ByteSpan unit) {
    constexpr std::array<std::uint8_t, 2> delimiter{obu_temporal_delimiter << 3 | 2, 0};
    const bool has_one = unit.size() > 2 && std::ranges::equal(unit.first(2), delimiter);
    return has_one ? unit.subspan(2) : unit;
}

/// The payload of the first OBU of this type in OBUs that say their sizes. Throws Malformed.
inline std::optional<ByteSpan> find_obu(ByteSpan obus, std::uint8_t type) {
    ByteReader reader(obus);
    while (!reader.empty()) {
        const auto head = reader.u8();
        if ((head & 4) != 0) reader.u8();
        std::uint64_t size = reader.left();
        if ((head & 2) != 0) {
            size = 0;
            for (unsigned shift = 0; shift < 35; shift += 7) {
                const auto byte = reader.u8();
                size |= std::uint64_t{byte & 0x7fu} << shift;
                if (byte < 0x80) break;
            }
        }
        if (size > reader.left()) throw Malformed("an OBU that leads past the end");
        const auto payload = reader.take(static_cast<std::size_t>(size));
        if ((head >> 3 & 15) == type) return payload;
    }
    return std::nullopt;
}

/// The largest frame of the sequence.
struct PictureSize {
    std::uint32_t width = 0, height = 0;
};

/// `payload` of a sequence header OBU. Throws Malformed.
inline PictureSize parse_sequence_header(ByteSpan payload) {
    BitReader bits(payload);
    bits.bits(4);  // seq_profile, still_picture
    if (bits.flag()) {
        bits.bits(5);  // a reduced header: only the level
    } else {
        bool has_decoder_model = false;
        unsigned delay_bits = 0;
        if (bits.flag()) {  // timing_info
            bits.bits(32), bits.bits(32);
            if (bits.flag()) bits.golomb();  // uvlc has the form of ue(v)
            has_decoder_model = bits.flag();
            if (has_decoder_model) {
                delay_bits = bits.bits(5) + 1;
                bits.bits(32);
                bits.bits(10);
            }
        }
        const bool has_display_delay = bits.flag();
        for (auto points = bits.bits(5) + 1; points > 0; --points) {
            bits.bits(12);
            if (bits.bits(5) > 7) bits.flag();
            if (has_decoder_model && bits.flag()) bits.bits(delay_bits), bits.bits(delay_bits), bits.flag();
            if (has_display_delay && bits.flag()) bits.bits(4);
        }
    }
    const auto width_bits = bits.bits(4) + 1, height_bits = bits.bits(4) + 1;
    const auto width = bits.bits(width_bits) + 1;
    return {width, bits.bits(height_bits) + 1};
}

/// Of the sequence header that an av1C record holds (AV1 in ISOBMFF section 2.3); nothing where it holds none. Throws
/// Malformed.
inline std::optional<PictureSize> picture_size(ByteSpan av1c) {
    ByteReader reader(av1c);
    if (reader.u8() != 0x81) throw Malformed("av1C: the version is not 1");
    reader.take(3);
    const auto header = find_obu(reader.rest(), obu_sequence_header);
    if (!header) return std::nullopt;
    return parse_sequence_header(*header);
}

}  // namespace tapedeck::av1
