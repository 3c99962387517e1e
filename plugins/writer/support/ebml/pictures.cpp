#include "pictures.hpp"

#include <algorithm>
#include <array>

#include "tapedeck/media/h264.hpp"

namespace tapedeck::ebml {
namespace {

std::optional<PictureSize> vp8_size(View frame) {
    constexpr std::array<std::uint8_t, 3> start_code{0x9d, 0x01, 0x2a};
    if (frame.size() < 10 || !std::ranges::equal(frame.subspan(3, 3), start_code)) return std::nullopt;
    const auto side = [&](std::size_t at) { return (frame[at] | std::uint32_t{frame[at + 1]} << 8) & 0x3fffu; };
    return PictureSize{side(6), side(8)};
}

std::optional<PictureSize> vp9_size(View frame) {
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
}

}  // namespace

std::optional<PictureSize> picture_size(std::uint32_t codec, View config, View key_frame) {
    try {
        if (codec == TD_CODEC_VP8) return vp8_size(key_frame);
        if (codec == TD_CODEC_VP9) return vp9_size(key_frame);
        if (codec != TD_CODEC_H264) return std::nullopt;
        const auto avcc = h264::parse_avcc(config);
        if (avcc.sps.empty()) return std::nullopt;
        const auto sps = h264::parse_sps(avcc.sps.front());
        return PictureSize{sps.width, sps.height};
    } catch (const Malformed&) {
        return std::nullopt;
    }
}

}  // namespace tapedeck::ebml
