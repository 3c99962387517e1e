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

}  // namespace tapedeck::ebml
