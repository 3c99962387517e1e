// H.264 out of RTP (RFC 6184, packetization modes 0 and 1).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "rtp/decode_times.hpp"
#include "rtp/depacketiser.hpp"

namespace tapedeck::rtp {

/// Single NAL units, STAP-A and FU-A. An access unit ends at its marker, or where the next timestamp begins; after
/// pictures that came in parts with a marker each, markers are not believed any more. The track is announced with the
/// first picture behind SPS and PPS, and again when these change; they stay in the picture, too. dts is given
/// where pictures are reordered.
class H264Depacketiser : public Depacketiser {
public:
    H264Depacketiser(Context context, std::uint32_t track);

    /// A parameter set from outside the stream (SDP's `sprop-parameter-sets`). Throws Malformed.
    void parameter_set(ByteSpan nal);
    void push(const Received& received, MediaOut& out) override;
    bool wants_key() const override { return wants_key_; }

private:
    void payload(const Received& received);
    void whole_nal(const Buffer& buffer, ByteSpan nal);
    void fragment(const Buffer& buffer, ByteSpan payload);
    void add(const Buffer& buffer, ByteSpan body);
    void begin_nal(std::uint8_t header, ByteSpan body);
    void end_nal();
    void end_picture(MediaOut& out);
    void drop_picture();
    bool announce(MediaOut& out);

    /// One NAL unit of the picture under way: its header, then pieces.
    struct Nal {
        std::uint8_t header = 0;
        std::size_t first_piece = 0, pieces = 0, size = 0;
    };

    Context context_;
    Track track_;
    Unwrapper<32> clock_;
    DecodeTimes decode_times_;
    Picture picture_;
    std::vector<Nal> nals_;
    bool nal_open_ = false;
    bool broken_ = false;  // the picture under way
    bool has_slice_ = false, has_idr_ = false, has_sps_ = false;
    bool after_hole_ = false;  // its first packets may be lost
    bool begun_ = false;       // a picture is under way
    bool discontinuity_ = false;
    bool wants_key_ = true;
    bool trusts_marker_ = true;
    bool in_band_ = false;               // parameter sets come in the stream
    std::optional<std::int64_t> given_;  // timestamp of the last picture given at its marker
    std::map<std::uint32_t, Bytes> sps_, pps_;
    std::uint32_t last_sps_ = 0;
    bool sets_changed_ = false, announced_ = false;
};

}  // namespace tapedeck::rtp
