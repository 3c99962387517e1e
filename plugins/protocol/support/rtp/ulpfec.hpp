// Forward error correction of one stream (RFC 5109), whose packets come inside RED.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "rtp/packet.hpp"
#include "tapedeck/context.hpp"

namespace tapedeck::rtp {

/// Rebuilds what is the only one missing of those that an FEC packet protects; the first protection level alone, where
/// that covers a whole packet. After each `media` and `fec` call `recovered` until it gives nothing. One thread.
class Ulpfec {
public:
    explicit Ulpfec(Context context) : context_(context), kept_(window) {}

    struct Recovered {
        Packet packet;
        Buffer buffer;  // that it lies in
    };

    /// A packet of the stream in `buffer`, RED taken off; not out of RTX, whose header extensions are others.
    void media(const Packet& packet, const Buffer& buffer);
    /// The payload of an FEC packet in `buffer`. Throws Malformed.
    void fec(ByteSpan payload, const Buffer& buffer);
    /// As if it had come; its header extensions may be those of another moment.
    std::optional<Recovered> recovered();

private:
    static constexpr std::size_t window = 128, most_waiting = 32;  // packets; FEC packets

    struct Kept {
        Packet packet;
        Buffer buffer;  // none: nothing is kept here
        ByteSpan head;  // CSRCs and extensions
    };
    struct Fec {
        std::uint16_t base = 0;
        std::uint64_t mask = 0;  // bit 47: the packet `base`
        ByteSpan header, protection;
        Buffer buffer;
    };

    struct Missing {
        unsigned count = 0;
        std::uint16_t sequence = 0;  // the last of them
    };

    const Kept* find(std::uint16_t sequence) const;
    Missing missing_of(const Fec& fec) const;
    std::optional<Recovered> rebuild(const Fec& fec, std::uint16_t missing);

    Context context_;
    std::vector<Kept> kept_;    // by the lowest bits of the sequence number
    std::vector<Fec> waiting_;  // the oldest first
    std::uint16_t newest_ = 0;  // sequence number of the media
    std::uint32_t ssrc_ = 0;
    bool looks_again_ = false;
};

}  // namespace tapedeck::rtp
