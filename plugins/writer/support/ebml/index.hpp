// What is remembered of the clusters for Cues and Duration.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "elements.hpp"

namespace tapedeck::ebml {

/// One cluster that is in the file. Times are ticks of the file.
struct ClusterFacts {
    std::uint64_t position = 0;  ///< from the first cluster on
    std::uint64_t first_time = 0;
    std::uint64_t first_track = 0;
    bool starts_with_key = false;  ///< of video
    std::uint64_t end = 0;         ///< where its last block ends, as far as the cluster says
};

/// Fed with the same clusters, while recording or by the scanner, it gives the same bytes.
class Index {
public:
    void add(const ClusterFacts& cluster);

    /// The end of the media: what the last two clusters say.
    std::uint64_t duration() const { return std::max(last_end_, previous_end_); }
    bool empty() const { return pictures_.empty() && sounds_.empty(); }
    /// The Cues element: each key picture or, in a file without any, a cluster every two seconds. `data_at`: the first
    /// cluster, from the start of the Segment's content; `wide`: positions in eight bytes instead of four. Where the
    /// clusters lie does not change its size.
    Bytes cues(std::uint64_t data_at, bool wide) const;

private:
    struct Cue {
        std::uint64_t time, position, track;
    };
    std::vector<Cue> pictures_, sounds_;  // of the latter none once there is one of the former
    std::uint64_t last_end_ = 0, previous_end_ = 0;
};

}  // namespace tapedeck::ebml
