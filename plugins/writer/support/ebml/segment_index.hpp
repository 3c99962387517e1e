// Where the clusters of a file lie, of any writer, finished or not.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "elements.hpp"
#include "found_block.hpp"
#include "source.hpp"

namespace tapedeck::ebml {

/// One cluster. Times are milliseconds.
struct ClusterPlace {
    std::uint64_t blocks = 0, end = 0;  ///< its first block, and behind its last one as far as the file goes
    std::int64_t time = 0;              ///< from which its blocks count
    std::int64_t first_time = 0;        ///< of its first block
    std::uint64_t first_track = 0;
    bool starts_with_key = false;  ///< of video
};

/// A value.
struct SegmentIndex {
    std::string doc_type;                    ///< `webm` or `matroska`
    Bytes entries;                           ///< the content of Tracks
    std::vector<std::uint64_t> video, text;  ///< numbers of these tracks
    std::vector<ClusterPlace> clusters;      ///< never empty
    std::int64_t end = 0;                    ///< of what is shown, as far as the last clusters say

    /// Reads the head and the front of each cluster. Throws Malformed for what is no such file or has no cluster, Error
    /// TD_UNSUPPORTED for clusters without a size and ticks that are no milliseconds.
    static SegmentIndex read(const Source& source);

    /// Where a block at `time` ends. Text makes no file longer.
    std::int64_t end_of(const FoundBlock& block, std::int64_t time) const {
        return std::ranges::count(text, block.head.track) != 0 ? time
                                                               : time + static_cast<std::int64_t>(block.duration);
    }
};

/// Calls `visit(const FoundBlock&, at, time)` for each whole block.
template <class Visit>
void each_block(Window& window, const ClusterPlace& cluster, Visit visit) {
    for (std::uint64_t at = cluster.blocks; at < cluster.end;) {
        const auto header = parse_header(window.at(at, element_look, cluster.end));
        if (!header || header->size > cluster.end - at - header->header_size) return;
        const std::uint64_t next = at + header->header_size + header->size;
        if (const auto block = read_block(window, at, cluster.end)) visit(*block, at, cluster.time + block->head.time);
        at = next;
    }
}

}  // namespace tapedeck::ebml
