#include "stream/clock.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace tapedeck::host {
namespace {

constexpr std::int64_t strange_start_us = 10'000'000;
constexpr std::int64_t jump_us = 1'000'000;               ///< smaller steps are taken as they are
constexpr std::int64_t strange_wallclock_us = 2'000'000;  ///< away from where arrival puts a track
constexpr std::int64_t quickest_draw = 2;                 ///< half of the time, so that pictures keep apart
constexpr std::int64_t slowest_draw = 200;                ///< a two hundredth of the time: 5 ms in a second

/// Whether the source's step is what passed in reality: within a second and a tenth of it.
bool confirmed(std::int64_t step, std::int64_t arrival_step) {
    return std::abs(step - arrival_step) <= jump_us + arrival_step / 10;
}

}  // namespace

std::optional<std::int64_t> Clock::now_of(std::uint32_t clock, std::int64_t arrival_us) const {
    for (const auto& [index, line] : lines_) {
        if (line.started && line.clock == clock && line.arrival_us != 0) {
            return line.placed_us + (arrival_us - line.arrival_us);
        }
    }
    return std::nullopt;
}

std::optional<std::int64_t> Clock::now_beside(std::uint32_t clock, std::int64_t arrival_us) const {
    for (const auto& [other, source] : sources_) {
        if (other == clock) continue;
        if (const auto now_us = now_of(other, arrival_us)) return now_us;
    }
    return std::nullopt;
}

/// Sound and picture that arrive together belong together, wherever their sender began to count.
void Clock::begin(Line& line, Source& source, const td_track& track, std::int64_t arrival_us,
                  std::int64_t wallclock_us) {
    if (!source.started) {
        source.started = true;
        if (const auto now_us = now_beside(track.clock, arrival_us)) source.newest_shift_us = *now_us - line.source_us;
        if (wallclock_us != TD_NO_TIME) begin_by_wallclock(source, wallclock_us - line.source_us);
        source.arrival_zero_us = arrival_us - line.source_us;
        source.drawn_to_us = line.source_us;
    } else if (const auto now_us = now_of(track.clock, arrival_us)) {
        if (std::abs(line.source_us + source.shift_us() - *now_us) > strange_start_us) {
            source.newest_shift_us = *now_us - line.source_us - source.drawn_us;
            ++jumps_;
        }
    }
    if (!leads_ || (track.kind == TD_AUDIO && !sound_leads_)) {
        leads_ = track.clock;
        sound_leads_ = track.kind == TD_AUDIO;
        for (auto& [clock, other] : sources_) other.is_aligned = false;
    }
    line.started = true;
    line.clock = track.clock;
    line.shift_us = source.newest_shift_us;
}

/// Exactly beside another clock of the same sender, where its wall clock is known from the first packet on.
void Clock::begin_by_wallclock(Source& source, std::int64_t zero_us) {
    for (const auto& [clock, other] : sources_) {
        if (!other.zero_us) continue;
        const auto shift_us = other.shift_us() + zero_us - *other.zero_us;
        if (std::abs(shift_us - source.newest_shift_us) < strange_wallclock_us) source.newest_shift_us = shift_us;
        return;
    }
}

void Clock::close_jump(Line& line, Source& source, std::int64_t arrival_us) {
    auto expected = line.placed_us + std::max<std::int64_t>(line.step_us, 1);
    // Another track of this clock has jumped already: follow it, so that both stay together.
    const bool follows =
        source.newest_shift_us != line.shift_us && std::abs(line.source_us + source.shift_us() - expected) < jump_us;
    if (!follows) {
        // Tracks of other clocks have gone on meanwhile: it was silent, and begins to count from elsewhere.
        const auto now_us = now_beside(line.clock, arrival_us);
        if (now_us && *now_us > expected + jump_us) expected = *now_us;
        source.newest_shift_us = expected - line.source_us - source.drawn_us;
        source.arrival_zero_us = arrival_us - line.source_us;
        source.drawn_to_us = line.source_us;
        forget_wallclock(source);
        ++jumps_;
    }
    line.shift_us = source.newest_shift_us;
}

