// Times in ticks of a time base.
#pragma once

#include <cstdint>

#include "tapedeck/abi.h"

namespace tapedeck {

/// `value` ticks of `from` in ticks of `to`, rounded to the nearest, halves away from zero; without overflow for any
/// time of this century. TD_NO_TIME stays what it is. Both time bases are positive.
inline std::int64_t rescale(std::int64_t value, td_rational from, td_rational to) {
    if (value == TD_NO_TIME) return TD_NO_TIME;
    const std::int64_t times = std::int64_t{from.num} * to.den;
    const std::int64_t by = std::int64_t{from.den} * to.num;
    const std::int64_t whole = value / by;
    const std::int64_t rest = value % by;
    const std::int64_t half = (rest < 0 ? -by : by) / 2;
    return whole * times + (rest * times + half) / by;
}

/// Ticks of a track's time base in microseconds, and back; TD_NO_TIME stays what it is.
inline std::int64_t to_us(std::int64_t ticks, td_rational time_base) {
    if (time_base.num == 1 && time_base.den == 1000 && ticks != TD_NO_TIME) return ticks * 1000;  // without a division
    return rescale(ticks, time_base, {1, 1'000'000});
}
inline std::int64_t to_ticks(std::int64_t us, td_rational time_base) {
    return rescale(us, {1, 1'000'000}, time_base);
}

}  // namespace tapedeck
