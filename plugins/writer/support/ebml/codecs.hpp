// How Matroska names the codecs, and the decoder setup that it wants for each.
#pragma once

#include <cstdint>
#include <optional>

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

struct PictureSize {
    std::uint32_t width = 0, height = 0;
};
/// The size that a key frame of VP8 (RFC 6386 section 9.1) or VP9 (bitstream specification section 6.2) begins with, or
/// that an avcC says; nothing where it cannot be read. Never throws.
std::optional<PictureSize> picture_size(std::uint32_t codec, View config, View key_frame);

/// The parameter sets of an avcC as NAL units behind 4-byte lengths; empty when it cannot be read.
Bytes parameter_sets(View avcc);
/// Where in a key frame they belong: behind the access unit delimiter. Nothing when it has some of its own.
std::optional<std::size_t> parameter_sets_place(View access_unit);

}  // namespace tapedeck::ebml
