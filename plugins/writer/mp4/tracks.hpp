// What the file says of a track before its samples: sample entries (ISO/IEC 14496-12 §8.5.2, -14 §5.6; pictures.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "boxes.hpp"
#include "tapedeck/abi.h"

namespace tapedeck::mp4 {

/// Made of a td_track while recording and read back from the init moov after a crash; both give the same final file.
struct TrackHead {
    std::uint32_t id = 1;  ///< track_ID; 1, 2, ...
    bool video = false;
    bool enabled = true;  ///< the first of its kind, which players choose
    std::uint32_t timescale = 0;
    std::uint32_t width = 0, height = 0;  ///< of the first picture
    std::uint32_t frame = 0;              ///< usual duration of a sample in ticks; 0: none
    std::uint16_t language = 0;           ///< three letters of 5 bits
    std::string name;
    std::int64_t media_time = 0;         ///< where time 0 of the recording lies on the track's own time line
    std::int64_t media_end = INT64_MAX;  ///< where what is shown ends there, at the latest
    std::vector<Bytes> entries;          ///< of `stsd`, whole boxes; never empty

    /// The number of this entry in `stsd`, from 1 on; appends it when it is new.
    std::uint32_t add_entry(View entry);
};

/// The head of a new track without name for humans where `track.label` is empty. Throws Error: TD_UNSUPPORTED for a
/// codec that does not go into MP4, TD_MALFORMED for a config that cannot be read.
TrackHead make_head(const td_track& track, std::uint32_t id, bool enabled);

/// The `stsd` entry of this track. Throws as `make_head`.
Bytes make_entry(const td_track& track);

/// The `mp4a` entry with its `esds`, all descriptor lengths exact.
Bytes mp4a_entry(std::uint32_t channels, std::uint32_t sample_rate, View audio_specific_config);

}  // namespace tapedeck::mp4
