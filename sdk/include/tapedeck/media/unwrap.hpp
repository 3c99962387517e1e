// 64-bit times out of counters that wrap.
#pragma once

#include <cstdint>

namespace tapedeck {

/// Follows one counter of `Bits` bits (RTMP and RTP 32, MPEG-TS 33) and gives it as a number that never wraps. Each
/// value is taken as the one nearest to the last, so steps back and lost values do no harm as long as they stay below
/// half the range.
template <unsigned Bits>
class Unwrapper {
    static_assert(Bits >= 8 && Bits <= 62);

public:
    /// The first value is given as it is.
    std::int64_t operator()(std::uint64_t value) {
        constexpr std::uint64_t range = std::uint64_t{1} << Bits;
        value &= range - 1;
        if (!started_) {
            started_ = true;
            last_ = static_cast<std::int64_t>(value);
            return last_;
        }
        const std::uint64_t forward = (value - static_cast<std::uint64_t>(last_)) & (range - 1);
        last_ += static_cast<std::int64_t>(forward);
        if (forward >= range / 2) last_ -= static_cast<std::int64_t>(range);
        return last_;
    }

    bool started() const { return started_; }
    /// The last result; 0 before the first.
    std::int64_t last() const { return last_; }

private:
    std::int64_t last_ = 0;
    bool started_ = false;
};

}  // namespace tapedeck
