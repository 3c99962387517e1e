// H.264: NAL units, the decoder setup record avcC (ISO/IEC 14496-15 section 5.3.3) and what a SPS says.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <vector>

#include "tapedeck/media/bytes.hpp"

namespace tapedeck::h264 {

enum : std::uint8_t { nal_slice = 1, nal_idr = 5, nal_sei = 6, nal_sps = 7, nal_pps = 8, nal_aud = 9 };

inline std::uint8_t nal_type(ByteSpan nal) {
    return nal.empty() ? std::uint8_t{0} : nal[0] & 0x1f;
}

/// Calls `each(ByteSpan nal)` for every NAL unit behind a length of `length_size` bytes (1, 2 or 4), empty ones left
/// out. Throws Malformed when a length leads past the end; what came before was given.
template <class Each>
void for_each_nal(ByteSpan access_unit, std::size_t length_size, Each each) {
    ByteReader reader(access_unit);
    while (!reader.empty()) {
        std::size_t length = 0;
        for (const auto byte : reader.take(length_size)) length = length << 8 | byte;
        const auto nal = reader.take(length);
        if (!nal.empty()) each(nal);
    }
}

/// The same for a byte stream with start codes (Annex B). Trailing zeros belong to no unit.
template <class Each>
void for_each_nal_annexb(ByteSpan stream, Each each) {
    auto start = stream.size() + 1;  // none yet
    const auto give = [&](std::size_t end) {
        while (end > start && stream[end - 1] == 0) --end;
        if (start < end) each(stream.subspan(start, end - start));
    };
    // The codes' last byte is searched for, which is rarer than zeros are to look for one by one.
    for (std::size_t at = 2; at < stream.size(); ++at) {
        const auto* const one = static_cast<const std::uint8_t*>(std::memchr(&stream[at], 1, stream.size() - at));
        if (one == nullptr) break;
        at = static_cast<std::size_t>(one - stream.data());
        if (one[-1] != 0 || one[-2] != 0) continue;
        give(at);
        start = at + 1;
    }
    give(stream.size());
}

/// Appends `nal` behind its 4-byte length.
inline void append_nal(std::vector<std::uint8_t>& into, ByteSpan nal) {
    for (int shift = 24; shift >= 0; shift -= 8) into.push_back(static_cast<std::uint8_t>(nal.size() >> shift));
    into.insert(into.end(), nal.begin(), nal.end());
}

/// Whether decoding can start at this access unit of NAL units behind 4-byte lengths: it has an IDR slice.
/// A broken length ends the search.
inline bool is_key(ByteSpan access_unit, std::size_t length_size = 4) {
    while (access_unit.size() > length_size) {
        std::size_t length = 0;
        for (std::size_t i = 0; i < length_size; ++i) length = length << 8 | access_unit[i];
        access_unit = access_unit.subspan(length_size);
        const auto type = nal_type(access_unit);
        if (type == nal_idr) return true;
        if (type == nal_slice || length > access_unit.size()) return false;
        access_unit = access_unit.subspan(length);
    }
    return false;
}

/// What is needed of a sequence parameter set (ITU-T H.264 section 7.3.2.1.1).
struct Sps {
    std::uint8_t profile = 0, constraints = 0, level = 0;
    std::uint32_t chroma_format = 1, bit_depth_luma = 8, bit_depth_chroma = 8;
    std::uint32_t width = 0, height = 0;  // after cropping
    bool frames_only = true;
    std::optional<std::uint32_t> reorder;  // pictures that may come before one that is shown earlier, where it is told
};

namespace detail {

/// The NAL unit's payload without emulation prevention bytes.
inline std::vector<std::uint8_t> payload(ByteSpan nal) {
    std::vector<std::uint8_t> out;
    std::size_t zeros = 0;
    for (const auto byte : nal.subspan(1)) {
        if (zeros >= 2 && byte == 3) {
            zeros = 0;
            continue;
        }
        zeros = byte == 0 ? zeros + 1 : 0;
        out.push_back(byte);
    }
    return out;
}

inline void skip_scaling_list(BitReader& bits, int size) {
    int last = 8, next = 8;
    for (int i = 0; i < size; ++i) {
        if (next != 0) next = (last + bits.signed_golomb() % 256 + 256) % 256;
        last = next == 0 ? last : next;
    }
}

inline bool has_chroma_info(std::uint8_t profile) {
    for (const int high : {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
        if (profile == high) return true;
    return false;
}

/// Section E.1.2.
inline void skip_hrd(BitReader& bits) {
    const auto schedules = bits.golomb();
    if (schedules > 31) throw Malformed("SPS: more than 32 schedules");
    bits.bits(8);
    for (std::uint32_t i = 0; i <= schedules; ++i) {
        bits.golomb();
        bits.golomb();
        bits.flag();
    }
    bits.bits(20);
}

/// max_num_reorder_frames of the VUI (section E.1.1), which begins here.
inline std::optional<std::uint32_t> reorder_of_vui(BitReader& bits) {
    if (bits.flag() && bits.bits(8) == 255) bits.bits(32);  // aspect ratio
    if (bits.flag()) bits.flag();                           // overscan
    if (bits.flag()) {                                      // video signal type
        bits.bits(4);
        if (bits.flag()) bits.bits(24);
    }
    if (bits.flag()) {  // chroma location
        bits.golomb();
        bits.golomb();
    }
    if (bits.flag()) {  // timing
        bits.bits(32);
        bits.bits(32);
        bits.flag();
    }
    const bool has_nal_hrd = bits.flag();
    if (has_nal_hrd) skip_hrd(bits);
    const bool has_vcl_hrd = bits.flag();
    if (has_vcl_hrd) skip_hrd(bits);
    if (has_nal_hrd || has_vcl_hrd) bits.flag();
    bits.flag();                            // pic_struct_present_flag
    if (!bits.flag()) return std::nullopt;  // bitstream_restriction_flag
    bits.flag();
    for (int i = 0; i < 4; ++i) bits.golomb();
    return bits.golomb();
}

}  // namespace detail

/// Throws Malformed. `nal` begins with the NAL header byte.
inline Sps parse_sps(ByteSpan nal) {
    if (nal_type(nal) != nal_sps) throw Malformed("this NAL unit is no SPS");
    const auto payload = detail::payload(nal);
    BitReader bits(payload);
    Sps sps;
    sps.profile = static_cast<std::uint8_t>(bits.bits(8));
    sps.constraints = static_cast<std::uint8_t>(bits.bits(8));
    sps.level = static_cast<std::uint8_t>(bits.bits(8));
    bits.golomb();  // seq_parameter_set_id
    if (detail::has_chroma_info(sps.profile)) {
        sps.chroma_format = bits.golomb();
        if (sps.chroma_format > 3) throw Malformed("SPS: chroma_format_idc above 3");
        if (sps.chroma_format == 3) bits.flag();
        const auto luma = bits.golomb(), chroma = bits.golomb();
        if (luma > 6 || chroma > 6) throw Malformed("SPS: a bit depth above 14");
        sps.bit_depth_luma = 8 + luma;
        sps.bit_depth_chroma = 8 + chroma;
        bits.flag();
        if (bits.flag())
            for (int list = 0; list < (sps.chroma_format == 3 ? 12 : 8); ++list)
                if (bits.flag()) detail::skip_scaling_list(bits, list < 6 ? 16 : 64);
    }
    bits.golomb();  // log2_max_frame_num_minus4
    const auto order = bits.golomb();
    if (order == 0) {
        bits.golomb();
    } else if (order == 1) {
        bits.flag();
        bits.signed_golomb();
        bits.signed_golomb();
        const auto cycle = bits.golomb();
        if (cycle > 255) throw Malformed("SPS: a picture order cycle above 255");
        for (std::uint32_t i = 0; i < cycle; ++i) bits.signed_golomb();
    }
    bits.golomb();  // max_num_ref_frames
    bits.flag();
    const std::uint64_t columns = std::uint64_t{bits.golomb()} + 1, rows = std::uint64_t{bits.golomb()} + 1;
    if (columns > 4096 || rows > 4096) throw Malformed("SPS: a picture wider or higher than 65536");
    sps.frames_only = bits.flag();
    if (!sps.frames_only) bits.flag();
    bits.flag();
    std::uint64_t width = columns * 16, height = rows * 16 * (sps.frames_only ? 1 : 2);
    if (bits.flag()) {
        const std::uint64_t left = bits.golomb(), right = bits.golomb(), top = bits.golomb(), bottom = bits.golomb();
        const unsigned unit_x = sps.chroma_format == 1 || sps.chroma_format == 2 ? 2 : 1;
        const unsigned unit_y = (sps.chroma_format == 1 ? 2u : 1u) * (sps.frames_only ? 1u : 2u);
        const auto crop_x = (left + right) * unit_x, crop_y = (top + bottom) * unit_y;
        if (crop_x >= width || crop_y >= height) throw Malformed("SPS: the cropping leaves nothing");
        width -= crop_x, height -= crop_y;
    }
    sps.width = static_cast<std::uint32_t>(width);
    sps.height = static_cast<std::uint32_t>(height);
    if (order == 2 || sps.profile == 66) sps.reorder = 0;
    try {
        if (!sps.reorder && bits.flag()) sps.reorder = detail::reorder_of_vui(bits);
    } catch (const Malformed&) {
        // What is torn there says nothing of the pictures.
    }
    return sps;
}

/// A decoder setup record. The spans lie in the bytes it was parsed from.
struct AvcConfig {
    std::uint8_t profile = 0, constraints = 0, level = 0;
    std::size_t length_size = 4;  // 1, 2 or 4 bytes before each NAL unit
    std::vector<ByteSpan> sps, pps;
};

/// Throws Malformed. What follows the PPS (chroma format of the high profiles) is not looked at.
inline AvcConfig parse_avcc(ByteSpan bytes) {
    ByteReader reader(bytes);
    if (reader.u8() != 1) throw Malformed("avcC: the version is not 1");
    AvcConfig config;
    config.profile = reader.u8();
    config.constraints = reader.u8();
    config.level = reader.u8();
    config.length_size = (reader.u8() & 3u) + 1u;
    if (config.length_size == 3) throw Malformed("avcC: NAL lengths of 3 bytes");
    for (int count = reader.u8() & 0x1f; count > 0; --count) config.sps.push_back(reader.take(reader.u16()));
    if (reader.empty()) return config;
    for (int count = reader.u8(); count > 0; --count) config.pps.push_back(reader.take(reader.u16()));
    return config;
}

/// The record with 4-byte lengths for these parameter sets, each beginning with its NAL header byte. `sps` must not be
/// empty; throws Malformed when the first one cannot be read.
inline std::vector<std::uint8_t> build_avcc(std::span<const ByteSpan> sps, std::span<const ByteSpan> pps) {
    if (sps.empty() || sps.size() > 31 || pps.size() > 255) throw Malformed("avcC takes 1 to 31 SPS and up to 255 PPS");
    const auto first = parse_sps(sps[0]);
    std::vector<std::uint8_t> out{1,           first.profile, first.constraints,
                                  first.level, 0xff,          static_cast<std::uint8_t>(0xe0 | sps.size())};
    const auto append = [&out](ByteSpan nal) {
        if (nal.size() > 0xffff) throw Malformed("avcC: a parameter set above 65535 bytes");
        out.push_back(static_cast<std::uint8_t>(nal.size() >> 8));
        out.push_back(static_cast<std::uint8_t>(nal.size() & 0xff));
        out.insert(out.end(), nal.begin(), nal.end());
    };
    for (const auto& nal : sps) append(nal);
    out.push_back(static_cast<std::uint8_t>(pps.size()));
    for (const auto& nal : pps) append(nal);
    if (detail::has_chroma_info(first.profile) && first.profile != 44) {
        out.push_back(static_cast<std::uint8_t>(0xfc | first.chroma_format));
        out.push_back(static_cast<std::uint8_t>(0xf8 | (first.bit_depth_luma - 8)));
        out.push_back(static_cast<std::uint8_t>(0xf8 | (first.bit_depth_chroma - 8)));
        out.push_back(0);  // numOfSequenceParameterSetExt
    }
    return out;
}

/// SPS and PPS of an avcC record, each behind its 4-byte length: what goes in front of a key frame. Throws Malformed.
inline std::vector<std::uint8_t> parameter_sets(ByteSpan avcc) {
    std::vector<std::uint8_t> sets;
    const auto config = parse_avcc(avcc);
    for (const auto& nal : config.sps) append_nal(sets, nal);
    for (const auto& nal : config.pps) append_nal(sets, nal);
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
            if (type == nal_slice || type == nal_idr) break;
            at += 4 + nal.size();
            if (type == nal_aud) place = at;
        }
    } catch (const Malformed&) {
        return std::nullopt;
    }
    return place;
}

}  // namespace tapedeck::h264
