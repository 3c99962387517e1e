// From the packets of one stream to its tracks and packets in the canonical form of tapedeck/abi.h.
#pragma once

#include <cstdint>
#include <vector>

#include "rtp/received.hpp"
#include "tapedeck/media/unwrap.hpp"
#include "tapedeck/stream.hpp"

namespace tapedeck::rtp {

/// Takes what a depacketiser gives, inside its call. A packet that is kept longer keeps its buffer by a reference.
class MediaOut {
public:
    virtual ~MediaOut() = default;
    /// Before the first packet, and again when the parameters change.
    virtual void track(const td_track& track) = 0;
    virtual void packet(const td_packet& packet) = 0;
};

/// Packets come in order, each with the number of those lost before it; empty ones are passed over. What could not be
/// put together is left out, and the next packet has TD_PACKET_DISCONTINUITY. One thread.
class Depacketiser {
public:
    virtual ~Depacketiser() = default;
    virtual void push(const Received& received, MediaOut& out) = 0;
    /// Whether pictures up to the next key frame are of no use: ask for one, and again until this is false.
    virtual bool wants_key() const { return false; }
    /// Payloads that broke their format's rules.
    std::uint64_t malformed() const { return malformed_; }

protected:
    std::uint64_t malformed_ = 0;
};

/// Opus (RFC 7587), PCMA, PCMU and G722 (RFC 3551): the payload is the packet and stays where it is.
class AudioDepacketiser : public Depacketiser {
public:
    explicit AudioDepacketiser(const Track& track) : track_(track) {}
    void push(const Received& received, MediaOut& out) override;

private:
    Track track_;
    Unwrapper<32> clock_;
    bool announced_ = false, gap_ = false;
};

/// Tracks with a clock of their own, numbered as they are. Opus has 1 or 2 channels (SDP's `sprop-stereo`), always
/// 48000 Hz; its config is an OpusHead with pre-skip 0, as RTP tells of none.
Track opus_track(std::uint32_t index, std::uint32_t channels);
/// TD_CODEC_PCMA, TD_CODEC_PCMU or TD_CODEC_G722: one channel, a clock of 8000.
Track telephone_track(std::uint32_t index, std::uint32_t codec);

/// The pieces of one picture, where they came, until they are whole. At most 8 MB.
class Picture {
public:
    struct Piece {
        Buffer buffer;
        ByteSpan bytes;
    };

    bool empty() const { return pieces_.empty(); }
    std::size_t size() const { return size_; }
    /// False, and nothing added, when it grew beyond its limits: its bytes, its pieces, or the buffers they hold.
    bool add(const Buffer& buffer, ByteSpan bytes);
    void clear();
    const std::vector<Piece>& pieces() const { return pieces_; }

    std::int64_t timestamp = 0, wallclock_us = TD_NO_TIME;

private:
    std::vector<Piece> pieces_;
    std::size_t size_ = 0, held_ = 0;  // bytes of the pieces, and of the buffers that these keep
};

inline std::uint32_t media_flags(bool key, bool discontinuity) {
    std::uint32_t flags = 0;
    if (key) flags |= TD_PACKET_KEY;
    if (discontinuity) flags |= TD_PACKET_DISCONTINUITY;
    return flags;
}

/// A td_packet around bytes in `buffer`.
td_packet media_packet(std::uint32_t track, std::uint32_t flags, std::int64_t pts, std::int64_t wallclock_us,
                       const Buffer& buffer, ByteSpan bytes);

}  // namespace tapedeck::rtp
