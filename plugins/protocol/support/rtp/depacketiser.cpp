#include "rtp/depacketiser.hpp"

#include <array>

namespace tapedeck::rtp {

namespace {

constexpr std::size_t largest_picture = 8u << 20, most_pieces = 32u << 10;
constexpr std::size_t most_held = 128u << 20;  // a datagram of a key picture may be one of 32 of its buffer

}  // namespace

void AudioDepacketiser::push(const Received& received, MediaOut& out) {
    gap_ = gap_ || received.lost != 0;
    if (received.packet.payload.empty()) return;
    if (!announced_) {
        announced_ = true;
        out.track(track_);
        gap_ = false;
    }
    const auto flags = media_flags(true, gap_);
    gap_ = false;
    out.packet(media_packet(track_.track.index, flags, clock_(received.packet.timestamp), received.wallclock_us,
                            received.buffer, received.packet.payload));
}

Track opus_track(std::uint32_t index, std::uint32_t channels) {
    Track track(TD_AUDIO, TD_CODEC_OPUS, {1, 48'000}, index);
    track.track.clock = index;
    track.track.sample_rate = 48'000;
    track.track.channels = channels;
    // RFC 7845 section 5.1: version, channels, pre-skip, rate (little endian), gain, mapping family.
    track.config(std::array<std::uint8_t, 19>{'O', 'p', 'u', 's', 'H', 'e', 'a', 'd', 1,
                                              static_cast<std::uint8_t>(channels), 0, 0, 0x80, 0xbb, 0, 0, 0, 0, 0});
    return track;
}

Track telephone_track(std::uint32_t index, std::uint32_t codec) {
    Track track(TD_AUDIO, codec, {1, 8'000}, index);
    track.track.clock = index;
    track.track.sample_rate = codec == TD_CODEC_G722 ? 16'000 : 8'000;
    track.track.channels = 1;
    return track;
}

bool Picture::add(const Buffer& buffer, ByteSpan bytes) {
    const bool is_new = pieces_.empty() || pieces_.back().buffer.get() != buffer.get();
    const auto held = held_ + (is_new ? buffer.capacity() : 0);
    if (size_ + bytes.size() > largest_picture || pieces_.size() >= most_pieces || held > most_held) return false;
    pieces_.push_back({buffer, bytes});
    size_ += bytes.size();
    held_ = held;
    return true;
}

void Picture::clear() {
    pieces_.clear();
    size_ = held_ = 0;
}

td_packet media_packet(std::uint32_t track, std::uint32_t flags, std::int64_t pts, std::int64_t wallclock_us,
                       const Buffer& buffer, ByteSpan bytes) {
    td_packet packet{};
    packet.size = sizeof packet;
    packet.track = track;
    packet.flags = flags;
    packet.data_size = static_cast<std::uint32_t>(bytes.size());
    packet.pts = pts;
    packet.dts = packet.duration = TD_NO_TIME;
    packet.wallclock_us = wallclock_us;
    packet.data = bytes.data();
    packet.buffer = buffer.get();
    return packet;
}

}  // namespace tapedeck::rtp
