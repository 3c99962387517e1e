// The sample tables of a finished track: stts, ctts, stss, stsc, stsz, stco or co64 (ISO/IEC 14496-12 §8.6, §8.7).
#pragma once

#include <cstdint>

#include "boxes.hpp"
#include "sample_table.hpp"

namespace tapedeck::mp4 {

/// How the samples are laid on the track's final time line, on which the first decode time is 0.
struct Placement {
    std::int64_t pause = 0;       ///< empty time before the track, in ticks of the track
    std::int64_t media_time = 0;  ///< where the shown part begins
    std::int64_t stretch = 0;     ///< what the first sample lasts longer

    bool operator==(const Placement&) const = default;
};

/// A track that begins late: sound gets a pause before it, of a picture the first one stands from time 0 on, because
/// players seek badly behind a long pause; a duration of 32 bits must hold that. `media_time` is the one of the
/// fragments' time line.
Placement place(const SampleTable& table, bool video, std::int64_t media_time);

/// Appends the boxes, `stsd` excepted, and gives the sum of all sample durations. Each run is one chunk. The table must
/// not be empty. `wide` writes 64-bit positions.
std::uint64_t write_table_boxes(BoxWriter& writer, const SampleTable& table, const Placement& placement, bool video,
                                std::uint64_t data_at, bool wide);

}  // namespace tapedeck::mp4
