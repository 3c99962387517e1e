#include "stream/packet.hpp"

namespace tapedeck::host {
namespace {

/// a * b / c, rounded to the nearest, without overflow for any time of this century.
std::int64_t scale(std::int64_t a, std::int64_t b, std::int64_t c) {
    const std::int64_t whole = a / c;
    const std::int64_t rest = a % c;
    const std::int64_t half = (rest < 0 ? -c : c) / 2;
    return whole * b + (rest * b + half) / c;
}

}  // namespace

std::int64_t to_us(std::int64_t ticks, td_rational time_base) {
    if (ticks == TD_NO_TIME) return TD_NO_TIME;
    if (time_base.num == 1 && time_base.den == 1000) return ticks * 1000;  // RTMP, without a division
    return scale(ticks, std::int64_t{1'000'000} * time_base.num, time_base.den);
}

std::int64_t to_ticks(std::int64_t us, td_rational time_base) {
    if (us == TD_NO_TIME) return TD_NO_TIME;
    return scale(us, time_base.den, std::int64_t{1'000'000} * time_base.num);
}

}  // namespace tapedeck::host
