#include "index.hpp"

namespace tapedeck::ebml {
namespace {

constexpr std::uint64_t between_cues = 2000;  // ticks, where there is no video

}  // namespace

void Index::add(const ClusterFacts& cluster) {
    previous_end_ = last_end_;
    last_end_ = cluster.end;
    const Cue cue{cluster.first_time, cluster.position, cluster.first_track};
    if (cluster.starts_with_key)
        pictures_.push_back(cue);
    else if (pictures_.empty() && (sounds_.empty() || cue.time >= sounds_.back().time + between_cues))
        sounds_.push_back(cue);
}

Bytes Index::cues(std::uint64_t data_at, bool wide) const {
    std::vector<Cue> sorted = pictures_.empty() ? sounds_ : pictures_;
    std::ranges::stable_sort(sorted, {}, &Cue::time);
    Bytes points, point, positions;
    for (const Cue& cue : sorted) {
        positions.clear();
        ElementWriter inner(positions);
        inner.number(id_cue_track, cue.track);
        inner.number(id_cue_cluster_position, data_at + cue.position, wide ? 8 : 4);
        point.clear();
        ElementWriter outer(point);
        outer.number(id_cue_time, cue.time);
        outer.binary(id_cue_track_positions, positions);
        ElementWriter(points).binary(id_cue_point, point);
    }
    Bytes out;
    ElementWriter writer(out);
    writer.header(id_cues, points.size(), 8);
    out.insert(out.end(), points.begin(), points.end());
    return out;
}

}  // namespace tapedeck::ebml
