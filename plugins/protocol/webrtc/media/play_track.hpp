// One track on its way to one viewer.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "rtp/packetiser.hpp"
#include "rtp/sender.hpp"
#include "tapedeck/stream.hpp"

namespace tapedeck::webrtc {

/// When the packets of a stream are shown, in our own time: its tracks lie on one line already. One thread.
class Timeline {
public:
    /// Microseconds of the monotonic clock; the first packet is now.
    std::int64_t shown_us(const td_track& track, const td_packet& packet, std::int64_t now_us);

private:
    std::optional<std::int64_t> offset_us_;
};

struct PlaySetup {
    std::uint32_t codec = 0;  // TD_CODEC_*
    std::uint32_t clock = 0;  // of RTP, Hz
    std::uint32_t first_timestamp = 0;
    rtp::SenderSetup sender;
};

/// Datagrams are RTP, each given before the next is written. Times are microseconds of one monotonic clock. One thread.
class PlayTrack {
public:
    using Datagram = std::function<void(ByteSpan)>;

    PlayTrack(Context context, const PlaySetup& setup, const td_track& track, Datagram datagram);

    const Track& track() const { return track_; }
    std::uint32_t ssrc() const { return setup_.sender.ssrc; }
    /// The parameters that hold from now on; of the same codec.
    void change(const td_track& track);
    /// A picture that nothing was sent before, or that follows a hole, is left out unless it is a key frame.
    void send(const td_packet& packet, Timeline& timeline, std::int64_t now_us);
    /// Whether pictures are left out until the next key frame.
    bool waits_for_key() const { return waits_for_key_; }
    /// Repeats what a NACK names, where it is still there.
    void repeat(const std::vector<std::uint16_t>& lost, std::int64_t now_us, std::int64_t rtt_us);
    /// A sender report, once something was sent. `unix_us` is the time of `now_us`.
    std::optional<rtp::Report> report(std::int64_t now_us, std::int64_t unix_us) const;

private:
    Context context_;
    PlaySetup setup_;
    Track track_;
    Datagram datagram_;
    std::unique_ptr<rtp::Packetiser> packetiser_;
    rtp::Sender sender_;
    bool is_video_, waits_for_key_;
    std::optional<std::uint32_t> timestamp_;  // of the last packet sent
    std::int64_t shown_us_ = 0;               // and when it is shown
    std::vector<rtp::Payload> payloads_;
    Bytes room_;
};

}  // namespace tapedeck::webrtc
