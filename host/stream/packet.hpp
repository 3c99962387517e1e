// Tracks and packets inside the host.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"
#include "plugin/buffer.hpp"
#include "tapedeck/abi.h"
#include "tapedeck/media/ticks.hpp"

namespace tapedeck::host {

/// A track's announcement with memory of its own. Never changes once packets refer to it.
struct TrackSpec {
    explicit TrackSpec(const td_track& from)
        : track(from), config(from.config.data, from.config.data + from.config.size), label(view(from.label)) {
        track.size = sizeof track;
        track.config = {config.data(), config.size()};
        track.label = text_of(label);
        track.language = {};
    }
    TrackSpec(const TrackSpec&) = delete;
    TrackSpec& operator=(const TrackSpec&) = delete;

    /// Whether a writer would have to be told of the difference.
    bool same_parameters(const td_track& other) const {
        return track.kind == other.kind && track.codec == other.codec && track.time_base.num == other.time_base.num &&
               track.time_base.den == other.time_base.den && track.sample_rate == other.sample_rate &&
               track.channels == other.channels &&
               std::equal(config.begin(), config.end(), other.config.data, other.config.data + other.config.size);
    }

    /// Whether it is the same announcement, to the word.
    bool says(const td_track& other) const {
        return track.index == other.index && track.clock == other.clock && track.width == other.width &&
               track.height == other.height && label == view(other.label) && same_parameters(other);
    }

    td_track track;
    std::vector<std::uint8_t> config;
    std::string label;
};

/// One access unit: times on the stream's line, a share in its payload's buffer. Cheap to copy and to move. The spec
/// belongs to the stream, which outlives its packets.
class Packet {
public:
    Packet(const td_packet& from, const TrackSpec* track) : view(from), spec(track) {
        view.size = sizeof view;
        view.changed = nullptr;
        view.flags &= ~std::uint32_t{TD_PACKET_CONFIG_CHANGED};
        if (view.buffer != nullptr) buffer_ref(view.buffer);
    }
    Packet(const Packet& other) : Packet(other.view, other.spec) {}
    Packet(Packet&& other) noexcept : view(other.view), spec(other.spec) { other.view.buffer = nullptr; }
    Packet& operator=(Packet other) noexcept {
        std::swap(view, other.view);
        std::swap(spec, other.spec);
        return *this;
    }
    ~Packet() {
        if (view.buffer != nullptr) buffer_unref(view.buffer);
    }

    /// Copies a payload that lies in no buffer into one. Throws Error(TD_NO_MEMORY).
    void own() {
        if (view.buffer != nullptr) return;
        td_buffer* buffer = buffer_new(view.data_size);
        if (buffer == nullptr) throw Error("out of memory", TD_NO_MEMORY, true);
        std::memcpy(buffer->data, view.data, view.data_size);
        view.buffer = buffer;
        view.data = buffer->data;
    }

    bool is_video() const { return spec->track.kind == TD_VIDEO; }
    bool is_data() const { return spec->track.kind == TD_DATA; }
    /// A place where decoding of a stream with video can start.
    bool is_video_key() const { return is_video() && (view.flags & TD_PACKET_KEY) != 0; }
    std::int64_t dts_us() const { return to_us(view.dts, spec->track.time_base); }
    std::int64_t pts_us() const { return to_us(view.pts, spec->track.time_base); }

    td_packet view;
    const TrackSpec* spec;
};

}  // namespace tapedeck::host
