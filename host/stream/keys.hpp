// Settings of streams.
#pragma once

#include <array>

#include "tapedeck/key.hpp"

namespace tapedeck::host {

inline constexpr Key stream_gop_cache =
    Key::bytes("stream.gop_cache", "8m")
        .about(
            "Most of the current GOP kept of a stream that nobody records or somebody watches, so that a recording on "
            "demand and a viewer begin at the previous key frame; 0 keeps none");
inline constexpr Key stream_max = Key::integer("stream.max", "10000")
                                      .about("Streams at a time; further publishers are refused")
                                      .within(1, 1'000'000)
                                      .reload();
inline constexpr Key stream_play_queue =
    Key::bytes("stream.play_queue", "8m")
        .about("Most that waits for a viewer; one that is slower than that misses what comes up to a key frame")
        .within(64 << 10, 1 << 30)
        .reload();

inline constexpr std::array<const td_key*, 3> stream_keys{&stream_gop_cache, &stream_max, &stream_play_queue};

}  // namespace tapedeck::host
