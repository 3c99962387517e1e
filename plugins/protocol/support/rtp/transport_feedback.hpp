// Transport-wide congestion control: which packets came, and when
// (draft-holmer-rmcat-transport-wide-cc-extensions-01).
#pragma once

#include <cstdint>
#include <vector>

#include "tapedeck/media/bytes.hpp"

namespace tapedeck::rtp {

/// One feedback message taken apart.
struct TransportFeedback {
    std::uint32_t sender = 0, media = 0;
    std::uint16_t base = 0;  // transport sequence number of the first status
    std::uint8_t count = 0;  // of feedback messages, wraps
    std::int64_t reference_us =
        0;  // multiple of 64 ms, of the receiver's clock, 24 bits signed in these units: it wraps
    /// One for each sequence number from `base` on: microseconds from `reference_us`, or `missing`.
    std::vector<std::int64_t> arrivals_us;

    static constexpr std::int64_t missing = INT64_MIN;
};

/// `body` begins behind the SSRCs. Throws Malformed. At most 65535 statuses, each backed by bits that were sent or by a
/// run of at most 8191.
TransportFeedback parse_transport_feedback(std::uint32_t sender, std::uint32_t media, ByteSpan body);

/// Notes arrivals of all streams of one transport and reports them. One thread.
class TransportFeedbackBuilder {
public:
    /// `sequence` is the header extension's two bytes. What was reported before, or lies absurdly far off, is left out.
    void arrived(std::uint16_t sequence, std::int64_t now_us);
    bool empty() const { return arrivals_us_.empty(); }
    /// Appends RTCP packets for all that arrived since the last time: one, or more where two arrivals lie over 8 s
    /// apart. Every 50 to 100 ms.
    void append(Bytes& into, std::uint32_t sender, std::uint32_t media);

private:
    std::size_t append_one(Bytes& into, std::uint32_t sender, std::uint32_t media, std::size_t from);

    std::int64_t base_ = 0;  // extended sequence number of the first in `arrivals_us_`
    bool started_ = false;
    std::uint8_t count_ = 0;
    std::vector<std::int64_t> arrivals_us_;  // ends with an arrival
};

}  // namespace tapedeck::rtp
