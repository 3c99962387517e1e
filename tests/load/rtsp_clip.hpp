// A media clip as RTP packets for RTSP, made once for all who play it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "media_clip.hpp"

namespace tapedeck::load {

/// One picture or sound frame: packets in `RtspClip::bytes`, each behind `$`, its channel and its length (RFC 2326
/// section 10.12).
struct RtspFrame {
    std::int64_t due_us = 0;  // from the clip's begin
    std::size_t at = 0, size = 0;
    std::uint32_t timestamp = 0;
    std::uint8_t track = 0;
};

/// Track 0 is the picture on channel 0, track 1 the sound on channel 2. Sequence numbers and timestamps begin with 0.
struct RtspClip {
    struct Track {
        std::string lines;  // of the SDP, from m= on, without a=control
        std::int64_t rate = 0;
        std::uint32_t ssrc = 0;
    };
    static constexpr std::size_t frame_header = 4;  // bytes of `$`, channel and length

    std::vector<Track> tracks;
    Bytes bytes;
    std::vector<RtspFrame> frames;  // by `due_us`

    /// Throws Error when the clip is not of H.264 and AAC.
    static RtspClip make(const MediaClip& clip);
    /// The session description, `address` the server's.
    std::string sdp(const std::string& address) const;
};

}  // namespace tapedeck::load
