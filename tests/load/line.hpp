// One direction of a bad network: loss, delay and reordering from a seed.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>

#include "tapedeck/media/bytes.hpp"

namespace tapedeck::load {

/// Shares are of 1.
struct LineTraits {
    double loss = 0;            // of the packets, each time one is sent
    double reordered = 0;       // of the packets: these come up to 30 ms later than others
    std::int64_t delay_us = 0;  // of all
    std::uint64_t seed = 1;
};

/// Times are microseconds of one monotonic clock. One thread.
class Line {
public:
    explicit Line(const LineTraits& traits) : traits_(traits) {}

    /// Whether datagrams need not be held, so that they can leave where they lie.
    bool is_instant() const { return traits_.delay_us == 0 && traits_.reordered == 0; }
    /// Whether the packet with this number is lost this time. That depends on the seed, the number and how often it was
    /// sent before, and on no clock: each run loses the same.
    bool loses(std::uint64_t number) {
        if (traits_.loss == 0) return false;
        return chance(number << 8 | times_[number]++ % 256) < traits_.loss;
    }
    void hold(ByteSpan datagram, std::int64_t now_us) {
        constexpr double latest_us = 30'000;
        auto at_us = now_us + traits_.delay_us;
        const auto number = count_++ | std::uint64_t{1} << 63;
        if (chance(number) < traits_.reordered) at_us += static_cast<std::int64_t>(chance(~number) * latest_us);
        held_.emplace(at_us, Bytes(datagram.begin(), datagram.end()));
    }
    /// What has arrived by now, or nothing.
    std::optional<Bytes> take(std::int64_t now_us) {
        if (held_.empty() || held_.begin()->first > now_us) return std::nullopt;
        return std::move(held_.extract(held_.begin()).mapped());
    }

private:
    /// From 0 to below 1, by the finaliser of SplitMix64.
    double chance(std::uint64_t number) const {
        auto x = number + traits_.seed * 0x9e3779b97f4a7c15u;
        x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
        x = (x ^ x >> 27) * 0x94d049bb133111ebu;
        x ^= x >> 31;
        return static_cast<double>(x >> 11) * 0x1p-53;
    }

    LineTraits traits_;
    std::unordered_map<std::uint64_t, std::uint64_t> times_;  // that a number was sent
    std::multimap<std::int64_t, Bytes> held_;                 // by time of arrival
    std::uint64_t count_ = 0;
};

}  // namespace tapedeck::load
