// When to ask for a key frame.
#pragma once

#include <algorithm>
#include <cstdint>

namespace tapedeck::rtp {

/// At once when one is wanted, then again with back-off, as requests and their answers get lost and an encoder that is
/// asked too often sends nothing else. One thread.
class KeyRequests {
public:
    /// Whether a PLI or FIR goes out now. Ask with each packet, or each 10 ms.
    bool due(bool wanted, std::int64_t now_us, std::int64_t rtt_us) {
        if (!wanted) {
            pause_us_ = 0;
            return false;
        }
        if (now_us < last_us_ + std::max(pause_us_, shortest_us)) return false;
        last_us_ = now_us;
        pause_us_ = std::clamp(pause_us_ * 2, std::max(2 * rtt_us, shortest_us), longest_us);
        return true;
    }

private:
    static constexpr std::int64_t shortest_us = 200'000, longest_us = 3'000'000;

    std::int64_t last_us_ = -shortest_us, pause_us_ = 0;
};

}  // namespace tapedeck::rtp
