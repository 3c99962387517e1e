// AAC frames in ADTS framing (ISO/IEC 13818-7 section 6.2, ISO/IEC 14496-3 section 1.A.2.2).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "tapedeck/media/bytes.hpp"

namespace tapedeck::ts {

/// Frames the raw AAC of one AudioSpecificConfig.
class AdtsFramer {
public:
    /// Throws Malformed, and Error(TD_UNSUPPORTED) for what ADTS cannot say: other object types than 1 to 4, rates
    /// without an index, frames of 960 samples, more than 8 channels. SBR and PS are signalled by the frames
    /// themselves.
    explicit AdtsFramer(ByteSpan config);

    /// Appends the frame behind its header. Throws Malformed when it is longer than 13 bits can say; then nothing is
    /// appended.
    void append(std::vector<std::uint8_t>& into, ByteSpan frame) const;

private:
    std::array<std::uint8_t, 7> header_{};      // without the frame's length
    std::vector<std::uint8_t> program_config_;  // goes before each frame where the header cannot name the channels
};

/// The length of the frame, header included, at the front of `bytes`; nothing when there is none.
std::optional<std::size_t> adts_frame_size(ByteSpan bytes);

}  // namespace tapedeck::ts
