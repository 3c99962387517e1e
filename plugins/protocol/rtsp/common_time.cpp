#include "common_time.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "tapedeck/media/ticks.hpp"

namespace tapedeck::rtsp {

namespace {

constexpr std::int64_t farthest_start_us = 10'000'000;  // cameras begin with a key frame from before
constexpr std::int64_t farthest_us = 2'000'000;         // from where a track arrives; the host believes no more either

}  // namespace

CommonTime::CommonTime(const std::vector<td_rational>& time_bases, bool returns) {
    for (const auto& base : time_bases) {
        lines_.emplace_back().time_base = base;
        lines_.back().is_corrected = returns;
    }
}

/// Some write 0, or times of an earlier session.
void CommonTime::start(std::size_t track, std::int64_t start_us, std::int64_t pts_us) {
    if (!begin_us_) return;
    if (std::abs(pts_us - start_us) > farthest_start_us) return doubt();
    lines_[track].start_us = start_us;
}

void CommonTime::report(std::size_t track, std::int64_t wallclock_us, std::int64_t pts_us) {
    lines_[track].report_us = wallclock_us - pts_us;
    if (is_reported_) return;
    is_reported_ = std::all_of(lines_.begin(), lines_.end(), [](const Line& line) { return line.report_us; });
    if (!is_reported_) return;
    for (auto& line : lines_) {
        if (!line.is_placed) continue;
        line.is_corrected = begin_us_ || is_by_arrival_;
        zero_us_ = *line.report_us - to_us(line.shift, line.time_base);
    }
}

void CommonTime::arrive(std::size_t track, std::int64_t unix_us, std::int64_t pts_us) {
    auto& quickest = lines_[track].arrival_us;
    quickest = std::min(quickest.value_or(INT64_MAX), unix_us - pts_us);
}

void CommonTime::forget(std::size_t track) {
    doubt();
    const auto time_base = lines_[track].time_base;
    lines_[track] = Line();
    lines_[track].time_base = time_base;
    is_reported_ = false;
}

std::int64_t CommonTime::wallclock(const Line& line, std::int64_t told_us, std::int64_t pts_us) const {
    if (is_reported_) return told_us != TD_NO_TIME ? told_us : pts_us + *line.report_us;
    if (begin_us_ && line.start_us) return *begin_us_ + pts_us - *line.start_us;
    if (is_by_arrival_ && line.arrival_us) return pts_us + *line.arrival_us;
    return told_us;
}

void CommonTime::stamp(td_packet& packet) {
    auto& line = lines_[packet.track];
    const auto pts_us = to_us(packet.pts, line.time_base);
    packet.wallclock_us = wallclock(line, packet.wallclock_us, pts_us);
    if (!std::exchange(line.is_placed, true) && packet.wallclock_us != TD_NO_TIME && (is_known() || is_by_arrival_)) {
        if (!zero_us_) zero_us_ = packet.wallclock_us - pts_us;
        const auto off_us = packet.wallclock_us - pts_us - *zero_us_;
        if (std::abs(off_us) < farthest_us) line.shift = to_ticks(off_us, line.time_base);
    }
    packet.pts += line.shift;
    if (packet.dts != TD_NO_TIME) packet.dts += line.shift;
    // A packet without it tells the host that another clock follows, to which it moves at once.
    if (std::exchange(line.is_corrected, false)) packet.wallclock_us = TD_NO_TIME;
}

}  // namespace tapedeck::rtsp
