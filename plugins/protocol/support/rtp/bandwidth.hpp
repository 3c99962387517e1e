// How much a sender may send, for senders that leave this to the receiver (REMB): draft-ietf-rmcat-gcc-02.
#pragma once

#include <cstdint>
#include <optional>

namespace tapedeck::rtp {

/// By the growth of the delay (section 5) and by loss (section 6). Rates are bits a second. One thread.
class Bandwidth {
public:
    struct Limits {
        double least = 100'000, start = 1'000'000, most = 8'000'000;
    };

    explicit Bandwidth(const Limits& limits) : limits_(limits), rate_(limits.start) {}

    /// Each packet of the sender: microseconds of its clock when it was sent, of ours when it came; its size.
    void packet(std::int64_t sent_us, std::int64_t now_us, std::size_t bytes);
    /// The share that was lost since the last time, of 256 (RTCP's).
    void loss(std::uint8_t fraction);
    double rate() const { return rate_; }

private:
    enum class Use : std::uint8_t { normal, over, under };

    /// Packets that left in one burst.
    struct Group {
        std::int64_t first_sent_us = 0, last_sent_us = 0, arrival_us = 0;
    };
    /// The gradient of the delay, milliseconds a group (sections 5.3 and 5.4).
    struct Filter {
        double gradient = 0, error = 0.1, variance = 50, threshold = 12.5, before = 0, over_ms = 0;
        unsigned groups = 0;

        Use sample(double delay_ms, double step_ms);
    };

    void count(std::int64_t now_us, std::size_t bytes);
    void control(Use use, std::int64_t now_us);
    void grow(double seconds);
    void fall();

    Limits limits_;
    double rate_;
    std::optional<Group> before_, group_;
    Filter filter_;
    std::int64_t window_us_ = 0;  // in which what comes is counted
    std::size_t counted_ = 0;
    double incoming_ = 0;                    // rate
    std::int64_t last_us_ = 0;               // of `control`
    bool holds_ = false, is_lossy_ = false;  // no growth: after a fall until the queue is empty; at some loss
    double limit_ = 0, limit_variance_ = 0;  // what came when it was too much: mean, and relative to it
};

}  // namespace tapedeck::rtp
