// Times of 33 bits as 64-bit ones that never wrap, with jumps of the encoder's clock closed.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>

#include "rtp/extend.hpp"

namespace tapedeck::mpegts {

/// A step of a track's decoding time by more than `most`, in either direction, that arrival does not match is closed,
/// so that the track goes on after its last step; tracks that jump together stay together. A pause that arrival matches
/// is kept. All times are in 90 kHz. One thread.
class Timeline {
public:
    static constexpr std::size_t tracks = 2;
    static constexpr std::int64_t most_composition = 900'000;  // one that is longer is none: 10 s
    struct Place {
        std::int64_t pts, dts;
    };

    explicit Timeline(std::int64_t most) : most_(most) {}

    /// `pts` and `dts` count by their lowest 33 bits.
    Place place(std::size_t track, std::int64_t pts, std::int64_t dts, std::int64_t arrival) {
        auto& line = lines_[track];
        const auto source = last_ = started_ ? rtp::nearest<33>(last_, static_cast<std::uint64_t>(dts)) : dts;
        started_ = true;
        const auto step = source - line.source, passed = arrival - line.arrival;
        const bool is_jump = step < -most_ || (step > most_ && std::abs(step - passed) > most_ + passed / 10);
        if (!line.started) {
            line.shift = shift_;
        } else if (is_jump) {
            const auto expected = line.placed + std::max<std::int64_t>(line.step, 1);
            const bool follows = shift_ != line.shift && std::abs(source + shift_ - expected) <= most_;
            if (!follows) {
                shift_ = expected - source;
                ++jumps_;
            }
            line.shift = shift_;
        } else if (step > 0) {
            line.step = step;
        }
        line.started = true;
        line.source = source;
        line.arrival = arrival;
        line.placed = source + line.shift;
        auto composition = std::max<std::int64_t>(rtp::nearest<33>(0, static_cast<std::uint64_t>(pts - dts)), 0);
        if (composition > most_composition) composition = 0;
        return {line.placed + composition, line.placed};
    }
    /// How many were closed.
    std::uint64_t jumps() const { return jumps_; }

private:
    struct Line {
        bool started = false;
        std::int64_t source = 0, arrival = 0, placed = 0, step = 0, shift = 0;
    };

    const std::int64_t most_;
    std::array<Line, tracks> lines_;
    bool started_ = false;
    std::int64_t last_ = 0;   // of any track, as the source counts
    std::int64_t shift_ = 0;  // newest
    std::uint64_t jumps_ = 0;
};

}  // namespace tapedeck::mpegts
