// Puts one stream's packets back in order, and asks for what is missing.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "rtp/received.hpp"

namespace tapedeck::rtp {

struct JitterLimits {
    std::int64_t time_us = 400'000;       // that a hole is waited for, from when it was seen
    std::size_t packets = 1024;           // span of sequence numbers held at most
    std::int64_t reorder_us = 10'000;     // that a missing packet may still come by itself, before it is asked for
    std::int64_t begin_us = 0;            // that the first packet waits for others which it overtook
    std::int64_t first_rtt_us = 100'000;  // until a repeated packet tells better
};

/// Packets in order leave at once, but for the first; behind a hole they wait. Times are microseconds of one monotonic
/// clock. After each `insert`, and each 10 ms while `holds`, call `pop` until it gives nothing. One thread.
class JitterBuffer {
public:
    enum class Answer : std::uint8_t {
        taken,
        duplicate,  // held already
        old,        // given before, or given up
        stray       // so far off that a second one must confirm it: the sender began anew (RFC 3550 section A.1)
    };

    explicit JitterBuffer(const JitterLimits& limits = {});

    /// `sequence` of `received` is set here. `repeated`: unpacked from RTX or RED. Such a packet never begins anew, as
    /// senders that probe for bandwidth repeat what is long past.
    Answer insert(Received received, std::int64_t now_us, bool repeated = false);
    /// The next packet in order; `lost` counts those given up before it.
    std::optional<Received> pop(std::int64_t now_us);
    /// Appends the sequence numbers to ask for now (RFC 4585), rising: each again after a round trip, none whose answer
    /// would come too late. Each 10 ms, and after a packet that left a hole.
    void nacks(std::int64_t now_us, std::vector<std::uint16_t>& into);

    bool holds() const { return held_ != 0; }
    /// Smoothed time from a question to its answer.
    std::int64_t rtt_us() const { return rtt_us_; }

private:
    struct Missing {
        std::int64_t sequence = 0;
        std::int64_t seen_us = 0;
        std::int64_t asked_us = 0;
        std::uint32_t asked = 0;
    };

    std::optional<Received>& slot(std::int64_t sequence);
    Answer begin_anew(Received received, std::int64_t now_us);
    void grow(std::size_t span);
    void answered(const Missing& missing, std::int64_t now_us);

    JitterLimits limits_;
    std::vector<std::optional<Received>> ring_;  // a power of two; the packet of `sequence` at its remainder
    std::vector<Missing> missing_;               // between `next_` and `end_`, rising
    std::vector<Received> anew_;                 // left over from before the sender began anew
    bool started_ = false;
    std::int64_t first_us_ = 0;
    std::int64_t next_ = 0;  // to be given
    std::int64_t end_ = 0;   // behind the highest seen
    std::optional<std::uint16_t> stray_;
    std::size_t held_ = 0;
    std::uint32_t lost_ = 0;
    std::int64_t rtt_us_;
};

}  // namespace tapedeck::rtp
