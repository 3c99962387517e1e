// Sources ahead of real time, of which one flush brings many seconds.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "box_walker.hpp"
#include "programs.hpp"
#include "session.hpp"

namespace tapedeck::mp4::test {
namespace {

constexpr std::int64_t flush_ms = 12'000;

/// 30 seconds, of which each flush takes 12.
Clip half_a_minute() {
    return make_clip().repeated(10);
}

class Ahead : public testing::Test {
protected:
    Ahead() { session.flush_ms = flush_ms; }

    std::vector<std::uint8_t> finished() {
        session.finish();
        return session.file.contents();
    }
    Session session;
    TempFolder folder;
};

/// Every sample of the clip is where the tables say, and those of a time lie within the bytes of 3 seconds.
void expect_interleaved(const Clip& clip, const std::vector<std::uint8_t>& file) {
    const auto moov = box(file, "moov").payload;
    std::array<std::vector<std::uint64_t>, 2> by_second;  // where the first sample of each second lies
    for (const std::uint32_t track : {Clip::video, Clip::audio}) {
        const Clip part = clip.only(track);
        const auto samples = samples_of(moov, track);
        ASSERT_EQ(samples.size(), part.units.size());
        for (std::size_t i = 0; i < samples.size(); ++i) {
            const Unit& unit = part.units[i];
            ASSERT_TRUE(std::ranges::equal(unit.data, std::span(file).subspan(samples[i].at, samples[i].size))) << i;
            if (unit.dts >= static_cast<std::int64_t>(by_second[track].size()) * 1000)
                by_second[track].push_back(samples[i].at);
        }
    }
    ASSERT_EQ(by_second[0].size(), by_second[1].size());
    const std::uint64_t most = file.size() / by_second[0].size() * 3;
    for (std::size_t second = 0; second < by_second[0].size(); ++second) {
        const auto [low, high] = std::minmax(by_second[0][second], by_second[1][second]);
        EXPECT_LT(high - low, most) << second;
    }
}

TEST_F(Ahead, PicturesAndSoundOfASecondLieTogetherThoughOneWriteBringsManySeconds) {
    const Clip clip = half_a_minute();
    session.record(clip);
    EXPECT_EQ(session.file.calls(testkit::Call::write), 4u) << "the head, then one write for each flush";
    const auto running = session.file.contents();
    EXPECT_NEAR(static_cast<double>(all(running, "moof").size()), 30, 3);
    save(folder / "raw.mp4", running);
    EXPECT_EQ(decode_complaints(folder / "raw.mp4"), "");
    const auto file = finished();
    expect_interleaved(clip, file);
    save(folder / "a.mp4", file);
    EXPECT_EQ(decode_complaints(folder / "a.mp4"), "");
}

TEST_F(Ahead, AKilledFileIsRecoveredAsItWouldHaveBeenFinished) {
    session.record(half_a_minute());
    Session killed;
    killed.file.put(0, session.file.contents());
    EXPECT_EQ(recover_and_finish(killed).packets, half_a_minute().units.size());
    EXPECT_TRUE(killed.file.contents() == finished());
}

TEST_F(Ahead, WhatNeverReachedTheDiskIsFoundAnywhereInTheLastTwoWrites) {
    session.record(half_a_minute());
    const auto bytes = session.file.contents();
    const auto mdats = all(bytes, "mdat");
    for (const std::size_t second : {13U, 20U, 25U, 29U}) {  // the last two writes begin at 12 s and at 24 s
        auto holed = bytes;
        const BoxAt& mdat = mdats[std::min(second, mdats.size() - 1)];
        const auto middle = (mdat.at + mdat.size / 2) / 4096 * 4096;
        std::fill_n(holed.begin() + static_cast<std::ptrdiff_t>(middle), 4096, std::uint8_t{0});
        Session torn;
        torn.file.put(0, holed);
        const Recovered found = recover_and_finish(torn);
        EXPECT_NEAR(static_cast<double>(found.duration_us) / 1e6, static_cast<double>(second), 1.5);
        save(folder / "h.mp4", torn.file.contents());
        EXPECT_EQ(decode_complaints(folder / "h.mp4"), "");
    }
}

TEST_F(Ahead, ATrackThatJoinedLiesTogetherWithTheOthersToo) {
    Clip clip = half_a_minute();
    session.open(clip.only(Clip::video));
    std::erase_if(clip.units, [](const Unit& unit) { return unit.track == Clip::audio && unit.dts < 100; });
    session.writer.track(clip.tracks[Clip::audio]);
    session.write(clip.only(Clip::video), INT64_MIN, 100);  // the head is written without it
    session.write(clip, 100);
    Session killed;
    killed.file.put(0, session.file.contents());
    const auto file = finished();
    expect_interleaved(clip, file);
    save(folder / "a.mp4", file);
    EXPECT_EQ(decode_complaints(folder / "a.mp4"), "");
    recover_and_finish(killed);
    EXPECT_TRUE(killed.file.contents() == file);
}

}  // namespace
}  // namespace tapedeck::mp4::test
