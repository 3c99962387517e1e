#include "access_unit.hpp"

#include <array>

#include "tapedeck/media/h264.hpp"

namespace tapedeck::ts {
namespace {

// Delimiters with their start codes; both say that the picture may have slices of any type.
constexpr std::array<std::uint8_t, 6> h264_delimiter{0, 0, 0, 1, h264::nal_aud, 0xf0};
constexpr std::array<std::uint8_t, 7> h265_delimiter{0, 0, 0, 1, 35 << 1, 1, 0x50};
constexpr ByteSpan start_code = ByteSpan(h264_delimiter).first(4);

namespace h265 {
// ITU-T H.265 table 7-1.
constexpr std::uint8_t nal_vps = 32, nal_sps = 33, nal_pps = 34, nal_aud = 35;

/// ISO/IEC 14496-15 section 8.3.3.1.
struct Config {
    std::size_t length_size = 4;
    std::vector<ByteSpan> parameter_sets;
};

Config parse_hvcc(ByteSpan bytes) {
    ByteReader reader(bytes);
    if (reader.u8() != 1) throw Malformed("hvcC: the version is not 1");
    reader.take(20);
    Config config;
    config.length_size = (reader.u8() & 3u) + 1u;
    if (config.length_size == 3) throw Malformed("hvcC: NAL lengths of 3 bytes");
    for (int arrays = reader.u8(); arrays > 0; --arrays) {
        const auto type = reader.u8() & 0x3f;
        for (int count = reader.u16(); count > 0; --count) {
            const ByteSpan nal = reader.take(reader.u16());
            if (type >= nal_vps && type <= nal_pps) config.parameter_sets.push_back(nal);
        }
    }
    return config;
}

}  // namespace h265
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
        sets = std::move(config.parameter_sets);
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
    const std::uint8_t delimiter = h265_ ? h265::nal_aud : std::uint8_t{h264::nal_aud};
    const std::uint8_t sequence_set = h265_ ? h265::nal_sps : std::uint8_t{h264::nal_sps};
    h264::for_each_nal(picture, length_size_, [&](ByteSpan nal) {
        const std::uint8_t type = h265_ ? nal[0] >> 1 & 0x3f : h264::nal_type(nal);
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
