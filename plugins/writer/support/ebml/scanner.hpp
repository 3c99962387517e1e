// Finds everything whole in a file that was torn anywhere: while recording, by power loss, or half finished.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "index.hpp"
#include "layout.hpp"
#include "source.hpp"

namespace tapedeck::ebml {

/// What a recording needs to be finished.
struct Found {
    Layout layout;
    Index index;
    std::string memo;
    std::uint64_t packets = 0;  ///< all of the last two clusters, one of each before them
};

/// Reads the head, the first block of each cluster, and the last two clusters, which may hold disk blocks that were
/// never written. Nothing when the file was not begun by this writer or is torn before its first block. The same file
/// gives the same answer before, during and after it was finished.
std::optional<Found> scan(const Source& source);

}  // namespace tapedeck::ebml
