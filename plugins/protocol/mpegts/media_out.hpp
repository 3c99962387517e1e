// Where readers of elementary streams put what they find.
#pragma once

#include <cstdint>

#include "tapedeck/media/bytes.hpp"
#include "tapedeck/stream.hpp"

namespace tapedeck::mpegts {

inline constexpr std::uint32_t video_track = 0, audio_track = 1;

/// Times are in 90 kHz and as they came: 33 bits, or a little beyond where they were derived.
struct Unit {
    std::uint32_t track = 0;
    std::uint32_t flags = 0;  ///< of td_packet
    std::int64_t pts = 0, dts = 0;
};

class MediaOut {
public:
    virtual ~MediaOut() = default;
    virtual void track(const Track& track) = 0;
    /// Room for the payload of the next `unit`.
    virtual std::uint8_t* room(std::size_t size) = 0;
    virtual void unit(const Unit& unit, ByteSpan payload) = 0;
};

}  // namespace tapedeck::mpegts
