#include "stream/clock.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

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

constexpr std::int64_t second = 1'000'000;
constexpr double epoch_us = 1.7e15;

/// A track with a clock of its own, as RTP's are; microseconds.
struct Captured {
    std::uint32_t kind, index;
    std::int64_t interval, counts_from;
    double ppm = 0;               // that its clock runs too fast
    std::int64_t delay = 0;       // from capture to arrival; every third packet comes 8 ms later
    std::int64_t known_from = 0;  // the sender's wall clock
    double wallclock_off = 0;
    std::int64_t captured = 0, placed = 0, line = 0;  // line: placed - captured
    int count = 0;

    void send(Clock& clock) {
        td_track track = test::track(kind, kind == TD_AUDIO ? TD_CODEC_OPUS : TD_CODEC_VP8, index);
        track.time_base = {1, 1'000'000};
        track.clock = index;
        td_packet packet{};
        packet.track = index;
        const auto at = static_cast<double>(captured);
        packet.pts = counts_from + std::llround(at * (1 + ppm / 1e6));
        packet.dts = TD_NO_TIME;
        packet.wallclock_us = captured < known_from ? TD_NO_TIME : std::llround(epoch_us + wallclock_off + at);
        clock.place(packet, track, 5 * second + captured + delay + (++count % 3 == 0 ? 8'000 : 0));
        const auto before = std::exchange(placed, packet.dts);
        if (count > 1) {
            EXPECT_GT(placed, before + interval / 3) << "always rising, and never bunched";
        }
        line = placed - captured;
    }
};

/// Sends both up to `end` and gives the largest distance of the picture from the sound, each seen after `from`.
std::int64_t apart(Clock& clock, Captured& sound, Captured& picture, std::int64_t from, std::int64_t end) {
    std::int64_t most = 0;
    while (std::min(sound.captured, picture.captured) < end) {
        auto& next = sound.captured < picture.captured ? sound : picture;
        next.send(clock);
        if (next.captured >= from && sound.count > 0) most = std::max(most, std::abs(picture.line - sound.line));
        next.captured += next.interval;
    }
    return most;
}

Captured sound_of(std::int64_t known_from) {
    return {.kind = TD_AUDIO,
            .index = 0,
            .interval = 20'000,
            .counts_from = 70'000 * second,
            .delay = 25'000,
            .known_from = known_from};
}
Captured picture_of(std::int64_t known_from) {
    return {.kind = TD_VIDEO,
            .index = 1,
            .interval = 33'333,
            .counts_from = 123 * second,
            .delay = 90'000,
            .known_from = known_from};
}

constexpr std::int64_t never = INT64_MAX;

TEST(Clock, TracksOfOwnClocksLieTogetherByArrivalAndThenExactly) {
    for (const auto& [sound_from, picture_from] : {std::pair{2 * second, 5 * second}, std::pair{5 * second, second}}) {
        Clock clock;
        auto sound = sound_of(sound_from), picture = picture_of(picture_from);
        EXPECT_LT(apart(clock, sound, picture, 0, 5 * second), 100'000) << "as far as the delays differ";
        const auto line = sound.line;
        EXPECT_LT(apart(clock, sound, picture, 5 * second + 300'000, 60 * second), 2'000);
        EXPECT_EQ(sound.line, line) << "what is heard is not moved";
        EXPECT_EQ(clock.jumps(), 0u);
    }
}

TEST(Clock, TracksOfAKnownWallClockLieTogetherFromTheirFirstPackets) {
    for (const bool sound_is_first : {true, false}) {
        Clock clock;
        auto sound = sound_of(0), picture = picture_of(0);
        picture.delay = 600'000;
        (sound_is_first ? picture : sound).captured = 300'000;
        const auto far = apart(clock, sound, picture, 300'000, 10 * second);
        EXPECT_LT(far, 100);
    }
}

TEST(Clock, AWallClockFarFromArrivalPlacesNoFirstPacket) {
    Clock clock;
    auto sound = sound_of(0), picture = picture_of(0);
    picture.wallclock_off = 5e6;
    EXPECT_LT(apart(clock, sound, picture, 0, 10 * second), 100'000);
}

TEST(Clock, APictureThatBeginsFirstFollowsTheSoundAllTheSame) {
    Clock clock;
    auto sound = sound_of(4 * second), picture = picture_of(0);
    sound.captured = 3 * second;
    apart(clock, sound, picture, never, 4 * second);
    const auto line = sound.line;
    EXPECT_LT(apart(clock, sound, picture, 4 * second + 300'000, 20 * second), 2'000);
    EXPECT_EQ(sound.line, line);
}

TEST(Clock, TracksOfWhichOneOrNoneHasAWallClockStayWhereTheyArrive) {
    for (const auto& [sound_from, picture_from] : {std::pair{never, second}, std::pair{second, never}}) {
        Clock clock;
        auto sound = sound_of(sound_from), picture = picture_of(picture_from);
        sound.ppm = 100;
        picture.delay = sound.delay;
        EXPECT_LT(apart(clock, sound, picture, 0, 600 * second), 20'000) << "60 ms of drift in ten minutes";
    }
}

TEST(Clock, ADriftIsFollowedByAtMost5MsInASecond) {
    Clock clock;
    auto sound = sound_of(second), picture = picture_of(second);
    sound.ppm = 200;
    picture.ppm = -100;
    EXPECT_LT(apart(clock, sound, picture, 2 * second, 600 * second), 2'000);
    picture.wallclock_off = 100'000;
    for (int i = 0; i < 19; ++i) {
        const auto before = picture.line;
        apart(clock, sound, picture, never, sound.captured + second);
        EXPECT_NEAR(static_cast<double>(picture.line - before), 5'000, 600);
    }
    EXPECT_LT(apart(clock, sound, picture, sound.captured + 4 * second, sound.captured + 5 * second), 102'000);
}

TEST(Clock, AWallClockFarFromArrivalIsNotBelieved) {
    Clock clock;
    auto sound = sound_of(second), picture = picture_of(2 * second);
    picture.wallclock_off = 5e6;
    EXPECT_LT(apart(clock, sound, picture, 0, 30 * second), 100'000);
    picture.wallclock_off = 0;
    EXPECT_LT(apart(clock, sound, picture, 30 * second + 300'000, 40 * second), 2'000);
}

TEST(Clock, SoundThatCountsAnewAfterAPauseGoesOnBesideThePicture) {
    Clock clock;
    auto sound = sound_of(second), picture = picture_of(second);
    apart(clock, sound, picture, never, 10 * second);
    const auto line = picture.line;
    auto alone = sound;
    alone.captured = never;
    apart(clock, alone, picture, never, 13 * second);
    sound.captured = 13 * second;
    sound.counts_from += 7777 * second;
    sound.known_from = 16 * second;
    EXPECT_LT(apart(clock, sound, picture, 13 * second, 16 * second), 100'000);
    EXPECT_LT(apart(clock, sound, picture, 16 * second + 300'000, 30 * second), 2'000);
    EXPECT_NEAR(static_cast<double>(picture.line - line), 0, 80'000);
    EXPECT_EQ(clock.jumps(), 1u);
}

}  // namespace
}  // namespace tapedeck::host
