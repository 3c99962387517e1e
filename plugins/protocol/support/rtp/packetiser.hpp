// From packets in the canonical form of tapedeck/abi.h to RTP payloads, once for all viewers of a stream.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "tapedeck/context.hpp"
#include "tapedeck/media/bytes.hpp"

namespace tapedeck::rtp {

/// One RTP payload: a few bytes of its own, then bytes of the media packet where they lie.
struct Payload {
    std::array<std::uint8_t, 4> prefix{};
    std::uint8_t prefix_size = 0;
    bool marker = false;
    std::uint32_t ticks = 0;  // of the RTP clock behind the media packet's own time
    ByteSpan body;
    Buffer buffer;  // keeps `body`

    std::size_t size() const { return prefix_size + body.size(); }
};

/// One track; one thread. A payload has at most the bytes given to the constructor, which must be 100 or more.
class Packetiser {
public:
    virtual ~Packetiser() = default;
    /// The track as it was announced, first and at each change. Throws Malformed.
    virtual void config(ByteSpan /*config*/) {}
    /// Appends the payloads of one packet, each keeping the packet's buffer. Throws Malformed; what was appended goes
    /// out or not, both do no harm.
    virtual void packetise(const td_packet& packet, std::vector<Payload>& into) = 0;
};

/// RFC 6184, packetization mode 1: STAP-A with the parameter sets before a key frame that brings none, single NAL
/// units and FU-A.
class H264Packetiser : public Packetiser {
public:
    H264Packetiser(Context context, std::size_t largest) : context_(context), largest_(largest) {}
    void config(ByteSpan avcc) override;
    void packetise(const td_packet& packet, std::vector<Payload>& into) override;

private:
    Context context_;
    std::size_t largest_;
    std::vector<Payload> sets_;
};

/// RFC 7741 with a picture number of 15 bits.
class Vp8Packetiser : public Packetiser {
public:
    Vp8Packetiser(Context context, std::size_t largest) : context_(context), largest_(largest) {}
    void packetise(const td_packet& packet, std::vector<Payload>& into) override;

private:
    Context context_;
    std::size_t largest_;
    std::uint16_t picture_ = 0;
};

/// Opus (RFC 7587): one payload each. PCMA, PCMU, G722 (RFC 3551): a byte is a tick of their clock of 8000, so that a
/// long packet goes out in parts.
class AudioPacketiser : public Packetiser {
public:
    AudioPacketiser(Context context, std::uint32_t codec, std::size_t largest)
        : context_(context), may_split_(codec != TD_CODEC_OPUS), largest_(largest) {}
    void packetise(const td_packet& packet, std::vector<Payload>& into) override;

private:
    Context context_;
    bool may_split_;
    std::size_t largest_;
};

}  // namespace tapedeck::rtp
