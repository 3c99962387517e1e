// VP9: what the header of a key frame says (VP9 bitstream specification section 6.2).
#pragma once

#include <cstdint>
#include <optional>

#include "tapedeck/media/bytes.hpp"

namespace tapedeck::vp9 {

struct PictureSize {
    std::uint32_t width = 0, height = 0;
};

/// Nothing for other frames and for what is no frame.
inline std::optional<PictureSize> picture_size(ByteSpan frame) {
    try {
        BitReader bits(frame);
        if (bits.bits(2) != 2) return std::nullopt;
        const auto low = bits.bits(1), high = bits.bits(1);
        const auto profile = high * 2 + low;
        if (profile == 3) bits.flag();
        if (bits.flag() || bits.flag()) return std::nullopt;  // shows an earlier frame, or is no key frame
        bits.bits(2);
        if (bits.bits(24) != 0x498342) return std::nullopt;
        if (profile >= 2) bits.flag();
        constexpr std::uint32_t rgb = 7;
        if (bits.bits(3) == rgb) {
            if (profile % 2 == 1) bits.flag();
        } else {
            bits.flag();
            if (profile % 2 == 1) bits.bits(3);
        }
        const auto width = bits.bits(16) + 1;
        return PictureSize{width, bits.bits(16) + 1};
    } catch (const Malformed&) {
        return std::nullopt;
    }
}

}  // namespace tapedeck::vp9
