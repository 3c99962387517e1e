// AAC out of RTP: `mpeg4-generic` in the modes AAC-hbr and AAC-lbr (RFC 3640), and `MP4A-LATM` (RFC 6416).
#pragma once

#include <cstdint>
#include <string>

#include "rtp/depacketiser.hpp"
#include "rtp/sdp.hpp"
#include "tapedeck/media/aac.hpp"

namespace tapedeck::rtp {

/// What SDP says of it.
struct AacFormat {
    Bytes config;                                                   // AudioSpecificConfig
    unsigned size_bits = 13, index_bits = 3, index_delta_bits = 3;  // of AU headers
    unsigned latm_units = 0;                                        // in a LATM frame; 0: mpeg4-generic

    /// Throws Malformed, which names what is not known: another mode, interleaving, a config that cannot be read.
    static AacFormat parse(const sdp::Codec& codec);
};

/// Several access units in a packet, or one in several.
class AacDepacketiser : public Depacketiser {
public:
    /// `clock` is RTP's. Throws Malformed.
    AacDepacketiser(Context context, std::uint32_t track, std::uint32_t clock, const AacFormat& format);

    void push(const Received& received, MediaOut& out) override;

private:
    void units(const Received& received, MediaOut& out);
    void latm(const Received& received, MediaOut& out);
    void fragment(const Received& received, std::size_t size, ByteSpan bytes, MediaOut& out);
    void give(std::int64_t pts, std::int64_t wallclock_us, const Buffer& buffer, ByteSpan bytes, MediaOut& out);

    Context context_;
    AacFormat format_;
    Track track_;
    std::int64_t unit_ticks_;
    Unwrapper<32> clock_;
    Bytes fragment_;
    std::int64_t fragment_pts_ = 0;
    bool announced_ = false, gap_ = false;
};

}  // namespace tapedeck::rtp
