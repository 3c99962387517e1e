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
#include "webrtc/media/backlog.hpp"

namespace tapedeck::webrtc {

/// When the packets of a stream are shown, in our own time: its tracks lie on one line already. One thread.
class Timeline {
public:
    /// Microseconds of the monotonic clock; the first packet is now.
    std::int64_t shown_us(const td_track& track, const td_packet& packet, std::int64_t now_us);
    /// The stream's time that is shown now, microseconds; none before the first packet.
    std::optional<std::int64_t> stream_us(std::int64_t now_us) const {
        return offset_us_ ? std::optional(now_us - *offset_us_) : std::nullopt;
    }

private:
    std::optional<std::int64_t> offset_us_;
};

struct PlaySetup {
    std::uint32_t codec = 0;  // TD_CODEC_*
    std::uint32_t clock = 0;  // of RTP, Hz
    std::uint32_t first_timestamp = 0;
    rtp::SenderSetup sender;
};

/// Pictures that were held are shown as they are sent, many times as fast as they were made, until the viewer has
/// caught up with those that come meanwhile. Datagrams are RTP, each given before the next is written. Times are
/// microseconds of one monotonic clock. One thread.
class PlayTrack {
public:
    using Datagram = std::function<void(ByteSpan)>;

    PlayTrack(Context context, const PlaySetup& setup, const td_track& track, Datagram datagram);

    const Track& track() const { return track_; }
    std::uint32_t ssrc() const { return setup_.sender.ssrc; }
    /// The parameters that hold from now on; of the same codec.
    void change(const td_track& track);
    /// The same with another codec: the SSRC's numbers and times go on; of `setup` its codec, clock and payload types
    /// count.
    void change(const td_track& track, const PlaySetup& setup);
    /// Something is missing from here on.
    void interrupt();
    /// What comes before the viewer is there: pictures are kept for `catch_up`, from the last key frame on; sound is
    /// not.
    void hold(const td_packet& packet);
    /// A picture that nothing was sent before, or that follows a hole, is left out unless it is a key frame.
    void send(const td_packet& packet, Timeline& timeline, std::int64_t now_us);
    /// Sends of what is held as much as is due. True: there is more; call again in about 10 ms.
    bool catch_up(Timeline& timeline, std::int64_t now_us);
    /// Whether pictures are left out until the next key frame; none is held.
    bool waits_for_key() const { return waits_for_key_; }
    /// Repeats what a NACK names, where it is still there.
    void repeat(const std::vector<std::uint16_t>& lost, std::int64_t now_us, std::int64_t rtt_us);
    /// A sender report, once something was sent. `unix_us` is the time of `now_us`.
    std::optional<rtp::Report> report(std::int64_t now_us, std::int64_t unix_us) const;

private:
    /// How far the viewer is in what is held.
    struct Chase {
        std::int64_t began_us, from_us, speed;  // `from_us` of the stream's time; the speed is 1 in real time
    };
    /// `ticks` of the RTP clock are the stream's time when it is shown. False: it cannot be sent.
    bool put(const td_packet& packet, std::int64_t ticks, std::int64_t shown_us, std::int64_t now_us);
    std::uint32_t ticks_until(std::int64_t shown_us) const;
    std::int64_t stream_us(const td_packet& packet) const;
    td_rational rtp_clock() const { return {1, static_cast<std::int32_t>(setup_.clock)}; }

    Context context_;
    PlaySetup setup_;
    Track track_;
    Datagram datagram_;
    std::unique_ptr<rtp::Packetiser> packetiser_;
    rtp::Sender sender_;
    bool is_video_, waits_for_key_;
    bool has_other_clock_ = false;            // since the last packet sent
    std::optional<std::uint32_t> timestamp_;  // of the last packet sent
    std::int64_t shown_us_ = 0;               // and when it is shown
    Backlog backlog_;
    std::optional<Chase> chase_;               // while something is held
    std::optional<std::uint32_t> not_before_;  // is shown what follows it
    std::vector<rtp::Payload> payloads_;
    Bytes room_;
};

}  // namespace tapedeck::webrtc
