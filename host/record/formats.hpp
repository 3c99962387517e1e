// The setting that says which container a codec goes into, as a value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tapedeck::host {

/// The codec's name in file names, `record_formats` and REST: `H264`, `VP8`, `AAC`, `OPUS`, ...; of an unknown one its
/// four characters.
std::string codec_name(std::uint32_t codec);

/// `video`, `audio`, `data`: of a td_track.kind, for the log.
std::string_view kind_name(std::uint32_t kind);

/// Video of this codec goes into this container.
struct Format {
    std::uint32_t codec;
    std::string container;  ///< in lower case
    std::string text;       ///< the pair as it was written
};
struct Formats {
    std::vector<Format> pairs;
    std::vector<std::string> problems;  ///< a sentence for each part that is no pair
};
/// `h264-mp4, vp8-webm` (R5): in any case, spaces between them.
Formats parse_formats(std::string_view text);

}  // namespace tapedeck::host
