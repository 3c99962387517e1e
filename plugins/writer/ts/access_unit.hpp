// Pictures of H.264 and H.265 as a byte stream (Annex B of both): start codes, delimiters, parameter sets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tapedeck/abi.h"
#include "tapedeck/media/bytes.hpp"

namespace tapedeck::ts {

/// Of one video track. Not thread-safe.
class AccessUnits {
public:
    /// Reads the track's avcC or hvcC. Throws Malformed.
    explicit AccessUnits(const td_track& track);
    /// New parameters of the same codec; they precede the next picture, whichever it is. Throws Malformed.
    void change(const td_track& track);

    /// Appends the parts of one picture: a delimiter, before a key picture the parameter sets unless it brings its own,
    /// and its NAL units without delimiters. The parts lie in `picture` and in this. Throws Malformed.
    void append(std::vector<ByteSpan>& parts, ByteSpan picture, bool key);

private:
    bool h265_;
    std::size_t length_size_ = 4;
    std::vector<std::uint8_t> parameter_sets_;  // each behind a start code
    bool changed_ = false;
};

}  // namespace tapedeck::ts
