#include "media_clip.hpp"

#include <algorithm>
#include <cstring>
#include <memory>

#include "demuxer.hpp"
#include "tapedeck/media/ticks.hpp"

namespace tapedeck::load {
namespace {

constexpr std::int32_t video_clock = 90'000, opus_clock = 48'000;

/// RFC 3640 section 3.3.6 (AAC-hbr), one frame in a payload.
class AacPacketiser : public rtp::Packetiser {
public:
    explicit AacPacketiser(Context context) : context_(context) {}
    void packetise(const td_packet& packet, std::vector<rtp::Payload>& into) override {
        rtp::Payload payload;
        const auto header = packet.data_size << 3;  // 13 bits of size, 3 of index
        payload.prefix = {0, 16, static_cast<std::uint8_t>(header >> 8 & 0xff),
                          static_cast<std::uint8_t>(header & 0xff)};
        payload.prefix_size = 4;
        payload.marker = true;
        payload.body = ByteSpan(packet.data, packet.data_size);
        payload.buffer = Buffer::share(context_.host(), packet.buffer);
        into.push_back(std::move(payload));
    }

private:
    Context context_;
};

/// One track on its way into the clip.
struct Lane {
    td_track track;
    std::int32_t clock;
    std::unique_ptr<rtp::Packetiser> packetiser;
};

Lane lane_of(const Context& context, const td_track& track, const std::filesystem::path& file,
             std::size_t largest_payload, MediaClip& clip) {
    const ByteSpan config(track.config.data, track.config.size);
    if (track.kind == TD_AUDIO) {
        clip.audio = track.codec;
        clip.channels = track.channels;
    }
    if (track.codec == TD_CODEC_AAC) {
        clip.audio_rate = track.sample_rate;
        clip.audio_config.assign(config.begin(), config.end());
        return {track, static_cast<std::int32_t>(track.sample_rate), std::make_unique<AacPacketiser>(context)};
    }
    if (track.codec == TD_CODEC_OPUS) {
        clip.audio_rate = opus_clock;
        return {track, opus_clock, std::make_unique<rtp::AudioPacketiser>(context, track.codec, largest_payload)};
    }
    clip.video = track.codec;
    if (track.codec == TD_CODEC_VP8)
        return {track, video_clock, std::make_unique<rtp::Vp8Packetiser>(context, largest_payload)};
    if (track.codec != TD_CODEC_H264 || config.size() < 4)
        throw Error(file.string() + " has a codec other than H.264, VP8, Opus and AAC");
    constexpr std::string_view digits = "0123456789abcdef";
    for (const auto byte : config.subspan(1, 3)) (clip.profile_level_id += digits[byte >> 4]) += digits[byte & 15];
    clip.video_config.assign(config.begin(), config.end());
    auto packetiser = std::make_unique<rtp::H264Packetiser>(context, largest_payload);
    packetiser->config(config);
    return {track, video_clock, std::move(packetiser)};
}

}  // namespace

MediaClip read_media_clip(Context context, const std::filesystem::path& file, std::size_t largest_payload) {
    MediaClip clip;
    file_source::Demuxer demuxer(file);
    std::vector<Lane> lanes;
    for (const td_track& track : demuxer.tracks())
        lanes.push_back(lane_of(context, track, file, largest_payload, clip));
    for (file_source::Unit read; demuxer.next(read);) {
        const auto& lane = lanes.at(read.track);
        if (read.video && read.pts != read.dts) throw Error(file.string() + " has B-frames, which are not read here");
        const auto buffer = context.buffer(read.payload.size());
        std::memcpy(buffer.data(), read.payload.data(), read.payload.size());
        td_packet packet{};
        packet.track = read.track;
        packet.flags = read.key ? TD_PACKET_KEY : 0;
        packet.pts = packet.dts = read.pts;
        packet.data = buffer.data();
        packet.data_size = static_cast<std::uint32_t>(read.payload.size());
        packet.buffer = buffer.get();
        Unit unit;
        unit.is_video = read.video;
        unit.due_us = to_us(read.dts, lane.track.time_base);
        unit.timestamp = static_cast<std::uint32_t>(rescale(read.pts, lane.track.time_base, {1, lane.clock}));
        lane.packetiser->packetise(packet, unit.payloads);
        clip.length_us = std::max(clip.length_us, unit.due_us + to_us(read.duration, lane.track.time_base));
        clip.units.push_back(std::move(unit));
    }
    std::ranges::stable_sort(clip.units, {}, &Unit::due_us);
    return clip;
}

}  // namespace tapedeck::load
