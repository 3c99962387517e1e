// Gives a file of clusters its Cues, Duration and sizes, in place.
#pragma once

#include <cstdint>
#include <optional>

#include "index.hpp"
#include "layout.hpp"
#include "tapedeck/file.hpp"

namespace tapedeck::ebml {

/// Its steps, in order; a crash between any two leaves a file that plays and that `scan` reads alike, and the same
/// steps from the start on end in the same bytes:
///   1. what lies behind the last whole block is cut off;
///   2. Cues go into their slot; when it is too small, blocks of the disk are inserted there; where the file refuses,
///      they go behind the clusters. The media is never written again;
///   3. SeekHead, Duration and the size of the Segment.
/// [blocking]
class Finaliser {
public:
    /// Borrows all but the file. `layout` follows what is done to the file, so that after a failure another Finaliser
    /// can start from it.
    Finaliser(File file, const Index& index, Layout& layout) : file_(file), index_(index), layout_(layout) {}

    /// Throws Error. The file is whole and synced afterwards.
    void run();

private:
    void cut_tail();
    bool fits(std::uint64_t cues) const;
    bool make_room(std::uint64_t cues);
    /// Gives where they begin.
    std::uint64_t put_cues();
    void write(std::uint64_t at, View bytes);
    void sync();

    File file_;
    const Index& index_;
    Layout& layout_;
    std::uint64_t end_ = 0;  // of the Segment
};

}  // namespace tapedeck::ebml
