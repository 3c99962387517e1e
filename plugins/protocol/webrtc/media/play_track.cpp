#include "webrtc/media/play_track.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "tapedeck/media/ticks.hpp"

namespace tapedeck::webrtc {

namespace {

constexpr std::size_t largest_payload = 1200;         // so that a packet fits every path
constexpr std::int64_t longest_drift_us = 5'000'000;  // beyond, the stream's line was left

/// A viewer catches up in about a second, or faster, and with leaps in the stream's time in three.
constexpr std::int64_t usual_chase_us = 1'000'000, longest_chase_us = 3'000'000, least_speed = 4;

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
    const bool has_other_config = !std::ranges::equal(track_.config(), ByteSpan(track.config.data, track.config.size));
    if (has_other_config && !backlog_.is_empty()) interrupt();
    track_ = Track(track);
    if (track.config.size == 0) return;
    try {
        packetiser_->config({track.config.data, track.config.size});
    } catch (const Malformed& e) {
        context_.warning(std::string("the parameters of a track cannot be sent: ") + e.what());
    }
}

void PlayTrack::change(const td_track& track, const PlaySetup& setup) {
    interrupt();
    setup_.codec = setup.codec;
    setup_.clock = setup.clock;
    has_other_clock_ = true;
    packetiser_ = packetiser_for(context_, setup.codec);
    sender_.change(setup.sender);
    change(track);
}

void PlayTrack::interrupt() {
    waits_for_key_ = is_video_;
    backlog_.clear();
    chase_.reset();
}

void PlayTrack::hold(const td_packet& packet) {
    if (!is_video_) return;
    waits_for_key_ = !backlog_.push(context_, packet);
    if ((packet.flags & TD_PACKET_KEY) != 0) chase_.reset();  // the rest of the way is saved
}

void PlayTrack::send(const td_packet& packet, Timeline& timeline, std::int64_t now_us) {
    if (!backlog_.is_empty()) return hold(packet);
    const auto shown_us = timeline.shown_us(track_, packet, now_us);
    if (is_video_) {
        if ((packet.flags & TD_PACKET_KEY) != 0)
            waits_for_key_ = false;
        else if ((packet.flags & TD_PACKET_DISCONTINUITY) != 0)
            waits_for_key_ = true;
        if (waits_for_key_) return;
    }
    if (!put(packet, rescale(packet.pts, track_.track.time_base, rtp_clock()), shown_us, now_us)) interrupt();
}

bool PlayTrack::catch_up(Timeline& timeline, std::int64_t now_us) {
    if (!backlog_.is_empty() && !chase_) {
        const auto behind_us = stream_us(backlog_.back()) - stream_us(backlog_.front());
        chase_ = Chase{now_us, stream_us(backlog_.front()), std::max(behind_us / usual_chase_us, least_speed)};
        timeline.shown_us(track_, backlog_.back(), now_us);  // which is now, where nothing was yet
    }
    while (!backlog_.is_empty()) {
        const auto& packet = backlog_.front();
        const auto spent_us = now_us - chase_->began_us;
        const bool is_due = stream_us(packet) - chase_->from_us <= spent_us * chase_->speed;
        if (!is_due && spent_us < longest_chase_us) return true;
        if (!put(packet, rescale(timeline.stream_us(now_us).value(), {1, 1'000'000}, rtp_clock()), now_us, now_us)) {
            interrupt();
            return false;
        }
        not_before_ = *timestamp_ + 1;
        backlog_.pop();
    }
    chase_.reset();
    return false;
}

bool PlayTrack::put(const td_packet& packet, std::int64_t ticks, std::int64_t shown_us, std::int64_t now_us) {
    payloads_.clear();
    try {
        packetiser_->packetise(packet, payloads_);
    } catch (const Malformed& e) {
        context_.debug(std::string("a packet cannot be sent: ") + e.what());
        return false;
    }
    if (std::exchange(has_other_clock_, false) && timestamp_)
        setup_.first_timestamp = ticks_until(shown_us) - static_cast<std::uint32_t>(ticks);
    timestamp_ = setup_.first_timestamp + static_cast<std::uint32_t>(ticks);
    if (not_before_ && static_cast<std::int32_t>(*timestamp_ - *not_before_) < 0)
        timestamp_ = (*not_before_)++;
    else
        not_before_.reset();
    shown_us_ = shown_us;
    for (const auto& payload : payloads_) {
        if (sender_.room(payload, {}) > room_.size()) continue;
        datagram_(ByteSpan(room_).first(sender_.write(room_, payload, *timestamp_, {}, now_us)));
    }
    payloads_.clear();
    return true;
}

/// The RTP time of that moment, by the last packet.
std::uint32_t PlayTrack::ticks_until(std::int64_t shown_us) const {
    return *timestamp_ + static_cast<std::uint32_t>(rescale(shown_us - shown_us_, {1, 1'000'000}, rtp_clock()));
}

std::int64_t PlayTrack::stream_us(const td_packet& packet) const {
    return to_us(packet.pts, track_.track.time_base);
}

void PlayTrack::repeat(const std::vector<std::uint16_t>& lost, std::int64_t now_us, std::int64_t rtt_us) {
    for (const auto sequence : lost)
        if (sender_.lost(sequence, now_us, rtt_us) != nullptr)
            datagram_(ByteSpan(room_).first(sender_.repeat(room_, sequence, {}, now_us)));
}

std::optional<rtp::Report> PlayTrack::report(std::int64_t now_us, std::int64_t unix_us) const {
    if (!timestamp_) return std::nullopt;
    return rtp::Report{ssrc(), sender_.info(unix_us, ticks_until(now_us)), {}};
}

}  // namespace tapedeck::webrtc
