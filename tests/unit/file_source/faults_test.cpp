#include "faults.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "tapedeck/media/h264.hpp"

namespace tapedeck::file_source {
namespace {

using std::chrono::milliseconds;

constexpr td_rational base{1, 1000};

Unit unit(std::int64_t ms, std::uint32_t track = 0) {
    return {.track = track, .pts = ms, .dts = ms, .duration = 20, .key = true, .payload = {1}};
}

std::vector<std::int64_t> times(Faults& faults, std::int64_t until) {
    std::vector<std::int64_t> all;
    for (std::int64_t at = 0; at < until; at += 20) {
        for (const Outgoing& out : faults.pass(unit(at), base)) all.push_back(out.unit.dts);
    }
    for (const Outgoing& out : faults.finish()) all.push_back(out.unit.dts);
    return all;
}

TEST(Faults, WithoutAPlanNothingChanges) {
    Faults faults({});
    EXPECT_EQ(times(faults, 100), (std::vector<std::int64_t>{0, 20, 40, 60, 80}));
}

TEST(Faults, BeginATrackLateWithAKeyPicture) {
    Faults faults({.video_from = milliseconds(50)});
    EXPECT_FALSE(faults.pass(unit(0, 1), base)[0].first) << "the sound";
    for (const auto& [at, key, comes] : {std::tuple{0, true, false}, {60, false, false}, {80, true, true}}) {
        Unit picture = unit(at);
        picture.video = true;
        picture.key = key;
        const auto out = faults.pass(picture, base);
        ASSERT_EQ(out.size(), comes ? 1u : 0u) << at;
        if (comes) {
            EXPECT_TRUE(out[0].first);
        }
    }
    Unit next = unit(100);
    next.video = true;
    next.key = false;
    EXPECT_FALSE(faults.pass(next, base)[0].first);
}

TEST(Faults, OverwritesTheBeginningOfPicturesOnly) {
    Faults faults({.corrupt = 1});
    Unit picture = unit(0);
    picture.video = true;
    picture.payload = {0, 0, 0, 2, 0x65, 1};
    EXPECT_EQ(faults.pass(picture, base)[0].unit.payload, (std::vector<std::uint8_t>{255, 255, 255, 255, 0x65, 1}));
    EXPECT_EQ(faults.pass(unit(20), base)[0].unit.payload, (std::vector<std::uint8_t>{1}));
}

TEST(Faults, LosesTheSameShareEachTimeAndFlagsWhatFollows) {
    const FaultPlan plan{.loss = 0.1, .seed = 7};
    std::vector<std::int64_t> kept;
    std::size_t gaps = 0;
    Faults faults(plan);
    bool lost = false;
    for (std::int64_t at = 0; at < 20'000; at += 20) {
        const auto out = faults.pass(unit(at), base);
        if (out.empty()) {
            lost = true;
            continue;
        }
        EXPECT_EQ(out[0].gap, lost) << at;
        gaps += out[0].gap ? 1 : 0;
        lost = false;
        kept.push_back(out[0].unit.dts);
    }
    EXPECT_NEAR(static_cast<double>(kept.size()), 900, 40);
    EXPECT_GT(gaps, 50u);
    Faults again(plan);
    EXPECT_EQ(times(again, 20'000), kept);
}

TEST(Faults, SwapsNeighboursAndLosesNone) {
    Faults faults({.reorder = 0.5});
    auto all = times(faults, 2000);
    EXPECT_FALSE(std::ranges::is_sorted(all));
    EXPECT_EQ(all.size(), 100u);
    std::ranges::sort(all);
    EXPECT_EQ(std::ranges::adjacent_find(all), all.end());
}

TEST(Faults, AJumpMovesTheTimesAndNotTheArrival) {
    Faults faults({.jump_at = milliseconds(40), .jump_by = milliseconds(-86'400'000)});
    EXPECT_EQ(faults.pass(unit(20), base)[0].unit.dts, 20);
    const auto out = faults.pass(unit(40), base);
    EXPECT_EQ(out[0].unit.dts, 40 - 86'400'000);
    EXPECT_EQ(out[0].due, milliseconds(40));
}

TEST(Faults, APauseMovesBoth) {
    Faults faults({.pause_at = milliseconds(40), .pause_for = milliseconds(30'000)});
    const auto out = faults.pass(unit(60), base);
    EXPECT_EQ(out[0].unit.pts, 30'060);
    EXPECT_EQ(out[0].due, milliseconds(30'060));
}

TEST(Faults, OtherParametersBeginOnceAtAKeyPicture) {
    Faults faults({.change_at = milliseconds(40)});
    const auto changed = [&](std::int64_t ms, bool video, bool key) {
        Unit next = unit(ms);
        next.video = video;
        next.key = key;
        return faults.pass(next, base)[0].changed;
    };
    EXPECT_FALSE(changed(20, true, true)) << "too early";
    EXPECT_FALSE(changed(40, true, false)) << "no key";
    EXPECT_FALSE(changed(60, false, true)) << "sound";
    EXPECT_TRUE(changed(80, true, true));
    EXPECT_FALSE(changed(100, true, true)) << "once";
}

TEST(Faults, OtherParametersDifferInTheLevelAlone) {
    const std::vector<std::uint8_t> sps{0x67, 66, 0xc0, 30, 0xd9, 0x05, 0x07, 0xe4}, pps{0x68, 0xcb, 0x83, 0xcb, 0x20};
    const auto before = h264::build_avcc(std::array{ByteSpan(sps)}, std::array{ByteSpan(pps)});
    const auto after = other_parameters(before);
    const auto config = h264::parse_avcc(after);
    EXPECT_EQ(config.level, 51);
    EXPECT_EQ(config.sps.at(0)[3], 51);
    EXPECT_EQ(std::vector<std::uint8_t>(config.pps.at(0).begin(), config.pps.at(0).end()), pps);
    EXPECT_EQ(h264::parse_sps(config.sps.at(0)).width, h264::parse_sps(sps).width);
    EXPECT_THROW(other_parameters(std::vector<std::uint8_t>{1, 66}), Malformed);
}

}  // namespace
}  // namespace tapedeck::file_source
