// One track towards one viewer: numbers its packets, repeats what was lost, and reports.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "rtp/packet.hpp"
#include "rtp/packetiser.hpp"
#include "rtp/rtcp.hpp"

namespace tapedeck::rtp {

struct SenderSetup {
    std::uint32_t ssrc = 0;
    std::uint8_t payload_type = 0;
    std::optional<std::uint32_t> rtx_ssrc;  // none: repeated as it was (RFC 4585)
    std::uint8_t rtx_payload_type = 0;
    std::uint16_t first_sequence = 0, first_rtx_sequence = 0;  // random
    std::size_t history = 512;                                 // packets kept to be repeated, a power of two
    std::int64_t history_us = 1'000'000;                       // and for how long
};

/// Keeps references to what it sent, not copies. Datagrams are written into the caller's memory of `room` bytes or
/// more. Times are microseconds of one monotonic clock. One thread.
class Sender {
public:
    explicit Sender(const SenderSetup& setup);
    /// Another codec on the same SSRC: its payload types, and whether there is RTX. The numbers go on; what was sent is
    /// not repeated any more.
    void change(const SenderSetup& setup);

    std::size_t room(const Payload& payload, std::span<const Extension> extensions) const {
        return written_size(extensions) + 2 + payload.size();
    }
    /// Writes the next packet and gives its size. `timestamp`: the media packet's, in the RTP clock; the payload's
    /// ticks are added here.
    std::size_t write(std::span<std::uint8_t> into, const Payload& payload, std::uint32_t timestamp,
                      std::span<const Extension> extensions, std::int64_t now_us);
    /// The payload to be repeated for a NACK, so that `room` can be asked; null when it is gone, or was repeated within
    /// the last round trip or 20 ms, or five times: what a viewer asks for costs no more than that.
    const Payload* lost(std::uint16_t sequence, std::int64_t now_us, std::int64_t rtt_us);
    /// Writes it again, as RTX (RFC 4588) where that was set up. Only after `lost` gave it.
    std::size_t repeat(std::span<std::uint8_t> into, std::uint16_t sequence, std::span<const Extension> extensions,
                       std::int64_t now_us);
    /// For a sender report: `timestamp` is the moment `unix_us` in the RTP clock.
    SenderInfo info(std::int64_t unix_us, std::uint32_t timestamp) const;

private:
    struct Sent {
        Payload payload;
        std::uint32_t timestamp = 0;
        std::int64_t sent_us = 0, repeated_us = INT64_MIN / 2;
        unsigned repeats = 0;
    };

    Sent& sent(std::uint16_t sequence) { return history_[sequence & (history_.size() - 1)]; }
    void forget_old(std::int64_t now_us);

    SenderSetup setup_;
    std::vector<Sent> history_;
    std::uint16_t next_, oldest_, next_rtx_;
    std::uint32_t packets_ = 0, octets_ = 0;
};

}  // namespace tapedeck::rtp
