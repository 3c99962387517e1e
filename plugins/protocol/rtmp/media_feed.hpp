// From the audio and video messages of one publisher to tracks and packets in canonical form.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flv.hpp"
#include "message.hpp"
#include "packet_batch.hpp"
#include "publish_sdp.hpp"
#include "tapedeck/media/unwrap.hpp"
#include "tapedeck/stream.hpp"

namespace tapedeck::rtmp {

/// Announces a track when its decoder setup, or its first frame where the codec needs none, has come, and again when
/// that changes. Times are milliseconds; one 64-bit count for the whole connection, so audio and video stay together
/// when 32 bits wrap. Used on one thread; the sink is borrowed.
class MediaFeed {
public:
    /// `sdp` says what is refused and may be shared by all connections.
    MediaFeed(Context context, Sink sink, std::shared_ptr<const PublishSdp> sdp, std::string name);

    /// Takes one audio, video or aggregate message; packets stay in `out` until `flush`. `coming`: payload bytes that
    /// this read still brings, this message included. Throws Malformed, and Error(TD_CANCELLED) after a kick.
    void message(const Batch& batch, const Message& message, std::size_t coming, PacketBatch& out);
    /// At the end of a read, and before anything else is said to the sink.
    bool flush(PacketBatch& out) { return out.give(sink_); }
    /// The kinds of media that it has announced, as bits 1 << TD_VIDEO and so on.
    std::uint32_t kinds() const;
    /// Whether the pause that `flush` asked for is over.
    bool may_go_on() const { return sink_.packets({}); }

private:
    struct TrackState {
        std::optional<Track> announced;
        std::optional<Track> waiting;     // for the key frame that says its size
        std::size_t nal_length = 4;       // H.264, H.265: bytes before each NAL unit, as the decoder setup says
        std::uint32_t allowed_codec = 0;  // that the last check let through
        std::uint32_t warned_codec = 0;
        bool usable = false;  // packets may follow
        bool gap = false;     // frames were left out before the next packet
    };

    void body(MessageType type, ByteSpan bytes, std::uint32_t timestamp, PacketBatch& out);
    void tag(TrackState& track, const flv::Tag& tag, std::int64_t time, PacketBatch& out);
    void aggregate(ByteSpan bytes, std::uint32_t timestamp, PacketBatch& out);
    bool accepts(TrackState& track, const flv::Tag& tag);
    void configure(TrackState& track, const flv::Tag& tag, PacketBatch& out);
    void compare_profile(TrackState& track, const flv::Tag& tag);
    void announce_with_size(TrackState& track, const flv::Tag& tag, PacketBatch& out);
    void announce(TrackState& track, Track fresh, PacketBatch& out);
    void frame(TrackState& track, const flv::Tag& tag, std::int64_t time, PacketBatch& out);
    ByteSpan canonical(const TrackState& track, ByteSpan payload, PacketBatch& out) const;
    void warn_once(TrackState& track, std::uint32_t kind, std::uint32_t codec, const std::string& what);

    Context context_;
    Sink sink_;
    std::shared_ptr<const PublishSdp> sdp_;
    std::string name_;
    Unwrapper<32> clock_;
    std::array<TrackState, 2> tracks_;  // video, audio
};

}  // namespace tapedeck::rtmp
