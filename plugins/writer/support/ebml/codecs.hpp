// How Matroska names the codecs, and the decoder setup that it wants for each.
#pragma once

#include <cstdint>

#include "elements.hpp"
#include "tapedeck/abi.h"

namespace tapedeck::ebml {

/// What a TrackEntry says of a track's codec (Matroska codec specification, draft-ietf-cellar-codec).
struct CodecSetup {
    const char* id = "";
    Bytes codec_private;         ///< empty: none
    std::uint64_t delay_ns = 0;  ///< added to every block's time; players take it off again
    std::uint64_t seek_pre_roll_ns = 0;
    double sample_rate = 0;  ///< Hz; 0: video
    double output_rate = 0;  ///< Hz, where it differs; else 0
    std::uint64_t channels = 0;
    std::uint64_t bit_depth = 0;
};

/// Throws Error (TD_UNSUPPORTED) for a codec that Matroska cannot carry and for a config that is missing or broken.
/// PCMA, PCMU, G722 and Speex go in as WAVEFORMATEX (A_MS/ACM); a missing OpusHead or Speex header is made up.
CodecSetup codec_setup(const td_track& track);

}  // namespace tapedeck::ebml
