// Puts the tracks of one stream on one time line that never falls back.
#pragma once

#include <cstdint>
#include <optional>

#include "stream/by_track.hpp"
#include "stream/packet.hpp"

namespace tapedeck::host {

/// Repairs what sources do to their clocks (R35). A jump of more than a second that arrival times do not match, in
/// either direction, is closed, so that the media stays contiguous; a pause that they match is kept. Tracks that share
/// a clock are moved together.
///
/// Tracks with clocks of their own (RTP) are put beside each other by when they arrive, and once their sender's wall
/// clock is known for both, by that: from the first packet on where it has one, else at once, then by 5 ms in a second
/// at most (containers.md 5.3). Sound stays as it is and the pictures move. A wall clock that is two seconds away from
/// the arrivals is not believed. Not thread-safe; lives with its stream.
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
        std::int64_t shift_us = 0;  ///< placed - source, but for what its clock was drawn
        std::int64_t last_dts = 0;  ///< ticks of
        td_rational time_base{1, 1};
    };
    /// What td_track.clock numbers.
    struct Source {
        bool started = false;
        std::int64_t newest_shift_us = 0;     ///< of its lines
        std::int64_t drawn_us = 0;            ///< by how much all of them were moved beside the leading clock
        std::int64_t drawn_to_us = 0;         ///< source time up to which that was done
        std::int64_t arrival_zero_us = 0;     ///< when its time 0 would have arrived, where nothing had delayed it
        std::optional<std::int64_t> zero_us;  ///< its time 0 by the sender's wall clock
        bool is_aligned = false;              ///< by wall clocks

        std::int64_t shift_us() const { return newest_shift_us + drawn_us; }
    };

    /// Where the tracks of a clock are at this arrival, or those of all others; nothing while none has begun.
    std::optional<std::int64_t> now_of(std::uint32_t clock, std::int64_t arrival_us) const;
    std::optional<std::int64_t> now_beside(std::uint32_t clock, std::int64_t arrival_us) const;
    void begin(Line& line, Source& source, const td_track& track, std::int64_t arrival_us, std::int64_t wallclock_us);
    void begin_by_wallclock(Source& source, std::int64_t zero_us);
    void close_jump(Line& line, Source& source, std::int64_t arrival_us);
    void learn(Source& source, const Line& line, std::int64_t wallclock_us);
    void forget_wallclock(Source& source);
    void draw(Source& source, const Line& line);

    ByTrack<Line> lines_;
    ByTrack<Source> sources_;             ///< by td_track.clock
    std::optional<std::uint32_t> leads_;  ///< the clock that the others follow: the first with sound, else the first
    bool sound_leads_ = false;
    std::uint64_t jumps_ = 0;
};

}  // namespace tapedeck::host
