#include "stream/clock.hpp"

#include <gtest/gtest.h>

#include "packets.hpp"

namespace tapedeck::host {
namespace {

struct Placed {
    std::int64_t dts, pts;
};

/// Gives one packet, times in milliseconds, to the clock.
Placed place(Clock& clock, const td_track& track, std::int64_t dts, std::int64_t arrival, std::int64_t offset = 0) {
    td_packet packet{};
    packet.track = track.index;
    packet.dts = dts;
    packet.pts = dts + offset;
    clock.place(packet, track, arrival * 1000);
    return {packet.dts, packet.pts};
}

TEST(Clock, LeavesSteadyTimesAsTheyAre) {
    Clock clock;
    for (std::int64_t ms = 5000; ms < 6000; ms += 40) EXPECT_EQ(place(clock, test::video(), ms, ms, 80).pts, ms + 80);
    EXPECT_EQ(clock.jumps(), 0u);
}

TEST(Clock, ClosesAJumpThatArrivalDoesNotMatch) {
    for (const std::int64_t jump : {10'000, -10'000, 86'400'000, -86'400'000}) {
        Clock clock;
        place(clock, test::video(), 100'000'000, 0);
        place(clock, test::video(), 100'000'040, 40);
        EXPECT_EQ(place(clock, test::video(), 100'000'080 + jump, 80).dts, 100'000'080) << jump;
        EXPECT_EQ(place(clock, test::video(), 100'000'120 + jump, 120).dts, 100'000'120) << jump;
        EXPECT_EQ(clock.jumps(), 1u);
    }
}

TEST(Clock, KeepsAPauseThatArrivalMatches) {
    Clock clock;
    place(clock, test::video(), 0, 0);
    EXPECT_EQ(place(clock, test::video(), 30'000, 30'200).dts, 30'000);
    EXPECT_EQ(clock.jumps(), 0u);
}

TEST(Clock, MovesTracksOfOneClockTogether) {
    Clock clock;
    const td_track video = test::video(), audio = test::aac();
    place(clock, video, 0, 0);
    place(clock, audio, 5, 0);
    place(clock, video, 40, 40);
    place(clock, audio, 28, 40);
    EXPECT_EQ(place(clock, video, 50'080, 80).dts, 80);
    EXPECT_EQ(place(clock, audio, 51, 80).dts, 51) << "still from before the jump";
    EXPECT_EQ(place(clock, audio, 50'074, 90).dts, 74) << "as far from the video as it was";
    EXPECT_EQ(clock.jumps(), 1u);
}

TEST(Clock, PutsATrackThatCountsFromElsewhereBesideTheOthers) {
    Clock clock;
    place(clock, test::video(), 100, 1000);
    EXPECT_EQ(place(clock, test::aac(), 7'200'100, 1010).dts, 110);
    EXPECT_EQ(place(clock, test::aac(), 7'200'123, 1030).dts, 133);
    EXPECT_EQ(place(clock, test::video(), 140, 1040).dts, 140) << "the first one stays where it is";
}

TEST(Clock, LeavesALateTrackWhereItSaysItBegins) {
    Clock clock;
    place(clock, test::video(), 0, 1000);
    EXPECT_EQ(place(clock, test::aac(), 5000, 6000).dts, 5000);
}

TEST(Clock, ATrackGoesOnInANewTimeBase) {
    Clock clock;
    td_track sound = test::aac();
    sound.time_base = {1, 44100};
    place(clock, sound, 4 * 44100, 4000);
    sound.time_base = {1, 8000};
    EXPECT_EQ(place(clock, sound, 4 * 8000 + 160, 4020).dts, 4 * 8000 + 160);
    EXPECT_EQ(place(clock, sound, 4 * 8000 + 160, 4040).dts, 4 * 8000 + 161) << "and rises all the same";
}

TEST(Clock, NeverFallsBackWithinATrack) {
    Clock clock;
    EXPECT_EQ(place(clock, test::video(), 100, 0).dts, 100);
    EXPECT_EQ(place(clock, test::video(), 100, 0).dts, 101);
    EXPECT_EQ(place(clock, test::video(), 90, 0).dts, 102);
    const Placed late = place(clock, test::video(), 103, 0, -50);
    EXPECT_EQ(late.dts, 103);
    EXPECT_EQ(late.pts, 103) << "nothing is shown before it is decoded";
}

}  // namespace
}  // namespace tapedeck::host
