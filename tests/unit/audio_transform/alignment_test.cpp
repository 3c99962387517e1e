#include "alignment.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace tapedeck::audio {
namespace {

constexpr std::int64_t rate = 48000, block = 960;

TEST(Alignment, LeavesSoundInItsPlaceAlone) {
    Alignment alignment(rate);
    for (std::int64_t at = 0; at < 10 * rate; at += block) {
        const auto step = alignment.place(at + (at / block % 3 - 1) * 40, at, block, false);  // jitter of 0.8 ms
        EXPECT_EQ(step.silence, 0);
        EXPECT_EQ(step.skip, 0);
        EXPECT_EQ(step.stretch, 0);
    }
}

TEST(Alignment, FillsAHoleOfABlockAndCutsAnOverlap) {
    Alignment alignment(rate);
    EXPECT_EQ(alignment.place(block, 0, block, false).silence, block);
    EXPECT_EQ(alignment.place(0, block, block, false).skip, block);
}

TEST(Alignment, FillsASmallHoleOnlyWhereSomethingIsKnownToBeMissing) {
    Alignment alignment(rate);
    EXPECT_EQ(alignment.place(240, 0, block, false).silence, 0);
    EXPECT_EQ(alignment.place(240, 0, block, true).silence, 240);
}

TEST(Alignment, SoundGoesOnWhereTheSourcesClockStartsAnew) {
    Alignment alignment(rate);
    const std::int64_t stands = 100 * rate;
    for (std::int64_t at = 0; at < rate / 2; at += block) {
        const auto step = alignment.place(at, stands + at, block, false);
        EXPECT_EQ(step.skip, 0);
        EXPECT_EQ(step.silence, 0);
    }
    EXPECT_EQ(alignment.place(rate, stands + rate - block, block, false).silence, block);
}

/// The largest deviation in ms, once the loop has settled, of a source whose clock is wrong by so much.
double deviation(double error) {
    Alignment alignment(rate);
    double stands = 0, worst = 0, stretch = 0;
    std::int64_t stretch_ends = 0;
    for (std::int64_t at = 0; at < 600 * rate; at += block) {
        const double belongs = static_cast<double>(at) * (1 + error);
        const auto step = alignment.place(std::llround(belongs), std::llround(stands), block, false);
        stands += static_cast<double>(step.silence - step.skip);
        if (step.stretch != 0) {
            stretch = step.stretch;
            stretch_ends = at + rate;
        }
        if (at > 30 * rate) worst = std::max(worst, std::abs(belongs - stands) * 1000 / rate);
        stands += static_cast<double>(block) * (at < stretch_ends ? 1 + stretch / rate : 1);
    }
    return worst;
}

TEST(Alignment, FollowsAClockThatRunsWrongWithinMilliseconds) {
    for (const double error : {0.0001, -0.0001, 0.001, -0.001}) EXPECT_LT(deviation(error), 3.5) << error;
    for (const double error : {0.003, -0.003}) EXPECT_LT(deviation(error), 15) << error;
}

}  // namespace
}  // namespace tapedeck::audio
