// Lays the packets of one track on the ticks that the file counts in.
#pragma once

#include <cstdint>

#include "tapedeck/abi.h"

namespace tapedeck::mp4 {

/// Video keeps the ticks of its source. Sound is counted in samples: a frame lasts exactly as many as it holds as long
/// as the source's times stay within 10 ms of that, or within 1 ms where they count samples already, so that times in
/// milliseconds leave no trace; a real gap stays one.
class Timeline {
public:
    /// `frame`: ticks of a frame of sound, 0 for video.
    Timeline(td_rational time_base, std::uint32_t timescale, std::uint32_t frame)
        : time_base_(time_base), timescale_(timescale), frame_(frame) {}

    struct Stamp {
        std::int64_t decode = 0;
        std::int64_t end = 0;          ///< where the next sample is due
        std::int32_t composition = 0;  ///< never negative
    };
    /// Decode times rise from packet to packet, whatever the source says.
    Stamp place(const td_packet& packet);

private:
    std::int64_t ticks(std::int64_t time) const;

    td_rational time_base_;
    std::int64_t timescale_, frame_;
    bool started_ = false;
    std::int64_t last_ = 0, next_ = 0;
};

}  // namespace tapedeck::mp4
