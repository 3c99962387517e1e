#include "flv.hpp"

#include <array>

namespace tapedeck::rtmp::flv {

namespace {

constexpr std::uint8_t enhanced_audio = 9;
constexpr std::uint8_t command_frame = 5;  // a seek mark, no picture

std::int32_t signed24(std::uint32_t value) {
    return static_cast<std::int32_t>(value ^ 0x800000u) - 0x800000;
}

std::uint32_t video_codec(unsigned id) {
    switch (id) {
        case 2:
            return sorenson;
        case 3:
            return screen;
        case 4:
            return vp6;
        case 5:
            return vp6_alpha;
        case 6:
            return screen2;
        case 7:
            return TD_CODEC_H264;
        case 12:
            return TD_CODEC_H265;  // not in the specification, but sent by many cameras
        default:
            return 0;
    }
}

/// H.264's and H.265's bodies: what it is, the composition offset, the payload.
void parse_avc(Tag& tag, ByteReader& reader) {
    const auto type = reader.u8();
    tag.composition_ms = signed24(reader.u24());
    tag.payload = reader.rest();
    tag.content = type == 0 ? Content::config : type == 1 ? Content::frame : Content::nothing;
}

void parse_enhanced_video(Tag& tag, std::uint8_t type, ByteReader& reader) {
    tag.codec = reader.u32();
    switch (type) {
        case 0:
            tag.content = Content::config;
            break;
        case 1:
            if (tag.codec == TD_CODEC_H264 || tag.codec == TD_CODEC_H265) tag.composition_ms = signed24(reader.u24());
            [[fallthrough]];
        case 3:
            tag.content = Content::frame;
            break;
        case 2:
        case 4:
            break;  // end of sequence, colour metadata
        default:
            tag.content = Content::unknown;
    }
    tag.payload = reader.rest();
}

std::uint32_t audio_codec(unsigned format) {
    switch (format) {
        case 0:
        case 3:
            return pcm;
        case 1:
            return adpcm;
        case 2:
        case 14:
            return TD_CODEC_MP3;
        case 4:
        case 5:
        case 6:
            return nellymoser;
        case 7:
            return TD_CODEC_PCMA;
        case 8:
            return TD_CODEC_PCMU;
        case 10:
            return TD_CODEC_AAC;
        case 11:
            return TD_CODEC_SPEEX;
        default:
            return 0;
    }
}

void parse_enhanced_audio(Tag& tag, std::uint8_t type, ByteReader& reader) {
    tag.codec = reader.u32();
    tag.payload = reader.rest();
    switch (type) {
        case 0:
            tag.content = Content::config;
            break;
        case 1:
            tag.content = Content::frame;
            break;
        case 2:
        case 4:
            break;  // end of sequence, channel layout
        default:
            tag.content = Content::unknown;
    }
}

}  // namespace

Tag parse_video(ByteSpan body) {
    Tag tag;
    tag.kind = TD_VIDEO;
    if (body.empty()) return tag;
    ByteReader reader(body);
    const auto head = reader.u8();
    const bool is_enhanced = (head & 0x80) != 0;
    const auto frame_type = static_cast<std::uint8_t>(head >> 4 & 7);
    tag.key = frame_type == 1;
    if (frame_type == command_frame && !(is_enhanced && (head & 15) == 0)) return tag;
    if (is_enhanced) {
        parse_enhanced_video(tag, head & 15, reader);
        return tag;
    }
    tag.codec = video_codec(head & 15);
    if (tag.codec == TD_CODEC_H264 || tag.codec == TD_CODEC_H265) {
        parse_avc(tag, reader);
        return tag;
    }
    if (tag.codec == vp6 || tag.codec == vp6_alpha) reader.u8();  // the picture's size to cut off
    tag.content = tag.codec == 0 ? Content::unknown : Content::frame;
    tag.payload = reader.rest();
    return tag;
}

Tag parse_audio(ByteSpan body) {
    static constexpr std::array<std::uint32_t, 4> rates{5512, 11025, 22050, 44100};
    Tag tag;
    tag.kind = TD_AUDIO;
    tag.key = true;
    if (body.empty()) return tag;
    ByteReader reader(body);
    const auto head = reader.u8();
    const auto format = static_cast<std::uint8_t>(head >> 4);
    if (format == enhanced_audio) {
        parse_enhanced_audio(tag, head & 15, reader);
        return tag;
    }
    tag.codec = audio_codec(format);
    tag.sample_rate = rates[head >> 2 & 3];
    tag.channels = 1u + (head & 1);
    // Formats whose rate is fixed, whatever the flags say.
    if (format == 7 || format == 8 || format == 5) tag.sample_rate = 8000, tag.channels = 1;
    if (format == 4 || format == 11) tag.sample_rate = 16000, tag.channels = 1;
    if (format == 14) tag.sample_rate = 8000;
    tag.content = tag.codec == 0 ? Content::unknown : Content::frame;
    if (tag.codec == TD_CODEC_AAC) {
        tag.sample_rate = tag.channels = 0;  // the AudioSpecificConfig says them
        if (reader.u8() == 0) tag.content = Content::config;
    }
    tag.payload = reader.rest();
    return tag;
}

std::string codec_name(std::uint32_t codec) {
    switch (codec) {
        case TD_CODEC_H264:
            return "H264";
        case TD_CODEC_H265:
            return "H265";
        case TD_CODEC_VP8:
            return "VP8";
        case TD_CODEC_VP9:
            return "VP9";
        case TD_CODEC_AV1:
            return "AV1";
        case TD_CODEC_AAC:
            return "AAC";
        case TD_CODEC_OPUS:
            return "OPUS";
        case TD_CODEC_PCMA:
            return "PCMA";
        case TD_CODEC_PCMU:
            return "PCMU";
        case TD_CODEC_SPEEX:
            return "SPEEX";
        case TD_CODEC_MP3:
            return "MP3";
        case sorenson:
            return "H263";
        case vp6:
        case vp6_alpha:
            return "VP6";
        case nellymoser:
            return "NELLYMOSER";
        default:
            break;
    }
    std::string name;
    for (int shift = 24; shift >= 0; shift -= 8) {
        const auto letter = static_cast<char>(codec >> shift & 0xff);
        name += letter > ' ' && letter < 127 ? letter : '?';
    }
    return name;
}

std::optional<Part> next_part(ByteReader& aggregate) {
    if (aggregate.empty()) return std::nullopt;
    Part part;
    part.type = aggregate.u8();
    const auto size = aggregate.u24();
    part.timestamp = aggregate.u24();
    part.timestamp |= static_cast<std::uint32_t>(aggregate.u8()) << 24;
    aggregate.u24();  // message stream id
    part.body = aggregate.take(size);
    // Some senders leave the last back pointer out.
    if (!aggregate.empty()) aggregate.u32();
    return part;
}

}  // namespace tapedeck::rtmp::flv