/// The sender began anew: the next one gives the tracks their places again.
void Clock::forget_wallclock(Source& source) {
    source.zero_us.reset();
    for (auto& [clock, other] : sources_) other.is_aligned = false;
}

/// The quickest of the packets tell when a time arrives where nothing delays it; the slow rise follows a clock that
/// drifts.
void Clock::learn(Source& source, const Line& line, std::int64_t wallclock_us) {
    constexpr std::int64_t down = 16, up = 1024, most_us = 100'000;
    const auto late = line.arrival_us - line.source_us - source.arrival_zero_us;
    source.arrival_zero_us += late < 0 ? late / down : std::min(late, most_us) / up;
    if (wallclock_us != TD_NO_TIME) {
        source.zero_us = wallclock_us - line.source_us;
    } else if (source.zero_us) {
        forget_wallclock(source);
    }
}

/// Moves the tracks of this clock towards their place beside the leading one.
void Clock::draw(Source& source, const Line& line) {
    const Source& leading = sources_[*leads_];
    const auto by_arrival = source.arrival_zero_us - leading.arrival_zero_us;
    auto apart = by_arrival;
    bool is_new = false;
    if (source.zero_us && leading.zero_us) {
        const auto by_wallclock = *source.zero_us - *leading.zero_us;
        if (std::abs(by_wallclock - by_arrival) < strange_wallclock_us) {
            apart = by_wallclock;
            is_new = !source.is_aligned;
        }
    }
    const auto off = leading.shift_us() + apart - source.shift_us();
    const auto passed = std::max<std::int64_t>(line.source_us - source.drawn_to_us, 0);
    const auto most = passed / (is_new ? quickest_draw : slowest_draw);
    source.drawn_us += std::clamp(off, -most, most);
    if (is_new) source.is_aligned = std::abs(off) <= most;
    if (most > 0) source.drawn_to_us = line.source_us;
}

void Clock::place(td_packet& packet, const td_track& track, std::int64_t arrival_us) {
    if (packet.dts == TD_NO_TIME) packet.dts = packet.pts;
    const std::int64_t source_us = to_us(packet.dts, track.time_base);
    Source& source = sources_[track.clock];
    Line& line = lines_[track.index];

    const auto reordered_us = packet.pts == TD_NO_TIME ? 0 : to_us(packet.pts, track.time_base) - source_us;
    const auto wallclock_us = packet.wallclock_us == TD_NO_TIME ? TD_NO_TIME : packet.wallclock_us - reordered_us;
    const std::int64_t step = source_us - std::exchange(line.source_us, source_us);
    if (!line.started) {
        begin(line, source, track, arrival_us, wallclock_us);
    } else if (step < -jump_us || (step > jump_us && !confirmed(step, arrival_us - line.arrival_us))) {
        close_jump(line, source, arrival_us);
    } else if (step > 0 && step < jump_us) {
        line.step_us = step;
    }
    line.arrival_us = arrival_us;
    learn(source, line, wallclock_us);
    if (track.clock != *leads_) draw(source, line);
    line.placed_us = source_us + line.shift_us + source.drawn_us;

    const std::int64_t shift = to_ticks(line.placed_us - source_us, track.time_base);
    packet.dts += shift;
    packet.pts = packet.pts == TD_NO_TIME ? packet.dts : packet.pts + shift;
    if (line.time_base.num != track.time_base.num || line.time_base.den != track.time_base.den) {
        line.last_dts = rescale(line.last_dts, line.time_base, track.time_base);
        line.time_base = track.time_base;
    }
    if (line.last_dts != 0 && packet.dts <= line.last_dts) packet.dts = line.last_dts + 1;
    packet.pts = std::max(packet.pts, packet.dts);
    line.last_dts = packet.dts;
}

}  // namespace tapedeck::host
