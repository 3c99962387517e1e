// Which blocks make a part of a file, and what stands around them.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "elements.hpp"
#include "segment_index.hpp"

namespace tapedeck::ebml {

/// A part in the order of its bytes: some of its own, then some of the source.
struct CutPiece {
    Bytes bytes;
    std::uint64_t from = 0, size = 0;  ///< in the source
};

/// Times are milliseconds. The part begins with the key picture that is shown at `from` or before it, which gets the
/// time 0; sound begins with it. The format has nothing to hide pictures by. It ends before `to`, but for pictures that
/// a shown one needs. Clusters are taken whole but for the first and the last one; Cues and Duration are the part's
/// own. Throws Error TD_NOT_FOUND when `from` is not within the file or `to` more than a second behind it.
std::vector<CutPiece> plan_cut(const SegmentIndex& index, const Source& source, std::int64_t from,
                               std::optional<std::int64_t> to);

}  // namespace tapedeck::ebml
