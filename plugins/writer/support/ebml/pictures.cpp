#include "pictures.hpp"

#include <algorithm>
#include <array>

#include "tapedeck/media/av1.hpp"
#include "tapedeck/media/h264.hpp"
#include "tapedeck/media/h265.hpp"
#include "tapedeck/media/vp9.hpp"

namespace tapedeck::ebml {
namespace {

std::optional<PictureSize> vp8_size(View frame) {
    constexpr std::array<std::uint8_t, 3> start_code{0x9d, 0x01, 0x2a};
    if (frame.size() < 10 || !std::ranges::equal(frame.subspan(3, 3), start_code)) return std::nullopt;
    const auto side = [&](std::size_t at) { return (frame[at] | std::uint32_t{frame[at + 1]} << 8) & 0x3fffu; };
    return PictureSize{side(6), side(8)};
}

template <class Size>
std::optional<PictureSize> same(const std::optional<Size>& size) {
    if (!size) return std::nullopt;
    return PictureSize{size->width, size->height};
}

}  // namespace

std::optional<PictureSize> picture_size(std::uint32_t codec, View config, View key_frame) {
    try {
        if (codec == TD_CODEC_VP8) return vp8_size(key_frame);
        if (codec == TD_CODEC_VP9) return same(vp9::picture_size(key_frame));
        if (codec == TD_CODEC_AV1) return same(av1::picture_size(config));
        if (codec == TD_CODEC_H265) {
            const auto hvcc = h265::parse_hvcc(config);
            if (hvcc.sps.empty()) return std::nullopt;
            return same(std::optional(h265::parse_sps(hvcc.sps.front())));
        }
        if (codec != TD_CODEC_H264) return std::nullopt;
        const auto avcc = h264::parse_avcc(config);
        if (avcc.sps.empty()) return std::nullopt;
        return same(std::optional(h264::parse_sps(avcc.sps.front())));
    } catch (const Malformed&) {
        return std::nullopt;
    }
}

}  // namespace tapedeck::ebml
