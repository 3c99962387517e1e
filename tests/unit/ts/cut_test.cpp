// Parts of MPEG-TS files: tables first, counters that do not jump, the key picture before the start.
#include "cut.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "reader.hpp"
#include "session.hpp"

namespace tapedeck::ts::test {
namespace {

constexpr std::int64_t second = 1'000'000;

Contents part_of(const Contents& file, std::int64_t from_us, std::int64_t to_us = TD_NO_TIME) {
    testkit::FakeHost host;
    testkit::MemoryFile source(file), target;
    TsReader reader({host.table(), host.context()}, File(&source));
    reader.cut(from_us, to_us, true, File(&target));
    return target.contents();
}

td_status refusal(const Contents& file, std::int64_t from_us, std::int64_t to_us = TD_NO_TIME) {
    try {
        part_of(file, from_us, to_us);
        return TD_OK;
    } catch (const Error& e) {
        return e.status();
    }
}

Contents recorded(const Clip& clip) {
    Session session;
    session.record(clip);
    return session.file.contents();
}

/// 100 s of pictures and nothing else, 10 a second, a key picture each 2 s.
Contents long_film() {
    std::vector<std::int64_t> times;
    for (std::int64_t at = 0; at < 100'000; at += 100) times.push_back(at);
    return recorded(pictures(times, 20));
}

TEST(Cut, BeginsWithTheTablesAndTheKeyPictureBeforeItsStart) {
    const Contents file = long_film();
    const auto all = read_stream(file).of(video_pid);
    struct Row {
        std::int64_t from, to, first, last;  // in tenths of a second
    };
    for (const auto& [from, to, first, last] :
         {Row{0, 5, 0, 4}, Row{19, 21, 0, 20}, Row{20, 40, 20, 39}, Row{555, 700, 540, 699}, Row{979, 999, 960, 998}}) {
        const Contents part = part_of(file, from * second / 10, to * second / 10);
        const Stream stream = read_stream(part);  // throws where a counter jumps or a unit is torn
        ASSERT_GE(stream.packets.size(), 2u);
        EXPECT_EQ(stream.packets[0].pid, 0u);
        EXPECT_EQ(stream.packets[1].pid, 0x1000u);
        const auto units = stream.of(video_pid);
        ASSERT_EQ(units.size(), static_cast<std::size_t>(last - first + 1)) << from << ".." << to;
        EXPECT_TRUE(units.front().random_access);
        EXPECT_TRUE(units.front().pcr) << "a decoder has its clock at once";
        for (std::size_t i = 0; i < units.size(); ++i) {
            EXPECT_EQ(units[i].pts, all[static_cast<std::size_t>(first) + i].pts);
            EXPECT_EQ(units[i].payload, all[static_cast<std::size_t>(first) + i].payload);
        }
    }
    EXPECT_EQ(read_stream(part_of(file, 90 * second)).of(video_pid).size(), 100u) << "to its end";
}

TEST(Cut, HasTheSoundOfItsPicturesWholeAndNoOther) {
    const Clip& clip = make_clip();
    const Contents file = recorded(clip);
    const Stream whole = read_stream(file), part = read_stream(part_of(file, second, 2 * second));
    const auto pictures = part.of(video_pid), sound = part.of(audio_pid), all = whole.of(audio_pid);
    ASSERT_FALSE(sound.empty());
    EXPECT_NEAR(static_cast<double>(sound.front().pts), static_cast<double>(pictures.front().pts),
                ticks_per_second / 10.);
    EXPECT_LT(sound.back().pts, zero + 2 * ticks_per_second);
    EXPECT_GT(sound.back().pts, zero + 2 * ticks_per_second - ticks_per_second / 5);
    const auto same = [](const Pes& one, const Pes& other) { return one.payload == other.payload; };
    EXPECT_NE(std::search(all.begin(), all.end(), sound.begin(), sound.end(), same), all.end());
}

TEST(Cut, HasSoundThatJoinedLateWhole) {
    Clip clip = make_clip();
    std::erase_if(clip.units, [](const Unit& unit) { return unit.track == Clip::audio && unit.dts < 1000; });
    Session session;
    session.open(clip.only(Clip::video));
    session.write(clip, INT64_MIN, 1000);
    session.writer.track(clip.tracks[Clip::audio]);
    session.write(clip, 1000);
    session.writer.finish();
    const auto whole = session.stream().of(audio_pid);
    for (std::int64_t ms = 1100; ms < 1900; ms += 100) {
        const auto part = read_stream(part_of(session.file.contents(), 0, ms * 1000)).of(audio_pid);
        const auto first_behind =
            std::ranges::find_if(whole, [&](const Pes& unit) { return unit.pts >= zero + ms * 90; });
        ASSERT_EQ(static_cast<std::ptrdiff_t>(part.size()), first_behind - whole.begin()) << ms;
        EXPECT_EQ(part.back().payload, std::prev(first_behind)->payload) << ms;
    }
}

TEST(Cut, OfSoundAloneBeginsAtItsStart) {
    const Stream part = read_stream(part_of(recorded(sound(430)), 3 * second, 5 * second));
    const auto units = part.of(video_pid);  // the only track has the first PID
    ASSERT_FALSE(units.empty());
    EXPECT_NEAR(static_cast<double>(units.front().pts), zero + 3. * ticks_per_second, ticks_per_second / 8.);
    EXPECT_NEAR(static_cast<double>(units.back().pts), zero + 5. * ticks_per_second, ticks_per_second / 8.);
}

TEST(Cut, IsRefusedWhereTheFileHasNoSuchPart) {
    const Contents file = long_film();
    EXPECT_EQ(refusal(file, 101 * second), TD_NOT_FOUND);
    EXPECT_EQ(refusal(file, 0, 102 * second), TD_NOT_FOUND);
    EXPECT_EQ(refusal(file, 0, 100 * second), TD_OK);
    EXPECT_EQ(refusal(Contents(18800, 'x'), 0), TD_MALFORMED);
    EXPECT_EQ(refusal({}, 0), TD_MALFORMED);
}

}  // namespace
}  // namespace tapedeck::ts::test
