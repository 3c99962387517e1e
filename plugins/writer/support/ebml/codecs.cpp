#include "codecs.hpp"

#include <string>
#include <string_view>

#include "tapedeck/context.hpp"
#include "tapedeck/media/aac.hpp"
#include "tapedeck/media/h264.hpp"
#include "tapedeck/media/h265.hpp"

namespace tapedeck::ebml {
namespace {

constexpr std::uint64_t second_ns = 1'000'000'000;
constexpr std::size_t opus_head_size = 19;   // RFC 7845 section 5.1
constexpr std::size_t speex_head_size = 80;  // SpeexHeader of the Speex manual, section 5.3.1

/// Appends numbers with the least significant byte first, as RIFF and Xiph headers have them.
void little_endian(Bytes& out, std::uint64_t value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

std::uint64_t channels_of(const td_track& track) {
    return track.channels == 0 ? 1 : track.channels;
}

View config_of(const td_track& track) {
    return {track.config.data, track.config.size};
}

void append(Bytes& out, std::string_view text, std::size_t size) {
    out.insert(out.end(), text.begin(), text.end());
    out.resize(out.size() + size - text.size());
}

Bytes opus_head(std::uint64_t channels) {
    Bytes out;
    append(out, "OpusHead", 8);
    little_endian(out, 1, 1);  // version
    little_endian(out, channels, 1);
    little_endian(out, 0, 2);  // pre-skip: not known
    little_endian(out, 48000, 4);
    little_endian(out, 0, 3);  // gain, mapping family
    return out;
}

Bytes speex_head(std::uint64_t rate, std::uint64_t channels) {
    const std::uint64_t mode = rate > 16000 ? 2 : rate > 8000 ? 1 : 0;
    Bytes out;
    append(out, "Speex   ", 8);
    append(out, "1.2", 20);
    little_endian(out, 1, 4);  // version of the header
    little_endian(out, speex_head_size, 4);
    little_endian(out, rate, 4);
    little_endian(out, mode, 4);
    little_endian(out, 4, 4);  // version of the mode's bitstream
    little_endian(out, channels, 4);
    little_endian(out, 0xffffffff, 4);  // bit rate: not known
    little_endian(out, std::uint64_t{160} << mode, 4);
    little_endian(out, 0, 4);  // constant bit rate
    little_endian(out, 1, 4);  // frames in a packet
    out.resize(speex_head_size);
    return out;
}

struct WaveFormat {
    std::uint16_t tag;
    std::uint64_t rate, channels, bytes_per_second, block_align, bits;
};

Bytes wave_format(const WaveFormat& format, View extra) {
    Bytes out;
    little_endian(out, format.tag, 2);
    little_endian(out, format.channels, 2);
    little_endian(out, format.rate, 4);
    little_endian(out, format.bytes_per_second, 4);
    little_endian(out, format.block_align, 2);
    little_endian(out, format.bits, 2);
    little_endian(out, extra.size(), 2);
    out.insert(out.end(), extra.begin(), extra.end());
    return out;
}

void set_up_opus(CodecSetup& setup, const td_track& track) {
    const View config = config_of(track);
    setup.id = "A_OPUS";
    setup.codec_private = config.empty() ? opus_head(channels_of(track)) : Bytes(config.begin(), config.end());
    if (setup.codec_private.size() < opus_head_size) throw Malformed("OpusHead: too short");
    const std::uint64_t pre_skip = setup.codec_private[10] | std::uint64_t{setup.codec_private[11]} << 8;
    setup.delay_ns = (pre_skip * second_ns + 24000) / 48000;
    setup.seek_pre_roll_ns = 80'000'000;
    setup.sample_rate = 48000;
    setup.channels = setup.codec_private[9];
}

void set_up_aac(CodecSetup& setup, const td_track& track) {
    const View config = config_of(track);
    const auto parsed = aac::parse_config(config);
    setup.id = "A_AAC";
    setup.codec_private.assign(config.begin(), config.end());
    setup.sample_rate = parsed.sample_rate;
    if (parsed.output_rate != parsed.sample_rate) setup.output_rate = parsed.output_rate;
    setup.channels = parsed.channels == 0 ? channels_of(track) : parsed.channels;
}

void set_up_wave(CodecSetup& setup, const td_track& track) {
    const std::uint64_t channels = channels_of(track);
    const std::uint64_t rate = track.sample_rate != 0 ? track.sample_rate : track.codec == TD_CODEC_G722 ? 16000 : 8000;
    setup.id = "A_MS/ACM";
    setup.sample_rate = static_cast<double>(rate);
    setup.channels = channels;
    if (track.codec == TD_CODEC_SPEEX) {
        const View config = config_of(track);
        const Bytes head =
            config.size() >= speex_head_size ? Bytes(config.begin(), config.end()) : speex_head(rate, channels);
        setup.codec_private = wave_format({0xa109, rate, channels, 0, 1, 16}, head);
    } else if (track.codec == TD_CODEC_G722) {
        setup.bit_depth = 4;
        setup.codec_private = wave_format({0x028f, rate, channels, rate * channels / 2, channels, 4}, {});
    } else {
        setup.bit_depth = 8;
        const std::uint16_t tag = track.codec == TD_CODEC_PCMA ? 0x0006 : 0x0007;
        setup.codec_private = wave_format({tag, rate, channels, rate * channels, channels, 8}, {});
    }
}

void set_up_picture(CodecSetup& setup, const td_track& track, const char* id, bool needs_config) {
    setup.id = id;
    if (!needs_config) return;
    const View config = config_of(track);
    if (config.empty()) throw Malformed("no decoder setup");
    setup.codec_private.assign(config.begin(), config.end());
}

CodecSetup set_up(const td_track& track) {
    CodecSetup setup;
    switch (track.codec) {
        case TD_CODEC_H264:
            if (h264::parse_avcc(config_of(track)).length_size != 4)
                throw Malformed("avcC: NAL lengths not of 4 bytes");
            set_up_picture(setup, track, "V_MPEG4/ISO/AVC", true);
            break;
        case TD_CODEC_H265:
            if (h265::parse_hvcc(config_of(track)).length_size != 4)
                throw Malformed("hvcC: NAL lengths not of 4 bytes");
            set_up_picture(setup, track, "V_MPEGH/ISO/HEVC", true);
            break;
        case TD_CODEC_AV1:
            set_up_picture(setup, track, "V_AV1", true);
            break;
        case TD_CODEC_VP8:
            set_up_picture(setup, track, "V_VP8", false);
            break;
        case TD_CODEC_VP9:
            set_up_picture(setup, track, "V_VP9", false);
            break;
        case TD_CODEC_OPUS:
            set_up_opus(setup, track);
            break;
        case TD_CODEC_AAC:
            set_up_aac(setup, track);
            break;
        case TD_CODEC_MP2:
        case TD_CODEC_MP3:
        case TD_CODEC_AC3:
            setup.id = track.codec == TD_CODEC_AC3 ? "A_AC3" : track.codec == TD_CODEC_MP2 ? "A_MPEG/L2" : "A_MPEG/L3";
            setup.sample_rate = track.sample_rate == 0 ? 44100 : track.sample_rate;
            setup.channels = channels_of(track);
            break;
        case TD_CODEC_TEXT:
            setup.id = "S_TEXT/UTF8";
            break;
        case TD_CODEC_PCMA:
        case TD_CODEC_PCMU:
        case TD_CODEC_G722:
        case TD_CODEC_SPEEX:
            set_up_wave(setup, track);
            break;
        default:
            throw Malformed("a codec that Matroska has no name for");
    }
    return setup;
}

}  // namespace

CodecSetup codec_setup(const td_track& track) {
    try {
        return set_up(track);
    } catch (const Malformed& e) {
        throw Error(TD_UNSUPPORTED,
                    "track " + std::to_string(track.index) + " cannot be written to Matroska: " + e.what());
    }
}

}  // namespace tapedeck::ebml
