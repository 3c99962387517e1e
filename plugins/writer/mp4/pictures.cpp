#include "pictures.hpp"

#include <algorithm>
#include <array>

#include "tapedeck/media/av1.hpp"
#include "tapedeck/media/h264.hpp"
#include "tapedeck/media/h265.hpp"

namespace tapedeck::mp4 {
namespace {

struct Form {
    std::uint32_t codec, entry, box;
    std::size_t length_size_at = 0;  // in the setup; 0: it has none
};
constexpr std::array forms{
    Form{TD_CODEC_H264, fourcc("avc1"), fourcc("avcC"), 4}, Form{TD_CODEC_H265, fourcc("hvc1"), fourcc("hvcC"), 21},
    Form{TD_CODEC_VP9, fourcc("vp09"), fourcc("vpcC")}, Form{TD_CODEC_AV1, fourcc("av01"), fourcc("av1C")}};

View config_of(const td_track& track) {
    return {track.config.data, track.config.size};
}

PictureSize size_in_config(const td_track& track) {
    const View config = config_of(track);
    if (track.codec == TD_CODEC_H264) {
        const auto sps = h264::parse_sps(h264::parse_avcc(config).sps.front());
        return {sps.width, sps.height};
    }
    if (track.codec == TD_CODEC_H265) {
        const auto sps = h265::parse_sps(h265::parse_hvcc(config).sps.front());
        return {sps.width, sps.height};
    }
    if (track.codec == TD_CODEC_AV1) {
        const auto size = av1::picture_size(config).value_or(av1::PictureSize{});
        return {size.width, size.height};
    }
    return {};
}

void check_config(const td_track& track) {
    const View config = config_of(track);
    if (track.codec == TD_CODEC_H264 && h264::parse_avcc(config).sps.empty()) throw Malformed("its avcC holds no SPS");
    if (track.codec == TD_CODEC_H265 && h265::parse_hvcc(config).sps.empty()) throw Malformed("its hvcC holds no SPS");
    if (track.codec == TD_CODEC_VP9 && config.size() < 8) throw Malformed("its vpcC is shorter than 8 bytes");
    if (track.codec == TD_CODEC_AV1) av1::picture_size(config);
}

}  // namespace

bool is_picture_codec(std::uint32_t codec) {
    return std::ranges::find(forms, codec, &Form::codec) != forms.end();
}

PictureSize picture_size(const td_track& track) {
    check_config(track);
    if (track.width != 0 && track.height != 0) return {track.width, track.height};
    return size_in_config(track);
}

Bytes picture_entry(const td_track& track) {
    const Form& form = *std::ranges::find(forms, track.codec, &Form::codec);
    const PictureSize size = picture_size(track);
    const View config = config_of(track);
    Bytes out;
    BoxWriter writer(out);
    {
        const auto entry = writer.box(form.entry);
        writer.zeros(6);
        writer.u16(1);  // data_reference_index
        writer.zeros(16);
        writer.u16(static_cast<std::uint16_t>(std::min(size.width, 0xffffu)));
        writer.u16(static_cast<std::uint16_t>(std::min(size.height, 0xffffu)));
        writer.u32(0x00480000);  // 72 dpi
        writer.u32(0x00480000);
        writer.u32(0);
        writer.u16(1);  // frame_count
        writer.zeros(32);
        writer.u16(0x0018);
        writer.u16(0xffff);
        const auto box = writer.box(form.box);
        if (track.codec == TD_CODEC_VP9) writer.u32(1u << 24);  // a full box of version 1
        const std::size_t at = writer.position();
        writer.bytes(config);
        if (form.length_size_at != 0) out[at + form.length_size_at] |= 3;
    }
    return out;
}

bool has_nal_units(View entry) {
    if (entry.size() < 8) return false;
    const std::uint32_t type = ByteReader(entry.subspan(4)).u32();
    return std::ranges::any_of(forms, [&](const Form& f) { return f.length_size_at != 0 && f.entry == type; });
}

Bytes parameter_sets(const td_track& track) {
    if (track.codec == TD_CODEC_H264) return h264::parameter_sets(config_of(track));
    if (track.codec == TD_CODEC_H265) return h265::parameter_sets(config_of(track));
    return {};
}

std::optional<std::size_t> parameter_sets_place(std::uint32_t codec, View access_unit) {
    if (codec == TD_CODEC_H264) return h264::parameter_sets_place(access_unit);
    if (codec == TD_CODEC_H265) return h265::parameter_sets_place(access_unit);
    return std::nullopt;
}

View sample_of(std::uint32_t codec, View packet) {
    return codec == TD_CODEC_AV1 ? av1::without_delimiter(packet) : packet;
}

}  // namespace tapedeck::mp4
