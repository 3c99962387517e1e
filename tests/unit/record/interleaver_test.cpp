#include "record/interleaver.hpp"

#include <gtest/gtest.h>

#include "../stream/packets.hpp"

namespace tapedeck::host {
namespace {

using Timed = Interleaver::Timed;

std::vector<std::int64_t> durations(const std::vector<Timed>& all) {
    std::vector<std::int64_t> out;
    for (const Timed& timed : all) out.push_back(timed.packet.view.duration);
    return out;
}

TEST(Interleaver, HoldsAPacketUntilItsSuccessorTellsTheDuration) {
    const TrackSpec video(test::video());
    Interleaver interleaver;
    std::vector<Timed> out;
    interleaver.push(test::packet(video, 0));
    interleaver.drain(out);
    EXPECT_TRUE(out.empty());
    interleaver.push(test::packet(video, 33));
    interleaver.push(test::packet(video, 67));
    interleaver.drain(out);
    EXPECT_EQ(durations(out), (std::vector<std::int64_t>{33, 34}));
    interleaver.finish(out);
    EXPECT_EQ(durations(out), (std::vector<std::int64_t>{33, 34, 34}));
}

TEST(Interleaver, AMessageComesInItsPlaceWithoutASuccessorAndTakesNoTime) {
    const TrackSpec video(test::video()), messages(test::messages());
    Interleaver interleaver;
    std::vector<Timed> out;
    interleaver.push(test::packet(video, 0));
    interleaver.push(test::packet(messages, 20));
    interleaver.drain(out);
    EXPECT_TRUE(out.empty()) << "the picture before it is not complete";
    interleaver.push(test::packet(video, 40));
    interleaver.push(test::packet(video, 80));
    interleaver.drain(out);
    ASSERT_EQ(out.size(), 3u);
    EXPECT_TRUE(out[1].packet.is_data());
    EXPECT_EQ(out[1].packet.view.duration, 2000);
    EXPECT_EQ(out[1].duration_us, 0);
}

TEST(Interleaver, PutsAacOnAGridOfWholeFrames) {
    const TrackSpec audio(test::aac());
    Interleaver interleaver;
    std::vector<Timed> out;
    for (int i = 0; i < 500; ++i) interleaver.push(test::packet(audio, (i * 1024 * 1000 + 22050) / 44100));
    interleaver.finish(out);
    ASSERT_EQ(out.size(), 500u);
    for (std::size_t i = 0; i < out.size(); ++i) {
        EXPECT_EQ(out[i].packet.view.pts, static_cast<std::int64_t>(i) * 1024);
        EXPECT_EQ(out[i].packet.view.duration, 1024);
        EXPECT_EQ(out[i].time_base.den, 44100);
    }
}

TEST(Interleaver, KeepsAGapOfSound) {
    const TrackSpec audio(test::aac());
    Interleaver interleaver;
    std::vector<Timed> out;
    interleaver.push(test::packet(audio, 0));
    interleaver.push(test::packet(audio, 23));
    interleaver.push(test::packet(audio, 1023));
    interleaver.finish(out);
    EXPECT_EQ(durations(out), (std::vector<std::int64_t>{1024, 45114 - 1024, 1024}));
}

TEST(Interleaver, FollowsAClockThatDrifts) {
    const TrackSpec audio(test::aac());
    Interleaver interleaver;
    std::vector<Timed> out;
    for (int i = 0; i < 5000; ++i) interleaver.push(test::packet(audio, static_cast<std::int64_t>(i * 23.23)));
    interleaver.finish(out);
    EXPECT_NEAR(static_cast<double>(out.back().pts_us), 4999 * 23230.0, 11'000);
}

TEST(Interleaver, OrdersTracksByTheTimeTheyAreShown) {
    const TrackSpec video(test::video()), audio(test::aac());
    Interleaver interleaver;
    std::vector<Timed> out;
    interleaver.push(test::packet(video, 0, TD_PACKET_KEY, 100, 80));
    interleaver.push(test::packet(video, 40, 0, 100, 80));
    interleaver.push(test::packet(video, 80, 0, 100, 80));
    for (std::int64_t ms : {0, 23, 46, 70, 93, 116}) interleaver.push(test::packet(audio, ms));
    interleaver.finish(out);
    std::vector<std::uint32_t> tracks;
    for (const Timed& timed : out) tracks.push_back(timed.packet.view.track);
    // The first picture is shown at 80 ms, after four frames of sound.
    EXPECT_EQ(tracks, (std::vector<std::uint32_t>{1, 1, 1, 1, 0, 1, 1, 0, 0}));
}

TEST(Interleaver, DoesNotWaitForATrackThatFellSilent) {
    const TrackSpec video(test::video()), audio(test::aac());
    Interleaver interleaver;
    std::vector<Timed> out;
    interleaver.push(test::packet(audio, 0));
    for (std::int64_t ms = 0; ms <= 1000; ms += 40) interleaver.push(test::packet(video, ms));
    interleaver.drain(out);
    EXPECT_EQ(out.size(), 25u) << "all pictures but the one that has no successor";
}

}  // namespace
}  // namespace tapedeck::host
