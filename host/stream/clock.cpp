#include "stream/clock.hpp"

#include <algorithm>
#include <cstdlib>

namespace tapedeck::host {
namespace {

constexpr std::int64_t strange_start_us = 10'000'000;
constexpr std::int64_t jump_us = 1'000'000;  ///< smaller steps are taken as they are

/// Whether the source's step is what passed in reality: within a second and a tenth of it.
bool confirmed(std::int64_t step, std::int64_t arrival_step) {
    return std::abs(step - arrival_step) <= jump_us + arrival_step / 10;
}

}  // namespace

std::optional<std::int64_t> Clock::now_of(std::uint32_t clock, std::int64_t arrival_us) {
    for (auto& [index, line] : lines_) {
        if (line.started && line.clock == clock && line.arrival_us != 0) {
            return line.placed_us + (arrival_us - line.arrival_us);
        }
    }
    return std::nullopt;
}

void Clock::place(td_packet& packet, const td_track& track, std::int64_t arrival_us) {
    if (packet.dts == TD_NO_TIME) packet.dts = packet.pts;
    const std::int64_t source_us = to_us(packet.dts, track.time_base);
    std::int64_t& newest_shift = newest_shift_[track.clock];
    Line& line = lines_[track.index];

    if (!line.started) {
        line.started = true;
        // Sound and picture that arrive together belong together, wherever their sender began to count.
        if (const auto now_us = now_of(track.clock, arrival_us)) {
            if (std::abs(source_us + newest_shift - *now_us) > strange_start_us) {
                newest_shift = *now_us - source_us;
                ++jumps_;
            }
        }
        line.shift_us = newest_shift;
        line.clock = track.clock;
    } else {
        const std::int64_t step = source_us - line.source_us;
        const bool jumped = step < -jump_us || (step > jump_us && !confirmed(step, arrival_us - line.arrival_us));
        if (jumped) {
            const std::int64_t expected = line.placed_us + std::max<std::int64_t>(line.step_us, 1);
            // Another track of this clock has jumped already: follow it, so that both stay together.
            const bool follows =
                newest_shift != line.shift_us && std::abs(source_us + newest_shift - expected) < jump_us;
            if (!follows) {
                newest_shift = expected - source_us;
                ++jumps_;
            }
            line.shift_us = newest_shift;
        } else if (step > 0 && step < jump_us) {
            line.step_us = step;
        }
    }
    line.source_us = source_us;
    line.arrival_us = arrival_us;
    line.placed_us = source_us + line.shift_us;

    const std::int64_t shift = to_ticks(line.shift_us, track.time_base);
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
