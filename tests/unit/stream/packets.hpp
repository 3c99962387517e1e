// Tracks and packets for the tests of streams and recordings.
#pragma once

#include <cstring>
#include <string_view>

#include "stream/packet.hpp"

namespace tapedeck::host::test {

inline td_track track(std::uint32_t kind, std::uint32_t codec, std::uint32_t index = 0) {
    td_track track{};
    track.size = sizeof track;
    track.index = index;
    track.kind = kind;
    track.codec = codec;
    track.time_base = {1, 1000};
    track.clock = 1;
    return track;
}

inline td_track video() {
    return track(TD_VIDEO, TD_CODEC_H264, 0);
}

/// AAC-LC of 44100 Hz in stereo, announced in milliseconds as RTMP does.
inline td_track aac() {
    static constexpr std::uint8_t config[] = {0x12, 0x10};
    td_track audio = track(TD_AUDIO, TD_CODEC_AAC, 1);
    audio.sample_rate = 44100;
    audio.channels = 2;
    audio.config = {config, sizeof config};
    return audio;
}

inline td_track messages() {
    return track(TD_DATA, TD_CODEC_TEXT, 2);
}

/// A packet whose payload is `size` bytes; times in milliseconds.
inline Packet packet(const TrackSpec& spec, std::int64_t dts, std::uint32_t flags = TD_PACKET_KEY,
                     std::uint32_t size = 100, std::int64_t composition_offset = 0) {
    td_packet raw{};
    raw.size = sizeof raw;
    raw.track = spec.track.index;
    raw.flags = flags;
    raw.data_size = size;
    raw.dts = dts;
    raw.pts = dts + composition_offset;
    raw.duration = raw.wallclock_us = TD_NO_TIME;
    raw.buffer = buffer_new(size);
    std::memset(raw.buffer->data, 0, size);
    raw.data = raw.buffer->data;
    Packet made(raw, &spec);
    buffer_unref(raw.buffer);  // the packet has its own share
    return made;
}

}  // namespace tapedeck::host::test
