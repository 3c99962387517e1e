#include "rtsp/common_time.hpp"

#include <gtest/gtest.h>

#include "tapedeck/media/ticks.hpp"

namespace tapedeck::rtsp {
namespace {

constexpr std::int64_t now = 1'700'000'000'000'000, second = 1'000'000;

/// A picture of 90 kHz, which arrives 150 ms later than sound of 8 kHz captured with it. Both count by arrival.
class CommonTimeTest : public ::testing::Test {
protected:
    struct Stamped {
        std::int64_t pts_us, wallclock_us;
    };
    static constexpr std::int64_t late = 150'000;

    /// The pts of what is captured at `at`: the first one was at 0.
    static std::int64_t pts(std::size_t track, std::int64_t at) { return now + at + (track == 0 ? late : 0); }
    Stamped stamp(std::size_t track, std::int64_t at, std::int64_t wallclock_us = TD_NO_TIME) {
        td_packet packet{};
        packet.track = static_cast<std::uint32_t>(track);
        packet.pts = packet.dts = to_ticks(pts(track, at), bases_[track]);
        packet.wallclock_us = wallclock_us;
        time_.stamp(packet);
        EXPECT_EQ(packet.pts, packet.dts);
        return {to_us(packet.pts, bases_[track]), packet.wallclock_us};
    }
    void report(std::size_t track, std::int64_t at, std::int64_t capture_us) {
        time_.report(track, capture_us + at, pts(track, at));
    }
    /// How much later than the sound a picture captured at the same time is.
    std::int64_t apart(std::int64_t at) { return stamp(0, at).pts_us - stamp(1, at).pts_us; }

    std::vector<td_rational> bases_{{1, 90'000}, {1, 8'000}};
    CommonTime time_{bases_};
};

TEST_F(CommonTimeTest, TracksBeginTogetherWhereRtpInfoSaysSo) {
    EXPECT_FALSE(time_.is_known());
    time_.begin(now);
    EXPECT_TRUE(time_.is_known());
    for (const std::size_t track : {0u, 1u}) time_.start(track, pts(track, 0), pts(track, 40'000));
    EXPECT_NEAR(double(apart(0)), 0, 130);
    const auto picture = stamp(0, second), sound = stamp(1, second);
    EXPECT_EQ(picture.wallclock_us, now + second);
    EXPECT_EQ(sound.wallclock_us, now + second);
}

TEST_F(CommonTimeTest, RtpInfoThatIsFarFromThePacketsIsNotBelieved) {
    time_.begin(now);
    time_.start(0, now - 3600 * second, pts(0, 0));
    EXPECT_FALSE(time_.is_known());
    EXPECT_EQ(stamp(0, 0).wallclock_us, TD_NO_TIME);
}

TEST_F(CommonTimeTest, SenderReportsOfAllTracksTellExactly) {
    report(0, 80'000, now - 7 * second);
    EXPECT_FALSE(time_.is_known());
    EXPECT_EQ(stamp(1, 0).wallclock_us, TD_NO_TIME) << "of one track they are of no use to the other";
    time_.forget(1);
    report(0, 80'000, now - 7 * second);
    report(1, 20'000, now - 7 * second);
    EXPECT_TRUE(time_.is_known());
    EXPECT_EQ(stamp(0, 0).wallclock_us, now - 7 * second) << "also of what came before the report";
    EXPECT_NEAR(double(apart(0)), 0, 130);
}

TEST_F(CommonTimeTest, ReportsTakeOverFromRtpInfoInAllTracksTogether) {
    time_.begin(now);
    for (const std::size_t track : {0u, 1u}) time_.start(track, pts(track, 0), pts(track, 0));
    apart(0);
    report(0, second, now + 9 * second);
    EXPECT_EQ(stamp(0, second, now + 10 * second).wallclock_us, now + second) << "the sound's clock is another yet";
    report(1, second, now + 9 * second + 30'000);
    EXPECT_EQ(stamp(1, second).wallclock_us, TD_NO_TIME) << "the host begins anew to draw them";
    EXPECT_EQ(stamp(0, 2 * second).wallclock_us, TD_NO_TIME);
    EXPECT_EQ(stamp(1, 2 * second).wallclock_us, now + 11 * second + 30'000);
    EXPECT_EQ(stamp(0, 2 * second, now + 11 * second).wallclock_us, now + 11 * second);
    EXPECT_NEAR(double(apart(2 * second)), 0, 130) << "what was placed stays there, and the host draws it";
}

TEST_F(CommonTimeTest, ATrackThatBeginsUnderReportsLiesBesideOneThatRtpInfoPlaced) {
    time_.begin(now);
    time_.start(0, pts(0, 0), pts(0, 0));
    const auto picture = stamp(0, 0);
    report(0, second, now + second / 2);
    report(1, second, now + second / 2);
    EXPECT_NEAR(double(stamp(1, second).pts_us - picture.pts_us), second, 130);
}

TEST_F(CommonTimeTest, WhatWasHeldForNothingLiesAsTheQuickestArrived) {
    for (std::int64_t at = 0; at < second; at += 40'000) {
        time_.arrive(0, pts(0, at) + (at == 0 ? 300'000 : 5'000), pts(0, at));
        time_.arrive(1, pts(0, at) + 5'000, pts(1, at));
    }
    time_.by_arrival(true);
    EXPECT_NEAR(double(apart(0)), 0, 130);
    time_.by_arrival(false);
    EXPECT_EQ(stamp(0, second).wallclock_us, TD_NO_TIME);
}

TEST_F(CommonTimeTest, AClockThatJumpedOrAnotherSenderEndsRtpInfo) {
    time_.begin(now);
    for (const std::size_t track : {0u, 1u}) time_.start(track, pts(track, 0), pts(track, 0));
    apart(0);
    time_.doubt();
    EXPECT_EQ(stamp(0, second).wallclock_us, TD_NO_TIME);
    report(0, 0, now);
    report(1, 0, now);
    time_.forget(0);
    EXPECT_EQ(stamp(1, second).wallclock_us, TD_NO_TIME) << "until the other sender reported";
}

}  // namespace
}  // namespace tapedeck::rtsp
