// The bodies of RTMP's audio and video messages: FLV tags (Adobe's FLV specification 10.1, annex E.4) and Enhanced
// RTMP's four-character codecs (Veovera's specification, version 1 for video, 2 for audio).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tapedeck/abi.h"
#include "tapedeck/media/bytes.hpp"

namespace tapedeck::rtmp::flv {

/// Codec numbers of what only FLV knows.
inline constexpr std::uint32_t sorenson = TD_CODEC('f', 'l', 'v', '1'), screen = TD_CODEC('f', 's', 'v', '1'),
                               screen2 = TD_CODEC('f', 's', 'v', '2'), vp6 = TD_CODEC('v', 'p', '6', 'f'),
                               vp6_alpha = TD_CODEC('v', 'p', '6', 'a'), nellymoser = TD_CODEC('n', 'e', 'l', 'l'),
                               adpcm = TD_CODEC('s', 'w', 'f', 'a'), pcm = TD_CODEC('s', 'o', 'w', 't');

enum class Content : std::uint8_t {
    config,   // the decoder's setup: avcC, AudioSpecificConfig, ...
    frame,    // one access unit or audio frame
    nothing,  // end of sequence, seek marks, metadata of one frame
    unknown   // of a later specification; counted and left out
};

/// One body taken apart. `payload` lies in it.
struct Tag {
    std::uint32_t kind = 0;   // TD_VIDEO, TD_AUDIO
    std::uint32_t codec = 0;  // a TD_CODEC number; 0 when `content` is unknown
    Content content = Content::nothing;
    bool key = false;                             // every audio frame is one
    std::int32_t composition_ms = 0;              // pts - dts
    std::uint32_t sample_rate = 0, channels = 0;  // as far as the tag itself is to be believed
    ByteSpan payload;
};

/// Throws Malformed when the body is shorter than its own header. An empty body is Content::nothing.
Tag parse_video(ByteSpan body);
Tag parse_audio(ByteSpan body);

/// For people and for the names in SDP: `H264`, `AAC`, `SPEEX`, `PCMA`; otherwise the four characters.
std::string codec_name(std::uint32_t codec);

/// One message out of an aggregate (RTMP section 7.1.6), whose times count from the aggregate's own.
struct Part {
    std::uint8_t type = 0;
    std::uint32_t timestamp = 0;  // as written in the part
    ByteSpan body;
};
/// The next part, nothing at the end. Throws Malformed.
std::optional<Part> next_part(ByteReader& aggregate);

}  // namespace tapedeck::rtmp::flv
