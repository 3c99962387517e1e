// Whether a source can be asked to wait.
#pragma once

#include <algorithm>
#include <cstdint>

namespace tapedeck::host {

/// Compares the times of packets with their arrival. A burst at the start, or a clock that is a little fast, becomes
/// usual with time; a file that is pushed faster than real time keeps gaining. Not thread-safe.
class Pace {
public:
    /// Both in microseconds. Whether the newest packet is two seconds or more ahead of what is usual.
    bool is_ahead(std::int64_t packet_us, std::int64_t arrival_us) {
        const std::int64_t lead = packet_us - arrival_us;
        usual_ = first_ ? lead : std::min(lead, usual_ + (arrival_us - last_arrival_) / 2);
        first_ = false;
        last_arrival_ = arrival_us;
        return lead - usual_ >= ahead_us;
    }

private:
    static constexpr std::int64_t ahead_us = 2'000'000;

    bool first_ = true;
    std::int64_t usual_ = 0, last_arrival_ = 0;
};

}  // namespace tapedeck::host
