// H.265 out of RTP (RFC 7798, without decoding order numbers).
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "rtp/decode_times.hpp"
#include "rtp/depacketiser.hpp"

namespace tapedeck::rtp {

/// Single NAL units, AP and FU. An access unit ends where the next timestamp begins, or at its marker while no picture
/// turned out to go on behind one. The track is announced with the first picture behind VPS, SPS and PPS, and again
/// when these change; they stay in the picture, too. Pictures that lead a random access point after a hole (RASL) are
/// left out, as what they need is lost. dts is given where pictures are reordered.
class H265Depacketiser : public Depacketiser {
public:
    H265Depacketiser(Context context, std::uint32_t track);

    /// A parameter set from outside the stream (SDP's `sprop-vps` and the like). Throws Malformed.
    void parameter_set(ByteSpan nal);
    void push(const Received& received, MediaOut& out) override;
    bool wants_key() const override { return wants_key_; }

private:
    /// One NAL unit of the picture under way: its header, then pieces.
    struct Nal {
        std::uint16_t header = 0;
        std::size_t first_piece = 0, pieces = 0, size = 0;
        std::uint8_t type() const { return static_cast<std::uint8_t>(header >> 9 & 0x3f); }
    };

    void payload(const Received& received);
    void whole_nal(const Buffer& buffer, ByteSpan nal);
    void fragment(const Buffer& buffer, ByteSpan payload);
    void begin_nal(std::uint16_t header, ByteSpan body);
    void add(const Buffer& buffer, ByteSpan body);
    void end_nal();
    void end_picture(MediaOut& out);
    void give_picture(MediaOut& out);
    void drop_picture();
    bool announce(MediaOut& out);

    Context context_;
    Track track_;
    Unwrapper<32> clock_;
    DecodeTimes decode_times_;
    Picture picture_;
    std::vector<Nal> nals_;
    bool nal_open_ = false, broken_ = false, begun_ = false;
    bool has_slice_ = false, is_key_ = false, is_skipped_leading_ = false;
    bool discontinuity_ = false, wants_key_ = true, trusts_marker_ = true;
    bool leads_are_lost_ = true;                                   // RASL pictures up to the next random access point
    std::int64_t given_ = -1;                                      // timestamp of the last picture given at its marker
    std::map<std::uint8_t, std::map<std::uint32_t, Bytes>> sets_;  // by type, by id
    bool sets_changed_ = false, announced_ = false;
};

}  // namespace tapedeck::rtp
