// Whether a video packet can be what its codec says, judged by its frame alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace tapedeck::host {

/// H.264 and H.265: lengths and NAL units fill the payload, one at least is not empty (ISO/IEC 14496-15 §5.3.4.2.1,
/// lengths of 4 bytes). VP8: the frame header, and of key frames the start code (RFC 6386 section 9.1). Of other codecs
/// everything is taken. Pure; looks at a few bytes of each unit.
bool is_access_unit(std::uint32_t codec, std::span<const std::uint8_t> payload, bool is_key);

}  // namespace tapedeck::host
