// Which samples make a part of a file, and which bytes of it they lie in.
#pragma once

#include <cstdint>
#include <vector>

#include "movie.hpp"
#include "movie_index.hpp"
#include "sample_table.hpp"

namespace tapedeck::mp4 {

/// From when to when, in microseconds of the file.
struct CutTimes {
    std::int64_t from = 0;
    std::int64_t to = TD_NO_TIME;  ///< TD_NO_TIME: the end of the file
    bool exact = true;             ///< begin with the picture at `from`, not with the key frame before it
};

/// Bytes of the source that are copied as they are: whole blocks, which a file system may share. The next range follows
/// in the part where this one ends.
struct CopiedRange {
    std::uint64_t at = 0, size = 0;
};

/// What final_moov needs for the part. Positions of samples count from the first copied byte.
struct Cut {
    Movie movie;
    std::vector<SampleTable> tables;
    std::vector<CopiedRange> ranges;

    std::uint64_t bytes() const;
};

/// Takes pictures from the key frame before the wanted one on, and one frame of sound more for the decoder; edits hide
/// both. The first picture is moved to the very start, where it is on show already. Costs what the part's samples cost.
/// Throws Error: TD_NOT_FOUND when `from` is not before the end of the file or `to` more than a second behind it,
/// TD_MALFORMED for a sample that is not within `file_size`.
Cut plan_cut(const MovieIndex& index, std::uint64_t file_size, const CutTimes& times);

}  // namespace tapedeck::mp4
