// Puts the tracks of one stream on one time line that never falls back.
#pragma once

#include <cstdint>
#include <optional>

#include "stream/by_track.hpp"
#include "stream/packet.hpp"

namespace tapedeck::host {

/// Repairs what sources do to their clocks (R35). A jump of more than a second that arrival times do not match, in
/// either direction, is closed, so that the media stays contiguous; a pause that they match is kept. Tracks that share
/// a clock are moved together. Not thread-safe; lives with its stream.
class Clock {
public:
    /// Gives `packet` its place: dts strictly rising in its track, pts not before dts. `arrival_us` is any steady
    /// clock.
    void place(td_packet& packet, const td_track& track, std::int64_t arrival_us);

    /// How many jumps were closed.
    std::uint64_t jumps() const { return jumps_; }

private:
    struct Line {
        bool started = false;
        std::uint32_t clock = 0;
        std::int64_t source_us = 0;  ///< of the last packet, as the source gave it
        std::int64_t placed_us = 0;  ///< the same, on the stream's line
        std::int64_t arrival_us = 0;
        std::int64_t step_us = 0;   ///< from the packet before to the last one
        std::int64_t shift_us = 0;  ///< placed - source
        std::int64_t last_dts = 0;  ///< ticks of
        td_rational time_base{1, 1};
    };

    /// Where the tracks of a clock are at this arrival; nothing while none has begun.
    std::optional<std::int64_t> now_of(std::uint32_t clock, std::int64_t arrival_us);

    ByTrack<Line> lines_;
    ByTrack<std::int64_t> newest_shift_;  ///< by td_track.clock
    std::uint64_t jumps_ = 0;
};

}  // namespace tapedeck::host
