#include "rtp/timeline.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace tapedeck::rtp {
namespace {

constexpr td_rational sound{1, 48'000}, picture{1, 90'000};
constexpr std::int64_t unix_start = 1'700'000'000'000'000;

/// Sound and pictures of one sender, each from a number of its own; pictures arrive later than sound does.
class TimelineTest : public ::testing::Test {
protected:
    /// Where what was captured at `us` lies, microseconds.
    std::int64_t hear(std::int64_t us, bool reported) {
        const auto at = line_.place(
            0, {us * 48 / 1000 + 7'000'000, sound, reported ? unix_start + us : TD_NO_TIME, us + 20'000, true});
        return to_us(at, sound);
    }
    std::int64_t see(std::int64_t us, bool reported, std::int64_t late_us = 120'000) {
        const auto at = line_.place(1, {us * 9 / 100 + 3'000'000'000, picture, reported ? unix_start + us : TD_NO_TIME,
                                        us + 20'000 + late_us, false});
        return to_us(at, picture);
    }

    Timeline line_;
};

TEST_F(TimelineTest, TracksBeginWhereTheyArrive) {
    EXPECT_EQ(hear(0, false), 0);
    EXPECT_EQ(see(0, false), 120'000);
    EXPECT_EQ(hear(20'000, false), 20'000);
    EXPECT_EQ(see(40'000, false, 500'000), 160'000) << "and keep their own pace, however late a packet is";
}

TEST_F(TimelineTest, ReportsDrawPicturesToTheSoundAndLeaveTheSoundAlone) {
    std::int64_t before = -1;
    for (std::int64_t us = 0; us < 4'000'000; us += 40'000) {
        const bool reported = us >= 1'000'000;
        EXPECT_EQ(hear(us, reported), us);
        const auto seen = see(us, reported);
        EXPECT_GT(seen - before, 30'000) << us << ": never back, never fast";
        before = seen;
        EXPECT_LE(std::abs(seen - us), us < 2'300'000 ? 120'000 : 30) << us;
    }
}

TEST_F(TimelineTest, ClocksThatHaveNothingToDoWithEachOtherAreLeftAlone) {
    hear(0, true);
    for (std::int64_t us = 0; us < 2'000'000; us += 40'000) {
        const auto at = line_.place(1, {us * 9 / 100, picture, unix_start + us + 60'000'000, us + 20'000, false});
        EXPECT_LE(std::abs(to_us(at, picture) - us), 30);
    }
}

TEST_F(TimelineTest, ATrackThatBeginsAgainGoesOnWhereItArrives) {
    hear(0, true);
    EXPECT_EQ(see(0, false, 0), 0);
    line_.restart(1);
    const auto at = line_.place(1, {55, picture, TD_NO_TIME, 3'020'000, false});
    EXPECT_EQ(to_us(at, picture), 3'000'000);
    line_.restart(0);
    const auto heard = line_.place(0, {99, sound, unix_start, 4'020'000, true});
    EXPECT_EQ(to_us(heard, sound), 4'000'000);
}

}  // namespace
}  // namespace tapedeck::rtp
