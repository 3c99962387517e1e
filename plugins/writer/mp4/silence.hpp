// Ready-made silent AAC frames for sound that begins late.
#pragma once

#include "boxes.hpp"

namespace tapedeck::mp4 {

/// One raw frame of silence (ISO/IEC 14496-3 §4.4.2) for this AudioSpecificConfig; empty where none is known: anything
/// but AAC-LC without SBR in mono or stereo.
Bytes silent_frame(View audio_specific_config);

}  // namespace tapedeck::mp4
