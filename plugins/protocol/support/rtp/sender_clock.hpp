// The sender's wall clock for each packet, out of its sender reports (RFC 3550 section 6.4.1).
#pragma once

#include <algorithm>
#include <cstdint>

#include "rtp/extend.hpp"
#include "rtp/rtcp.hpp"
#include "tapedeck/abi.h"

namespace tapedeck::rtp {

inline constexpr std::int64_t ntp_to_unix_s = 2'208'988'800;  // from 1900 to 1970

/// 32.32 fixed point seconds since 1900 as UNIX microseconds.
inline std::int64_t unix_us(std::uint64_t ntp) {
    return (static_cast<std::int64_t>(ntp >> 32) - ntp_to_unix_s) * 1'000'000 +
           static_cast<std::int64_t>(((ntp & 0xffffffff) * 1'000'000) >> 32);
}
inline std::uint64_t ntp(std::int64_t unix_us) {
    const auto seconds = static_cast<std::uint64_t>(unix_us / 1'000'000 + ntp_to_unix_s);
    return seconds << 32 | (static_cast<std::uint64_t>(unix_us % 1'000'000) << 32) / 1'000'000;
}

/// The first report sets the clock. Later ones draw it, each by a quarter of what it is off, at most 5 ms in a second,
/// so that times never step; a report that is off by more than a second sets it anew. One stream, one thread.
class SenderClock {
public:
    /// `rate` in Hz, above 0.
    explicit SenderClock(std::uint32_t rate) : rate_(rate) {}

    /// `timestamp` is the last packet's, extended to 64 bit; the report's is the one nearest to it. A report that tells
    /// no time (NTP 0) is passed over.
    void report(const SenderInfo& info, std::int64_t timestamp) {
        if (info.ntp == 0) return;
        const auto at = nearest<32>(timestamp, info.rtp);
        const auto measured = unix_us(info.ntp) - media_us(at);
        const auto off = measured - target_us_;
        if (!started_ || off > step_us || off < -step_us) {
            started_ = true;
            offset_us_ = target_us_ = measured;
            drawn_to_us_ = media_us(timestamp);
            return;
        }
        target_us_ += off / 4;
    }

    /// Capture time in UNIX microseconds, or TD_NO_TIME before the first report.
    std::int64_t wallclock_us(std::int64_t timestamp) {
        if (!started_) return TD_NO_TIME;
        const auto now_us = media_us(timestamp);
        if (now_us > drawn_to_us_) {
            const auto most = (now_us - drawn_to_us_) / 200;
            const auto step = std::clamp(target_us_ - offset_us_, -most, most);
            // Less than a microsecond in one packet must add up.
            if (most > 0) drawn_to_us_ = now_us;
            offset_us_ += step;
        }
        return offset_us_ + now_us;
    }

private:
    static constexpr std::int64_t step_us = 1'000'000;

    std::int64_t media_us(std::int64_t timestamp) const {
        return timestamp / rate_ * 1'000'000 + timestamp % rate_ * 1'000'000 / rate_;
    }

    std::int64_t rate_;
    bool started_ = false;
    std::int64_t offset_us_ = 0, target_us_ = 0;  // wall clock at timestamp 0: as given, as measured
    std::int64_t drawn_to_us_ = 0;                // media time up to which `offset_us_` followed
};

}  // namespace tapedeck::rtp
