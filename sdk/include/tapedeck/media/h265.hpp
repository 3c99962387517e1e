// H.265: NAL units, the decoder setup record hvcC (ISO/IEC 14496-15 section 8.3.3.1) and what a SPS says. Lengths and
// start codes are those of h264.hpp.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "tapedeck/media/bytes.hpp"
#include "tapedeck/media/h264.hpp"

namespace tapedeck::h265 {

/// ITU-T H.265 table 7-1; slices are below 32, those of random access points 16 to 23.
enum : std::uint8_t { nal_vps = 32, nal_sps = 33, nal_pps = 34, nal_aud = 35, nal_sei = 39, nal_sei_suffix = 40 };

inline std::uint8_t nal_type(ByteSpan nal) {
    return nal.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(nal[0] >> 1 & 0x3f);
}
inline bool is_slice(std::uint8_t type) {
    return type < nal_vps;
}
inline bool is_random_access(std::uint8_t type) {
    return type >= 16 && type <= 23;
}

/// Whether decoding can start at this access unit of NAL units behind 4-byte lengths: its first slice is one of a
/// random access point. A broken length ends the search.
inline bool is_key(ByteSpan access_unit) {
    try {
        ByteReader reader(access_unit);
        while (!reader.empty()) {
            const auto length = reader.u32();
            const auto type = nal_type(reader.rest());
            if (length != 0 && is_slice(type)) return !reader.empty() && is_random_access(type);
            reader.take(length);
        }
    } catch (const Malformed&) {
        return false;
    }
    return false;
}

/// What is needed of a sequence parameter set (ITU-T H.265 section 7.3.2.2).
struct Sps {
    std::array<std::uint8_t, 12> profile_tier_level{};  // the general one, as in the bitstream
    std::uint8_t sub_layers = 1;
    bool temporal_nesting = false;
    std::uint32_t chroma_format = 1, bit_depth_luma = 8, bit_depth_chroma = 8;
    std::uint32_t width = 0, height = 0;  // of the conformance window
    std::uint32_t reorder = 0;            // pictures that may come before one that is shown earlier
};

namespace detail {

inline void skip_bits(BitReader& bits, unsigned count) {
    for (; count > 32; count -= 32) bits.bits(32);
    bits.bits(count);
}

/// Section 7.3.3, behind the general part.
inline void skip_sub_layers(BitReader& bits, unsigned sub_layers) {
    if (sub_layers <= 1) return;
    std::array<bool, 8> has_profile{}, has_level{};
    for (unsigned i = 0; i + 1 < sub_layers; ++i) {
        has_profile[i] = bits.flag();
        has_level[i] = bits.flag();
    }
    for (unsigned i = sub_layers - 1; i < 8; ++i) bits.bits(2);
    for (unsigned i = 0; i + 1 < sub_layers; ++i)
        skip_bits(bits, (has_profile[i] ? 88u : 0u) + (has_level[i] ? 8u : 0u));
}

}  // namespace detail

/// Throws Malformed. `nal` begins with the NAL header of 2 bytes.
inline Sps parse_sps(ByteSpan nal) {
    if (nal_type(nal) != nal_sps || nal.size() < 2) throw Malformed("this NAL unit is no SPS");
    const auto payload = h264::detail::payload(nal.subspan(1));
    BitReader bits(payload);
    Sps sps;
    bits.bits(4);  // sps_video_parameter_set_id
    sps.sub_layers = static_cast<std::uint8_t>(bits.bits(3) + 1);
    if (sps.sub_layers > 7) throw Malformed("SPS: more than 7 sub-layers");
    sps.temporal_nesting = bits.flag();
    for (auto& byte : sps.profile_tier_level) byte = static_cast<std::uint8_t>(bits.bits(8));
    detail::skip_sub_layers(bits, sps.sub_layers);
    bits.golomb();  // sps_seq_parameter_set_id
    sps.chroma_format = bits.golomb();
    if (sps.chroma_format > 3) throw Malformed("SPS: chroma_format_idc above 3");
    if (sps.chroma_format == 3) bits.flag();
    std::uint64_t width = bits.golomb(), height = bits.golomb();
    if (width == 0 || height == 0 || width > 65536 || height > 65536)
        throw Malformed("SPS: a picture of " + std::to_string(width) + "x" + std::to_string(height));
    if (bits.flag()) {
        const std::uint64_t left = bits.golomb(), right = bits.golomb(), top = bits.golomb(), bottom = bits.golomb();
        const unsigned unit_x = sps.chroma_format == 1 || sps.chroma_format == 2 ? 2 : 1;
        const unsigned unit_y = sps.chroma_format == 1 ? 2 : 1;
        const auto crop_x = (left + right) * unit_x, crop_y = (top + bottom) * unit_y;
        if (crop_x >= width || crop_y >= height) throw Malformed("SPS: the conformance window leaves nothing");
        width -= crop_x, height -= crop_y;
    }
    sps.width = static_cast<std::uint32_t>(width);
    sps.height = static_cast<std::uint32_t>(height);
    const auto luma = bits.golomb(), chroma = bits.golomb();
    if (luma > 8 || chroma > 8) throw Malformed("SPS: a bit depth above 16");
    sps.bit_depth_luma = 8 + luma;
    sps.bit_depth_chroma = 8 + chroma;
    bits.golomb();  // log2_max_pic_order_cnt_lsb_minus4
    for (int left = bits.flag() ? sps.sub_layers : 1; left > 0; --left) {
        bits.golomb();
        sps.reorder = bits.golomb();
        bits.golomb();
    }
    return sps;
}

/// A decoder setup record. The spans lie in the bytes it was parsed from.
struct HvcConfig {
    std::size_t length_size = 4;  // 1, 2 or 4 bytes before each NAL unit
    std::vector<ByteSpan> vps, sps, pps;
};

/// Throws Malformed. Other NAL units in the record, such as SEI, are left out.
inline HvcConfig parse_hvcc(ByteSpan bytes) {
    ByteReader reader(bytes);
    if (reader.u8() != 1) throw Malformed("hvcC: the version is not 1");
    reader.take(20);
    HvcConfig config;
    config.length_size = (reader.u8() & 3u) + 1u;
    if (config.length_size == 3) throw Malformed("hvcC: NAL lengths of 3 bytes");
    for (int arrays = reader.u8(); arrays > 0; --arrays) {
        const auto type = reader.u8() & 0x3f;
        for (int count = reader.u16(); count > 0; --count) {
            const auto nal = reader.take(reader.u16());
            if (type == nal_vps) config.vps.push_back(nal);
            if (type == nal_sps) config.sps.push_back(nal);
            if (type == nal_pps) config.pps.push_back(nal);
        }
    }
    return config;
}

/// The record with 4-byte lengths for these parameter sets, each beginning with its NAL header. None of the three may
/// be empty; throws Malformed when the first SPS cannot be read.
inline std::vector<std::uint8_t> build_hvcc(std::span<const ByteSpan> vps, std::span<const ByteSpan> sps,
                                            std::span<const ByteSpan> pps) {
    if (vps.empty() || sps.empty() || pps.empty()) throw Malformed("hvcC wants a VPS, a SPS and a PPS");
    const auto first = parse_sps(sps[0]);
    std::vector<std::uint8_t> out;
    const auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<std::uint8_t>(byte)); };
    put(1);
    for (const auto byte : first.profile_tier_level) put(byte);
    put(0xf0), put(0);  // min_spatial_segmentation_idc
    put(0xfc);          // parallelismType
    put(0xfc | first.chroma_format);
    put(0xf8 | (first.bit_depth_luma - 8));
    put(0xf8 | (first.bit_depth_chroma - 8));
    put(0), put(0);  // avgFrameRate
    put(std::uint32_t{first.sub_layers} << 3 | (first.temporal_nesting ? 4u : 0u) | 3u);
    put(3);
    const auto append = [&](std::uint8_t type, std::span<const ByteSpan> nals) {
        if (nals.size() > 64) throw Malformed("hvcC: more than 64 parameter sets of a kind");
        put(0x80u | type);  // array_completeness
        put(0), put(static_cast<std::uint32_t>(nals.size()));
        for (const auto& nal : nals) {
            if (nal.size() > 0xffff) throw Malformed("hvcC: a parameter set above 65535 bytes");
            put(static_cast<std::uint32_t>(nal.size() >> 8)), put(static_cast<std::uint32_t>(nal.size() & 0xff));
            out.insert(out.end(), nal.begin(), nal.end());
        }
    };
    append(nal_vps, vps);
    append(nal_sps, sps);
    append(nal_pps, pps);
    return out;
}

/// VPS, SPS and PPS of a hvcC record, each behind its 4-byte length: what goes in front of a key picture. Throws
/// Malformed.
inline std::vector<std::uint8_t> parameter_sets(ByteSpan hvcc) {
    std::vector<std::uint8_t> sets;
    const auto config = parse_hvcc(hvcc);
    for (const auto* kind : {&config.vps, &config.sps, &config.pps})
        for (const auto& nal : *kind) h264::append_nal(sets, nal);
    return sets;
}

/// Where `parameter_sets` go into an access unit of 4-byte lengths: behind an access unit delimiter. Nothing when the
/// unit brings its own SPS or is no sequence of NAL units.
inline std::optional<std::size_t> parameter_sets_place(ByteSpan access_unit) {
    std::size_t place = 0, at = 0;
    try {
        ByteReader reader(access_unit);
        while (!reader.empty()) {
            const auto nal = reader.take(reader.u32());
            const auto type = nal_type(nal);
            if (type == nal_sps) return std::nullopt;
            if (!nal.empty() && is_slice(type)) break;
            at += 4 + nal.size();
            if (type == nal_aud) place = at;
        }
    } catch (const Malformed&) {
        return std::nullopt;
    }
    return place;
}

}  // namespace tapedeck::h265
