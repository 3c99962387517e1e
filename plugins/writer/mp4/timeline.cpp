#include "timeline.hpp"

#include <algorithm>
#include <cstdlib>
#include <limits>

namespace tapedeck::mp4 {

std::int64_t Timeline::ticks(std::int64_t time) const {
    if (time_base_.den == timescale_) return time * time_base_.num;
    const __int128 scaled = static_cast<__int128>(time) * time_base_.num * timescale_;
    const __int128 half = scaled < 0 ? -time_base_.den / 2 : time_base_.den / 2;
    return static_cast<std::int64_t>((scaled + half) / time_base_.den);
}

Timeline::Stamp Timeline::place(const td_packet& packet) {
    const std::int64_t dts = packet.dts == TD_NO_TIME ? packet.pts : packet.dts;
    const bool counts_samples = time_base_.num == 1 && time_base_.den == timescale_;
    const std::int64_t tolerance = frame_ == 0 ? 0 : timescale_ / (counts_samples ? 1000 : 100);
    Stamp stamp;
    stamp.decode = ticks(dts);
    if (started_ && std::abs(stamp.decode - next_) <= tolerance) stamp.decode = next_;
    if (started_) stamp.decode = std::max(stamp.decode, last_ + 1);

    const std::int64_t duration = packet.duration == TD_NO_TIME ? 0 : packet.duration;
    stamp.end = duration > 0 || frame_ == 0 ? ticks(dts + duration) : stamp.decode + frame_;
    if (frame_ != 0 && std::abs(stamp.end - stamp.decode - frame_) <= tolerance) stamp.end = stamp.decode + frame_;
    stamp.end = std::max(stamp.end, stamp.decode + 1);

    const std::int64_t composition = frame_ != 0 ? 0 : ticks(packet.pts) - stamp.decode;
    stamp.composition =
        static_cast<std::int32_t>(std::clamp<std::int64_t>(composition, 0, std::numeric_limits<std::int32_t>::max()));
    started_ = true;
    last_ = stamp.decode;
    next_ = stamp.end;
    return stamp;
}

}  // namespace tapedeck::mp4
