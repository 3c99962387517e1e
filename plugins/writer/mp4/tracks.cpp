#include "tracks.hpp"

#include <algorithm>

#include "pictures.hpp"
#include "tapedeck/context.hpp"
#include "tapedeck/media/aac.hpp"

namespace tapedeck::mp4 {
namespace {

std::uint16_t pack_language(std::string_view tag) {
    const bool three_letters = tag.size() == 3 && std::ranges::all_of(tag, [](char c) { return c >= 'a' && c <= 'z'; });
    std::uint16_t packed = 0;
    for (const char c : three_letters ? tag : std::string_view("und"))
        packed = static_cast<std::uint16_t>(packed << 5 | (c - 0x60));
    return packed;
}

View config_of(const td_track& track) {
    return {track.config.data, track.config.size};
}

[[noreturn]] void refuse(const td_track& track, const std::string& why) {
    throw Error(TD_MALFORMED, "track " + std::to_string(track.index) + ": " + why);
}

/// Descriptor of ISO/IEC 14496-1 §7.2.2: tag and length in front of what `body` holds.
void descriptor(Bytes& out, std::uint8_t tag, const Bytes& body) {
    out.push_back(tag);
    bool started = false;
    for (int shift = 21; shift >= 0; shift -= 7) {
        const auto part = static_cast<std::uint8_t>(body.size() >> shift & 0x7f);
        started = started || part != 0 || shift == 0;
        if (started) out.push_back(static_cast<std::uint8_t>(part | (shift > 0 ? 0x80 : 0)));
    }
    out.insert(out.end(), body.begin(), body.end());
}

}  // namespace

std::uint32_t TrackHead::add_entry(View entry) {
    const auto known = std::ranges::find_if(entries, [&](const Bytes& e) { return std::ranges::equal(e, entry); });
    const auto index = static_cast<std::uint32_t>(known - entries.begin());
    if (known == entries.end()) entries.emplace_back(entry.begin(), entry.end());
    return index + 1;
}

TrackHead make_head(const td_track& track, std::uint32_t id, bool enabled) {
    TrackHead head;
    head.id = id;
    head.enabled = enabled;
    head.video = is_picture_codec(track.codec);
    head.language = pack_language(view(track.language));
    head.name = view(track.label);
    head.entries.push_back(make_entry(track));
    if (track.time_base.num <= 0 || track.time_base.den <= 0) refuse(track, "its time base is not positive");
    head.timescale = static_cast<std::uint32_t>(track.time_base.den);
    if (head.video) {
        const PictureSize size = picture_size(track);
        head.width = size.width;
        head.height = size.height;
        if (head.name.empty()) head.name = "Video";
    } else {
        const auto config = aac::parse_config(config_of(track));
        head.timescale = config.sample_rate;
        head.frame = config.samples_per_frame;
        if (head.name.empty()) head.name = "Sound";
    }
    return head;
}

Bytes make_entry(const td_track& track) {
    const View config = config_of(track);
    try {
        if (is_picture_codec(track.codec)) return picture_entry(track);
        if (track.codec == TD_CODEC_AAC) {
            const auto aac = aac::parse_config(config);
            const auto channels = track.channels != 0 ? track.channels : aac.channels != 0 ? aac.channels : 2;
            return mp4a_entry(channels, aac.output_rate, config);
        }
    } catch (const Malformed& e) {
        refuse(track, std::string("its config cannot be read: ") + e.what());
    }
    throw Error(TD_UNSUPPORTED, "track " + std::to_string(track.index) + ": its codec does not go into MP4 here");
}

Bytes mp4a_entry(std::uint32_t channels, std::uint32_t sample_rate, View audio_specific_config) {
    Bytes specific, config, stream;
    descriptor(specific, 5, Bytes(audio_specific_config.begin(), audio_specific_config.end()));
    BoxWriter decoder(config);
    decoder.u8(0x40);          // ISO/IEC 14496-3
    decoder.u8(5 << 2 | 1);    // an audio stream
    decoder.zeros(3 + 4 + 4);  // buffer size, maximum and average bitrate: not known
    decoder.bytes(specific);
    BoxWriter es(stream);
    es.u16(0);  // ES_ID
    es.u8(0);
    descriptor(stream, 4, config);
    descriptor(stream, 6, Bytes{2});

    Bytes out;
    BoxWriter writer(out);
    {
        const auto entry = writer.box(fourcc("mp4a"));
        writer.zeros(6);
        writer.u16(1);
        writer.zeros(8);
        writer.u16(static_cast<std::uint16_t>(channels));
        writer.u16(16);
        writer.zeros(4);
        writer.u32(sample_rate <= 0xffff ? sample_rate << 16 : 0);
        const auto box = writer.full_box(fourcc("esds"), 0, 0);
        descriptor(out, 3, stream);
    }
    return out;
}

}  // namespace tapedeck::mp4
