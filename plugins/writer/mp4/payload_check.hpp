// Whether a sample's bytes reached the disk before the power went: what never did reads as zeros.
#pragma once

#include "boxes.hpp"

namespace tapedeck::mp4 {

/// NAL units behind 4-byte lengths that fill `sample` exactly, none empty and none with a run of zeros, which emulation
/// prevention (ITU-T H.264 §7.4.1) makes impossible.
bool is_access_unit(View sample);

/// Pictures of other codecs: not empty, and no run of as many zeros as a disk's block has.
bool is_picture(View sample);

/// Not empty and not zeros only.
bool is_sound(View sample);

}  // namespace tapedeck::mp4
