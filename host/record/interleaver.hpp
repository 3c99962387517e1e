// Puts the packets of a stream's tracks into one order and gives each its duration.
#pragma once

#include <cstdint>
#include <vector>

#include "record/fifo.hpp"
#include "stream/by_track.hpp"
#include "stream/packet.hpp"

namespace tapedeck::host {

/// The time base in which a track leaves the interleaver.
struct Grid {
    td_rational time_base;
    std::int64_t frame_ticks = 0;  ///< of AAC: packets lie on a grid of whole frames; 0: no grid
};
Grid grid_of(const TrackSpec& track);
/// The track as it leaves the interleaver. Its config is that of `track`.
td_track track_on_grid(const TrackSpec& track);

/// A track's last packet is held back until its successor tells the duration; a track that lags more than 0.3 s no
/// longer holds up the others. AAC comes out in ticks of its sample rate, whole frames on a grid, so that a clock of
/// milliseconds leaves no trace; every other track in its own time base. Data waits for no successor: it is to be shown
/// for two seconds, and takes no time of the recording. Not thread-safe; lives on its recorder.
class Interleaver {
public:
    /// A packet whose dts, pts and duration are final.
    struct Timed {
        Packet packet;
        td_rational time_base;  ///< of pts, dts and duration in `packet`
        std::int64_t order_us;  ///< when it is shown; of video: decoded plus the constant delay of reordering
        std::int64_t pts_us;
        std::int64_t duration_us;
        bool gap_before;                    ///< something is missing before it
        const TrackSpec* source = nullptr;  ///< of what a transform made: the track that it was made of
    };

    void push(Packet packet);
    /// Takes out, in order, what is complete.
    void drain(std::vector<Timed>& into);
    /// The end: the held packets too, with the duration of the one before.
    void finish(std::vector<Timed>& into);

private:
    struct Lane {
        const TrackSpec* spec = nullptr;
        Grid grid{{1, 1000}};
        std::int64_t next_dts = 0;       ///< where the grid goes on
        std::int64_t last_duration = 0;  ///< ticks
        bool started = false;
        Fifo<Timed> waiting;  ///< the last one has no duration yet
    };

    void adopt(Lane& lane, const TrackSpec* spec);
    void settle(Lane& lane, std::int64_t next_dts);
    Lane* earliest();

    ByTrack<Lane> lanes_;
    std::int64_t reorder_us_ = 0;  // pts - dts of the last key picture
    std::int64_t newest_us_ = TD_NO_TIME;
};

}  // namespace tapedeck::host
