// Pictures of each codec in MP4: sample entries and what goes in band (ISO/IEC 14496-15, VP9 and AV1 in ISOBMFF).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "boxes.hpp"
#include "tapedeck/abi.h"

namespace tapedeck::mp4 {

struct PictureSize {
    std::uint32_t width = 0, height = 0;
};

/// H.264, H.265, VP9 or AV1.
bool is_picture_codec(std::uint32_t codec);

/// As the track says it, or else its decoder setup; nothing where neither does. Throws Malformed.
PictureSize picture_size(const td_track& track);

/// The `stsd` entry `avc1`, `hvc1`, `vp09` or `av01` with the decoder setup in its box. NAL lengths are made 4 bytes.
/// Throws Malformed for a setup that cannot be read.
Bytes picture_entry(const td_track& track);
/// Whether the samples of this `stsd` entry are NAL units.
bool has_nal_units(View entry);

/// What of a decoder setup goes in front of key pictures after a change, behind 4-byte lengths; empty for codecs whose
/// key pictures bring it. Throws Malformed.
Bytes parameter_sets(const td_track& track);
/// Where it goes; nothing where the picture brings its own.
std::optional<std::size_t> parameter_sets_place(std::uint32_t codec, View access_unit);

/// The packet as a sample has it.
View sample_of(std::uint32_t codec, View packet);

}  // namespace tapedeck::mp4
