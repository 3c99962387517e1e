// What one receiver reports of one stream (RFC 3550 sections 6.4 and A.1, A.3, A.8).
#pragma once

#include <cstdint>
#include <optional>

#include "rtp/packet.hpp"
#include "rtp/rtcp.hpp"

namespace tapedeck::rtp {

/// Times are microseconds of one monotonic clock. One thread.
class ReceiveStatistics {
public:
    /// `clock` in Hz.
    ReceiveStatistics(std::uint32_t ssrc, std::uint32_t clock) : ssrc_(ssrc), clock_(clock) {}

    /// Every packet as it comes, except retransmissions (RFC 4588 section 4).
    void packet(const Packet& packet, std::int64_t now_us);
    void sender_report(const SenderInfo& info, std::int64_t now_us);
    /// The block for the next report, where there was a packet; the fraction lost counts from the report before.
    std::optional<ReportBlock> report(std::int64_t now_us);

private:
    void begin(std::int64_t sequence);

    std::uint32_t ssrc_, clock_;
    std::int64_t first_ = -1, highest_ = 0, received_ = 0;  // extended sequence numbers, packets
    std::int64_t expected_before_ = 0, received_before_ = 0;
    std::optional<std::uint16_t> stray_;
    std::uint32_t last_transit_ = 0, jitter_16_ = 0;  // ticks; the jitter 16 times
    std::uint32_t last_sr_ = 0;
    std::int64_t sr_us_ = 0;
};

}  // namespace tapedeck::rtp
