#include "access_unit.hpp"

#include <array>

#include "tapedeck/media/h264.hpp"
#include "tapedeck/media/h265.hpp"

namespace tapedeck::ts {
namespace {

// Delimiters with their start codes; both say that the picture may have slices of any type.
constexpr std::array<std::uint8_t, 6> h264_delimiter{0, 0, 0, 1, h264::nal_aud, 0xf0};
constexpr std::array<std::uint8_t, 7> h265_delimiter{0, 0, 0, 1, h265::nal_aud << 1, 1, 0x50};
constexpr ByteSpan start_code = ByteSpan(h264_delimiter).first(4);

}  // namespace

AccessUnits::AccessUnits(const td_track& track) : h265_(track.codec == TD_CODEC_H265) {
    change(track);
    changed_ = false;
}

void AccessUnits::change(const td_track& track) {
    const ByteSpan bytes(track.config.data, track.config.size);
    std::size_t length_size = 0;
    std::vector<ByteSpan> sets;
    if (h265_) {
        auto config = h265::parse_hvcc(bytes);
        length_size = config.length_size;
        sets = std::move(config.vps);
        sets.insert(sets.end(), config.sps.begin(), config.sps.end());
        sets.insert(sets.end(), config.pps.begin(), config.pps.end());
    } else {
        auto config = h264::parse_avcc(bytes);
        length_size = config.length_size;
        sets = std::move(config.sps);
        sets.insert(sets.end(), config.pps.begin(), config.pps.end());
    }
    if (sets.empty()) throw Malformed("the decoder setup holds no parameter set");
    length_size_ = length_size;
    parameter_sets_.clear();
    for (const ByteSpan set : sets) {
        parameter_sets_.insert(parameter_sets_.end(), start_code.begin(), start_code.end());
        parameter_sets_.insert(parameter_sets_.end(), set.begin(), set.end());
    }
    changed_ = true;
}

void AccessUnits::append(std::vector<ByteSpan>& parts, ByteSpan picture, bool key) {
    parts.push_back(h265_ ? ByteSpan(h265_delimiter) : ByteSpan(h264_delimiter));
    const std::size_t sets_at = parts.size();
    parts.emplace_back();
    bool brings_sets = false;
    const std::uint8_t delimiter = h265_ ? std::uint8_t{h265::nal_aud} : std::uint8_t{h264::nal_aud};
    const std::uint8_t sequence_set = h265_ ? std::uint8_t{h265::nal_sps} : std::uint8_t{h264::nal_sps};
    h264::for_each_nal(picture, length_size_, [&](ByteSpan nal) {
        const std::uint8_t type = h265_ ? h265::nal_type(nal) : h264::nal_type(nal);
        if (type == delimiter) return;
        if (type == sequence_set) brings_sets = true;
        parts.push_back(start_code);
        parts.push_back(nal);
    });
    if (parts.size() == sets_at + 1) throw Malformed("a picture without a NAL unit");
    if ((key || changed_) && !brings_sets) parts[sets_at] = parameter_sets_;
    changed_ = false;
}

}  // namespace tapedeck::ts
