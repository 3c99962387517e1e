// The two moov boxes: the init moov in front of the fragments and the final one with all tables.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "boxes.hpp"
#include "sample_table.hpp"
#include "tracks.hpp"

namespace tapedeck::mp4 {

/// Ticks of the movie's own time line in a second; edits are exact to a hundredth of a millisecond.
constexpr std::uint32_t movie_timescale = 90000;
/// Seconds from 1904-01-01 to 1970-01-01.
constexpr std::uint64_t mac_epoch = 2082844800;

/// All that a file says but for its samples.
struct Movie {
    std::uint64_t creation_time = mac_epoch;  ///< seconds since 1904
    std::string memo;                         ///< the host's note, given back by recovery
    std::vector<TrackHead> tracks;
};

/// The file type box: 32 bytes.
Bytes file_type();

/// Tracks with empty tables, `mvex`, edits of unknown length, and the memo in a `uuid` box. A multiple of 8 bytes long.
Bytes init_moov(const Movie& movie);

/// A track that joins after the init moov: what that would have said of it, as a private box.
void write_joined_track(BoxWriter& writer, const Movie& movie, const TrackHead& track);
/// The track, when `payload` is that of such a box.
std::optional<TrackHead> parse_joined_track(View payload);

/// Reads what `init_moov` wrote, without the box's own header. Nothing when it is something else.
std::optional<Movie> parse_init_moov(View payload);

/// The final moov. `tables[i]` belongs to `movie.tracks[i]`; tracks without samples are left out. Positions of samples
/// count from `data_at`. `wide_offsets` writes `co64`.
Bytes final_moov(const Movie& movie, std::span<const SampleTable> tables, std::uint64_t data_at, bool wide_offsets);

/// Length of what is shown, in microseconds from time 0 of the recording.
std::int64_t shown_duration_us(const Movie& movie, std::span<const SampleTable> tables);

}  // namespace tapedeck::mp4
