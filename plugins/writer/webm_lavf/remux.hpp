// A torn WebM file read by libavformat, and written anew.
#pragma once

#include <cstdint>

#include "muxer.hpp"

namespace tapedeck::webm_lavf {

struct Content {
    std::uint64_t packets = 0;
    std::int64_t duration_us = 0;
};

/// [blocking] Reads all whole packets. Nothing of a file that is no WebM. Throws what the file throws.
Content content_of(File file);
/// [blocking] Writes them into an empty file, with Cues and Duration. Throws Error.
void remux(File from, File into, const MuxerSettings& settings);

}  // namespace tapedeck::webm_lavf
