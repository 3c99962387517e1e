// What is read out of pictures, and put into them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "elements.hpp"
#include "tapedeck/abi.h"

namespace tapedeck::ebml {

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
