#include "stream/pace.hpp"

#include <gtest/gtest.h>

namespace tapedeck::host {
namespace {

constexpr std::int64_t one_second = 1'000'000;

/// Whether it was ahead at the end of `seconds` of arrival, at `speed` times real time.
bool after(Pace& pace, std::int64_t& media, std::int64_t& now, int seconds, double speed) {
    bool ahead = false;
    for (int step = 0; step < seconds * 10; ++step) {
        now += one_second / 10;
        media += static_cast<std::int64_t>(static_cast<double>(one_second) / 10 * speed);
        ahead = pace.is_ahead(media, now);
    }
    return ahead;
}

TEST(Pace, AFileThatIsPushedIsAheadAndStaysSo) {
    Pace pace;
    std::int64_t media = 0, now = 7 * one_second;
    EXPECT_FALSE(pace.is_ahead(media, now));
    EXPECT_FALSE(after(pace, media, now, 1, 2));
    EXPECT_TRUE(after(pace, media, now, 60, 2));
}

TEST(Pace, ABurstAtTheStartIsForgotten) {
    Pace pace;
    std::int64_t media = 0, now = 0;
    pace.is_ahead(media, now);
    media += 6 * one_second;  // the GOPs that a relay had kept
    EXPECT_TRUE(pace.is_ahead(media, now));
    EXPECT_FALSE(after(pace, media, now, 10, 1));
}

TEST(Pace, AClockThatIsALittleFastIsNeverAhead) {
    Pace pace;
    std::int64_t media = 0, now = 0;
    pace.is_ahead(media, now);
    EXPECT_FALSE(after(pace, media, now, 3 * 24 * 3600 / 10, 1.001));
}

TEST(Pace, WhatComesAfterAPauseIsNotAhead) {
    Pace pace;
    std::int64_t media = 0, now = 0;
    pace.is_ahead(media, now);
    now += 30 * one_second;
    EXPECT_FALSE(pace.is_ahead(media, now));
    media += 30 * one_second;  // what the network held back, at once
    EXPECT_TRUE(pace.is_ahead(media, now)) << "it can wait as well as any burst";
    EXPECT_FALSE(after(pace, media, now, 60, 1));
}

}  // namespace
}  // namespace tapedeck::host
