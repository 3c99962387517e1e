#include "webrtc/media/play_track.hpp"

#include <cstdlib>

#include "tapedeck/media/ticks.hpp"

namespace tapedeck::webrtc {

namespace {

constexpr std::size_t largest_payload = 1200;         // so that a packet fits every path
constexpr std::int64_t longest_drift_us = 5'000'000;  // beyond, the stream's line was left

std::unique_ptr<rtp::Packetiser> packetiser_for(const Context& context, std::uint32_t codec) {
    if (codec == TD_CODEC_H264) return std::make_unique<rtp::H264Packetiser>(context, largest_payload);
    if (codec == TD_CODEC_VP8) return std::make_unique<rtp::Vp8Packetiser>(context, largest_payload);
    return std::make_unique<rtp::AudioPacketiser>(context, codec, largest_payload);
}

}  // namespace

std::int64_t Timeline::shown_us(const td_track& track, const td_packet& packet, std::int64_t now_us) {
    const auto at_us = to_us(packet.pts, track.time_base);
    if (!offset_us_ || std::abs(*offset_us_ + at_us - now_us) > longest_drift_us) offset_us_ = now_us - at_us;
    return *offset_us_ + at_us;
}

PlayTrack::PlayTrack(Context context, const PlaySetup& setup, const td_track& track, Datagram datagram)
    : context_(context),
      setup_(setup),
      track_(track),
      datagram_(std::move(datagram)),
      packetiser_(packetiser_for(context, setup.codec)),
      sender_(setup.sender),
      is_video_(track.kind == TD_VIDEO),
      waits_for_key_(is_video_),
      room_(1500) {
    change(track);
}

void PlayTrack::change(const td_track& track) {
    track_ = Track(track);
    if (track.config.size == 0) return;
    try {
        packetiser_->config({track.config.data, track.config.size});
    } catch (const Malformed& e) {
        context_.warning(std::string("the parameters of a track cannot be sent: ") + e.what());
    }
}

void PlayTrack::send(const td_packet& packet, Timeline& timeline, std::int64_t now_us) {
    const auto shown_us = timeline.shown_us(track_, packet, now_us);
    if (is_video_) {
        if ((packet.flags & TD_PACKET_KEY) != 0)
            waits_for_key_ = false;
        else if ((packet.flags & TD_PACKET_DISCONTINUITY) != 0)
            waits_for_key_ = true;
        if (waits_for_key_) return;
    }
    payloads_.clear();
    try {
        packetiser_->packetise(packet, payloads_);
    } catch (const Malformed& e) {
        context_.debug(std::string("a packet cannot be sent: ") + e.what());
        return;
    }
    const auto ticks = rescale(packet.pts, track_.track.time_base, {1, static_cast<std::int32_t>(setup_.clock)});
    timestamp_ = setup_.first_timestamp + static_cast<std::uint32_t>(ticks);
    shown_us_ = shown_us;
    for (const auto& payload : payloads_) {
        if (sender_.room(payload, {}) > room_.size()) continue;
        datagram_(ByteSpan(room_).first(sender_.write(room_, payload, *timestamp_, {}, now_us)));
    }
    payloads_.clear();
}

void PlayTrack::repeat(const std::vector<std::uint16_t>& lost, std::int64_t now_us, std::int64_t rtt_us) {
    for (const auto sequence : lost)
        if (sender_.lost(sequence, now_us, rtt_us) != nullptr)
            datagram_(ByteSpan(room_).first(sender_.repeat(room_, sequence, {}, now_us)));
}

std::optional<rtp::Report> PlayTrack::report(std::int64_t now_us, std::int64_t unix_us) const {
    if (!timestamp_) return std::nullopt;
    const auto since = rescale(now_us - shown_us_, {1, 1'000'000}, {1, static_cast<std::int32_t>(setup_.clock)});
    return rtp::Report{ssrc(), sender_.info(unix_us, *timestamp_ + static_cast<std::uint32_t>(since)), {}};
}

}  // namespace tapedeck::webrtc
