// Bodies of audio and video messages, and the decoder setups in them.
#include "rtmp/flv.hpp"

#include <vector>

#include "rtmp/publish_sdp.hpp"
#include "tapedeck/media/aac.hpp"
#include "tapedeck/media/av1.hpp"
#include "tapedeck/media/h264.hpp"
#include "tapedeck/media/h265.hpp"
#include "tapedeck/media/vp9.hpp"

using namespace tapedeck;
using namespace tapedeck::rtmp;

namespace {

void look_at_h265(const flv::Tag& tag) {
    h265::is_key(tag.payload);
    h265::parameter_sets_place(tag.payload);
    if (tag.content != flv::Content::config) return;
    const auto config = h265::parse_hvcc(tag.payload);
    for (const auto& sps : config.sps) h265::parse_sps(sps);
    h265::build_hvcc(config.vps, config.sps, config.pps);
}

void look_at(const flv::Tag& tag) {
    flv::codec_name(tag.codec);
    if (tag.codec == TD_CODEC_AAC && tag.content == flv::Content::config) aac::parse_config(tag.payload);
    if (tag.codec == TD_CODEC_VP9) vp9::picture_size(tag.payload);
    if (tag.codec == TD_CODEC_AV1 && tag.content == flv::Content::config) av1::picture_size(tag.payload);
    if (tag.codec == TD_CODEC_H265) look_at_h265(tag);
    if (tag.codec != TD_CODEC_H264) return;
    h264::is_key(tag.payload);
    if (tag.content == flv::Content::config) {
        const auto config = h264::parse_avcc(tag.payload);
        for (const auto& sps : config.sps) h264::parse_sps(sps);
        h264::build_avcc(config.sps, config.pps);
    } else {
        h264::for_each_nal(tag.payload, 4, [](ByteSpan) {});
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteSpan bytes(data, size);
    for (const auto parse : {flv::parse_video, flv::parse_audio}) {
        try {
            look_at(parse(bytes));
        } catch (const Malformed&) {
        }
    }
    try {
        ByteReader reader(bytes);
        while (const auto part = flv::next_part(reader))
            look_at(part->type == 9 ? flv::parse_video(part->body) : flv::parse_audio(part->body));
    } catch (const Malformed&) {
    }
    h264::for_each_nal_annexb(bytes, [](ByteSpan) {});
    PublishSdp::parse({reinterpret_cast<const char*>(data), size});
    return 0;
}
