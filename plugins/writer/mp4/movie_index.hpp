// The index of a finished MP4 file of any writer: its tracks and where their samples lie.
#pragma once

#include <cstdint>
#include <vector>

#include "boxes.hpp"
#include "movie.hpp"
#include "scanner.hpp"
#include "track_index.hpp"

namespace tapedeck::mp4 {

/// One picture or sound track. `head.media_time` and `head.media_end` are what the edit list says, on the time line of
/// the samples; before 0 where the track begins after a pause.
struct IndexedTrack {
    TrackHead head;
    TrackIndex index;

    /// Where what is shown of it ends, on the time line of the samples.
    std::int64_t end_time() const;
    /// A time of the file on the time line of the samples.
    std::int64_t media_time(std::int64_t us) const;
};

/// Keeps the bytes of the moov box; constant, moved but not copied.
class MovieIndex {
public:
    /// Of a finished file, and of one that this writer did not finish: then the index is the one it would get now.
    /// Throws Malformed for what is no MP4 file, Error TD_UNSUPPORTED for fragments of another writer.
    static MovieIndex read(const Source& source);

    /// The payload of `moov`. Tracks of other kinds than pictures and sound are left out. Throws Malformed.
    explicit MovieIndex(Bytes moov);
    MovieIndex(MovieIndex&&) = default;
    MovieIndex& operator=(MovieIndex&&) = default;

    std::uint64_t creation_time() const { return creation_time_; }  ///< seconds since 1904
    const std::vector<IndexedTrack>& tracks() const { return tracks_; }
    /// The length of what is shown, in microseconds.
    std::int64_t duration_us() const;

private:
    Bytes moov_;
    std::uint64_t creation_time_ = 0;
    std::vector<IndexedTrack> tracks_;
};

}  // namespace tapedeck::mp4
