// Finds everything whole in a file that was torn anywhere: while recording, by power loss, or half finished.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "layout.hpp"
#include "movie.hpp"
#include "sample_table.hpp"
#include "source.hpp"

namespace tapedeck::mp4 {

/// What a recording needs to be finished. `tables[i]` belongs to `movie.tracks[i]`.
struct Found {
    Movie movie;
    std::vector<SampleTable> tables;
    Layout layout;
    std::uint64_t samples = 0;
};

/// Reads headers and fragment boxes, and of the media only what the last two writes brought, which may hold blocks that
/// never reached the disk. Nothing when the file was not begun by this writer or is torn before its first fragment. The
/// same file gives the same answer before, during and after it was finished.
std::optional<Found> scan(const Source& source);

}  // namespace tapedeck::mp4
