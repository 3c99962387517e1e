// Where the tracks of a session lie beside each other.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "tapedeck/abi.h"

namespace tapedeck::rtsp {

/// Gives packets one wall clock for all tracks: that of the sender's reports once every track had one, until then what
/// RTP-Info says, if that can be believed. A track whose first packet has it begins at its exact place. Where neither
/// comes in time, the quickest of the packets that were held tell the place. Times are microseconds, those of arrival
/// UNIX time; `pts` is what Receiver gives. One thread.
class CommonTime {
public:
    /// Of each track, in their order. `returns`: the stream goes on from an earlier session, whose clocks had run
    /// apart.
    explicit CommonTime(const std::vector<td_rational>& time_bases, bool returns = false);

    /// RTP-Info came for all tracks: what they have at `unix_us`, about now, is told by `start`.
    void begin(std::int64_t unix_us) { begin_us_ = unix_us; }
    /// A track's first packet has `pts_us`, and the moment of RTP-Info would have `start_us`.
    void start(std::size_t track, std::int64_t start_us, std::int64_t pts_us);
    /// A packet with `pts_us` has this wall clock by sender reports.
    void report(std::size_t track, std::int64_t wallclock_us, std::int64_t pts_us);
    /// A packet with `pts_us` came, and is held.
    void arrive(std::size_t track, std::int64_t unix_us, std::int64_t pts_us);
    /// Whether packets are placed by arrival: those that were held for nothing, and those of the next ten seconds,
    /// until the host knows as well how they arrive.
    void by_arrival(bool on) { is_by_arrival_ = on; }
    /// RTP-Info holds no longer: a clock jumped.
    void doubt() { begin_us_.reset(); }
    /// The track begins anew, with other timestamps.
    void forget(std::size_t track);

    /// Whether every track has its place, also those that did not begin yet.
    bool is_known() const { return lines_.size() < 2 || begin_us_ || is_reported_; }
    /// Sets wallclock_us and moves the times. For all packets, in their order.
    void stamp(td_packet& packet);

private:
    struct Line {
        td_rational time_base{1, 1};
        std::optional<std::int64_t> start_us;    // pts at the moment of RTP-Info
        std::optional<std::int64_t> report_us;   // wall clock at pts 0
        std::optional<std::int64_t> arrival_us;  // at which pts 0 would have come, if as quickly as the quickest
        bool is_placed = false, is_corrected = false;
        std::int64_t shift = 0;  // of all its packets, in ticks
    };

    std::int64_t wallclock(const Line& line, std::int64_t told_us, std::int64_t pts_us) const;

    std::vector<Line> lines_;
    std::optional<std::int64_t> begin_us_;
    std::optional<std::int64_t> zero_us_;  // wall clock at time 0 of all tracks that were placed by it
    bool is_reported_ = false;             // every track is
    bool is_by_arrival_ = false;
};

}  // namespace tapedeck::rtsp
