#include "media_feed.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "request.hpp"
#include "tapedeck/media/aac.hpp"
#include "tapedeck/media/av1.hpp"
#include "tapedeck/media/h264.hpp"
#include "tapedeck/media/h265.hpp"
#include "tapedeck/media/vp9.hpp"

namespace tapedeck::rtmp {

namespace {

/// The number of bytes before each NAL unit (ISO/IEC 14496-15 sections 5.3.3.1 and 8.3.3.1).
std::size_t nal_length_size(const flv::Tag& tag) {
    if (tag.codec == TD_CODEC_H264) return h264::parse_avcc(tag.payload).length_size;
    return h265::parse_hvcc(tag.payload).length_size;
}

bool has_nal_units(std::uint32_t codec) {
    return codec == TD_CODEC_H264 || codec == TD_CODEC_H265;
}
bool needs_config(std::uint32_t codec) {
    return has_nal_units(codec) || codec == TD_CODEC_AAC || codec == TD_CODEC_AV1;
}

Track describe(const flv::Tag& tag) {
    Track track(tag.kind, tag.codec, {1, 1000});
    track.track.sample_rate = tag.sample_rate;
    track.track.channels = tag.channels;
    return track;
}

/// avcC and hvcC that say 4 bytes of length, as the packets have; vpcC without the version and flags that a full box
/// has and some senders leave in.
Bytes canonical_setup(const flv::Tag& tag) {
    constexpr std::array<std::uint8_t, 4> full_box{1, 0, 0, 0};
    Bytes setup(tag.payload.begin(), tag.payload.end());
    if (tag.codec == TD_CODEC_H264 && setup.size() > 4) setup[4] |= 3;
    if (tag.codec == TD_CODEC_H265 && setup.size() > 21) setup[21] |= 3;
    const bool has_head = setup.size() >= 12 && std::ranges::equal(ByteSpan(setup).first(4), full_box);
    if (tag.codec == TD_CODEC_VP9 && has_head) setup.erase(setup.begin(), setup.begin() + 4);
    return setup;
}

template <class Size>
void set_size(Track& track, const Size& size) {
    track.track.width = size.width;
    track.track.height = size.height;
}

/// The track that a decoder setup describes; throws Malformed on one that cannot be read.
Track describe_config(const flv::Tag& tag) {
    auto track = describe(tag);
    track.config(canonical_setup(tag));
    if (tag.codec == TD_CODEC_AAC) {
        const auto config = aac::parse_config(tag.payload);
        track.track.sample_rate = config.output_rate;
        track.track.channels = config.ps && config.channels == 1 ? 2 : config.channels;
    } else if (tag.codec == TD_CODEC_H264) {
        const auto config = h264::parse_avcc(tag.payload);
        if (config.sps.empty() || config.pps.empty()) throw Malformed("avcC has no parameter sets");
        set_size(track, h264::parse_sps(config.sps.front()));
    } else if (tag.codec == TD_CODEC_H265) {
        const auto config = h265::parse_hvcc(tag.payload);
        if (config.vps.empty() || config.sps.empty() || config.pps.empty())
            throw Malformed("hvcC lacks a VPS, SPS or PPS");
        set_size(track, h265::parse_sps(config.sps.front()));
    } else if (tag.codec == TD_CODEC_AV1) {
        set_size(track, av1::picture_size(tag.payload).value_or(av1::PictureSize{}));
    }
    return track;
}

}  // namespace

MediaFeed::MediaFeed(Context context, Sink sink, std::shared_ptr<const PublishSdp> sdp, std::string name)
    : context_(context), sink_(sink), sdp_(std::move(sdp)), name_(std::move(name)) {}

void MediaFeed::message(const Batch& batch, const Message& message, std::size_t coming, PacketBatch& out) {
    if (message.size == 0) return;
    const auto bytes = out.payload(batch, message, coming);
    if (message.type == MessageType::aggregate)
        aggregate(bytes, message.timestamp, out);
    else
        body(message.type, bytes, message.timestamp, out);
}

std::uint32_t MediaFeed::kinds() const {
    return (tracks_[0].announced ? 1u << TD_VIDEO : 0u) | (tracks_[1].announced ? 1u << TD_AUDIO : 0u);
}

void MediaFeed::aggregate(ByteSpan bytes, std::uint32_t timestamp, PacketBatch& out) {
    ByteReader reader(bytes);
    std::optional<std::uint32_t> first;
    try {
        while (const auto part = flv::next_part(reader)) {
            if (!first) first = part->timestamp;
            body(static_cast<MessageType>(part->type), part->body, timestamp + (part->timestamp - *first), out);
        }
    } catch (const Malformed& e) {
        // The messages around it are whole, and so are its parts up to here.
        for (auto& track : tracks_) track.gap = true;
        warn_once(tracks_[0], TD_VIDEO, 0, std::string("comes in an aggregate message that is broken: ") + e.what());
    }
}

void MediaFeed::body(MessageType type, ByteSpan bytes, std::uint32_t timestamp, PacketBatch& out) {
    if (type != MessageType::video && type != MessageType::audio) return;
    const bool is_video = type == MessageType::video;
    auto& track = tracks_[is_video ? 0 : 1];
    const auto time = clock_(timestamp);
    try {
        tag(track, is_video ? flv::parse_video(bytes) : flv::parse_audio(bytes), time, out);
    } catch (const Malformed& e) {
        // One frame, not the connection: the messages around it are whole.
        track.gap = true;
        warn_once(track, is_video ? TD_VIDEO : TD_AUDIO, 0, std::string("has a broken frame: ") + e.what());
    }
}

void MediaFeed::tag(TrackState& track, const flv::Tag& tag, std::int64_t time, PacketBatch& out) {
    if (tag.content == flv::Content::nothing || !accepts(track, tag)) return;
    if (tag.content == flv::Content::config) return configure(track, tag, out);
    if (track.waiting && tag.key) announce_with_size(track, tag, out);
    if (!track.announced || track.announced->track.codec != tag.codec) {
        if (needs_config(tag.codec) || track.waiting) return;  // frames before their decoder setup say nothing
        announce(track, describe(tag), out);
    }
    if (track.usable && !tag.payload.empty()) frame(track, tag, time, out);
}

bool MediaFeed::accepts(TrackState& track, const flv::Tag& tag) {
    if (tag.content == flv::Content::unknown) {
        warn_once(track, tag.kind, tag.codec, "is of a codec or form that this server does not know");
        return false;
    }
    if (tag.codec == track.allowed_codec) return true;
    if (!sdp_->allows(tag.kind, tag.codec)) {
        warn_once(track, tag.kind, tag.codec,
                  "is refused: the file that setting 'protocol.rtmp.publish_sdp' names has no line for it");
        return false;
    }
    track.allowed_codec = tag.codec;
    return true;
}

void MediaFeed::warn_once(TrackState& track, std::uint32_t kind, std::uint32_t codec, const std::string& what) {
    const auto number = codec == 0 ? 1 : codec;
    if (std::exchange(track.warned_codec, number) == number) return;
    context_.warning(printable(name_) + ": its " + (kind == TD_VIDEO ? "video" : "audio") +
                     (codec == 0 ? "" : " " + flv::codec_name(codec)) + " " + what);
}

void MediaFeed::configure(TrackState& track, const flv::Tag& tag, PacketBatch& out) {
    const auto& known = track.announced;
    try {
        auto fresh = describe_config(tag);
        if (has_nal_units(tag.codec)) track.nal_length = nal_length_size(tag);
        if (known && known->track.codec == tag.codec && std::ranges::equal(known->config(), fresh.config())) {
            track.gap = track.gap || !track.usable;
            track.usable = true;
            return;
        }
        compare_profile(track, tag);
        const bool lacks_size = fresh.track.kind == TD_VIDEO && fresh.track.width == 0;
        if (lacks_size)
            track.waiting = fresh;
        else
            announce(track, fresh, out);
    } catch (const Malformed& e) {
        track.usable = false;
        warn_once(track, tag.kind, tag.codec, std::string("has a decoder setup that cannot be read: ") + e.what());
    }
}

/// What is recorded keeps the profile of its parameter sets; players that only take the offered one cannot show it.
void MediaFeed::compare_profile(TrackState& track, const flv::Tag& tag) {
    if (tag.codec != TD_CODEC_H264) return;
    const auto profile = h264::parse_sps(h264::parse_avcc(tag.payload).sps.front()).profile;
    if (sdp_->offers_profile(profile)) return;
    warn_once(track, tag.kind, tag.codec,
              "is of profile " + std::to_string(profile) +
                  ", which the file that setting 'protocol.rtmp.publish_sdp' names does not offer (profile-level-id); "
                  "some players may not show it");
}

/// The setup of VP9 does not say the size, and that of AV1 need not; key frames do.
void MediaFeed::announce_with_size(TrackState& track, const flv::Tag& tag, PacketBatch& out) {
    auto fresh = *std::exchange(track.waiting, std::nullopt);
    if (fresh.track.codec != tag.codec) return;
    if (tag.codec == TD_CODEC_VP9) {
        if (const auto size = vp9::picture_size(tag.payload)) set_size(fresh, *size);
    } else if (const auto header = av1::find_obu(tag.payload, av1::obu_sequence_header)) {
        set_size(fresh, av1::parse_sequence_header(*header));
    }
    announce(track, fresh, out);
}

void MediaFeed::announce(TrackState& track, Track fresh, PacketBatch& out) {
    flush(out);
    fresh.track.index = fresh.track.kind == TD_VIDEO ? 0 : 1;  // also when its publisher returns in another order
    track.announced = fresh;
    sink_.track(*track.announced);
    track.usable = true;
}

void MediaFeed::frame(TrackState& track, const flv::Tag& tag, std::int64_t time, PacketBatch& out) {
    auto payload = tag.payload;
    if (track.nal_length != 4 && has_nal_units(tag.codec)) payload = canonical(track, payload, out);
    if (payload.empty()) return;  // only empty NAL units
    auto& packet = out.add(payload);
    packet.track = track.announced->track.index;
    packet.flags = tag.key ? std::uint32_t{TD_PACKET_KEY} : 0u;
    if (std::exchange(track.gap, false)) packet.flags |= TD_PACKET_DISCONTINUITY;
    packet.dts = time;
    packet.pts = time + tag.composition_ms;
    packet.duration = packet.wallclock_us = TD_NO_TIME;
}

/// The same access unit with 4 bytes before each NAL unit.
ByteSpan MediaFeed::canonical(const TrackState& track, ByteSpan payload, PacketBatch& out) const {
    std::vector<std::uint8_t> units;
    h264::for_each_nal(payload, track.nal_length, [&](ByteSpan nal) { h264::append_nal(units, nal); });
    auto* place = out.room(units.size(), units.size());
    std::ranges::copy(units, place);
    return {place, units.size()};
}

}  // namespace tapedeck::rtmp
