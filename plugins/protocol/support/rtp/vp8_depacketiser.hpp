// VP8 out of RTP (RFC 7741).
#pragma once

#include <cstdint>
#include <optional>

#include "rtp/depacketiser.hpp"

namespace tapedeck::rtp {

/// The payload descriptor (section 4.2).
struct Vp8Descriptor {
    bool start = false;  // of a partition
    bool reference = true;
    std::uint8_t partition = 0;
    std::optional<std::uint16_t> picture;  // 7 or 15 bits
    bool is_long_picture = false;          // 15
    std::optional<std::uint8_t> tl0_picture, temporal_layer, key_index;
    ByteSpan payload;
};

/// Throws Malformed.
Vp8Descriptor parse_vp8(ByteSpan bytes);

/// A frame ends at its marker, or where the next timestamp or the next frame begins. The track is announced with the
/// first key frame, which tells its size (RFC 6386 section 9.1), and when the size changes. A hole between two frames
/// whose 15-bit numbers follow each other was none of this stream's: FEC, or packets that only probed.
class Vp8Depacketiser : public Depacketiser {
public:
    Vp8Depacketiser(Context context, std::uint32_t track);
    void push(const Received& received, MediaOut& out) override;
    bool wants_key() const override { return wants_key_; }

private:
    void end_frame(MediaOut& out);
    void drop_frame();
    bool announce(ByteSpan frame, MediaOut& out);
    void begin_frame(const Vp8Descriptor& descriptor, bool is_first);

    Context context_;
    Track track_;
    Unwrapper<32> clock_;
    Picture frame_;
    std::optional<std::uint16_t> picture_;  // number of the last frame that began
    bool maybe_lost_ = false;               // something, since the last frame's end
    bool begun_ = false, broken_ = false, discontinuity_ = false, wants_key_ = true, announced_ = false;
};

}  // namespace tapedeck::rtp
