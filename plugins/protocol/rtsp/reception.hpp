// The tracks of one RTSP session, from RTP packets to the stream.
#pragma once

#include <optional>
#include <vector>

#include "common_time.hpp"
#include "media.hpp"
#include "rtp/batch.hpp"
#include "tapedeck/stream.hpp"

namespace tapedeck::rtsp {

/// Times are microseconds of the steady clock. One thread.
///
/// Until each track has its place beside the others (CommonTime), what comes first is held back, a second long and 4 MB
/// at most: then they lie as they arrive.
class Reception : private rtp::MediaOut {
public:
    /// What is worth to be told of it. Times are 0 where it did not happen.
    struct Facts {
        std::int64_t last_packet_us = 0, last_picture_us = 0, last_key_us = 0;
        std::uint64_t packets = 0, jumps = 0;
        std::int64_t last_jump_us = 0;  // by which a clock jumped
    };

    /// `jitter_us`: how long a lost packet is waited for; 0 where none can come late. `returns`: the stream had tracks
    /// before, so that something is missing in front of the first packets.
    Reception(Context context, std::vector<Medium> media, std::int64_t jitter_us, bool returns);

    const std::vector<Medium>& media() const { return media_; }
    const Facts& facts() const { return facts_; }

    /// RTP's time of each track at the moment when the camera began to play; of no use where one is missing.
    void begin(const std::vector<std::optional<std::uint32_t>>& rtptimes, std::int64_t now_us);
    /// A packet of the track of this number; it lies in `buffer`. What is no RTP or RTCP is passed over.
    void rtp(std::size_t track, ByteSpan packet, const Buffer& buffer, std::int64_t now_us);
    void rtcp(std::size_t track, ByteSpan packet, std::int64_t now_us);
    /// What is whole and in order goes to the stream. After packets, and at each tick. Throws what the sink throws.
    void give(const Sink& sink, std::int64_t now_us);
    /// All there is: nothing comes any more.
    void finish(const Sink& sink, std::int64_t now_us);
    void want_key();

    /// RTCP for the sender of this track, where it is due.
    Bytes report(std::size_t track, std::int64_t now_us);

private:
    struct Line {
        rtp::Receiver receiver;
        std::optional<std::uint32_t> ssrc = std::nullopt;        // of the last packet given
        std::optional<std::uint32_t> rtptime = std::nullopt;     // of RTP-Info
        bool is_first = true;                                    // nothing was given yet
        std::optional<rtp::Report> early_report = std::nullopt;  // that came before the first packet
        std::int64_t last_pts_us = 0, last_given_us = 0, reported_us = 0;
    };

    void track(const td_track& track) override;
    void packet(const td_packet& packet) override;

    bool holds(std::int64_t now_us);
    void hand_over(const Sink& sink);

    std::vector<Medium> media_;
    bool returns_;
    std::int64_t unix_offset_us_ = 0;
    std::vector<Line> lines_;
    std::vector<td_rational> time_bases_;
    CommonTime common_time_;
    rtp::Batch batch_;
    bool is_held_ = true;
    std::int64_t held_since_us_ = 0;  // 0: nothing came yet
    std::size_t held_bytes_ = 0;
    Facts facts_;
    std::uint32_t own_ssrc_;
    std::int64_t now_us_ = 0;
};

}  // namespace tapedeck::rtsp
