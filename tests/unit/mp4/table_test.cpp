// The packed sample table and the time line, without files.
#include <gtest/gtest.h>

#include <random>

#include "box_walker.hpp"
#include "sample_table.hpp"
#include "table_boxes.hpp"
#include "timeline.hpp"

namespace tapedeck::mp4::test {
namespace {

TEST(Table, GivesBackWhatWasAppended) {
    std::mt19937_64 random(3);
    SampleTable table;
    std::vector<mp4::Run> runs;
    std::vector<std::vector<Sample>> samples;
    std::int64_t time = 5;
    for (int i = 0; i < 300; ++i) {
        runs.push_back({random() >> 20, time += static_cast<std::int64_t>(random() % 100000), 1 + i % 3u});
        samples.emplace_back();
        for (std::uint64_t n = 1 + random() % 40; n > 0; --n)
            samples.back().push_back({static_cast<std::uint32_t>(random()), static_cast<std::uint32_t>(random()),
                                      static_cast<std::int32_t>(random()), random() % 2 == 0});
        table.append(runs.back(), samples.back());
    }
    SampleTable::Cursor cursor(table);
    for (std::size_t i = 0; i < runs.size(); ++i) {
        const auto run = cursor.next_run();
        ASSERT_TRUE(run);
        EXPECT_EQ(run->position, runs[i].position);
        EXPECT_EQ(run->decode_time, runs[i].decode_time);
        EXPECT_EQ(run->description, runs[i].description);
        ASSERT_EQ(run->count, samples[i].size());
        for (const Sample& sample : samples[i]) EXPECT_EQ(cursor.next_sample(), sample);
    }
    EXPECT_FALSE(cursor.next_run());
}

TEST(Table, TakesLessThanTwelveBytesASample) {
    std::mt19937 engine(5);
    const auto random = [&] { return static_cast<std::uint32_t>(engine()); };
    SampleTable picture, sound;
    std::int64_t time = 0;
    std::uint64_t at = 0;
    for (int fragment = 0; fragment < 7200; ++fragment) {  // an hour, B-frames, jittering times
        std::vector<Sample> samples;
        for (int i = 0; i < 15; ++i)
            samples.push_back({2000 + random() % 20000, 2800 + random() % 400,
                               static_cast<std::int32_t>(random() % 9) * 3000, fragment % 4 == 0 && i == 0});
        picture.append({at, time, 1}, samples);
        for (const Sample& sample : samples) at += sample.size, time += sample.duration;
        std::vector<Sample> frames(22, Sample{250 + random() % 50, 1024, 0, true});
        sound.append({at, fragment * 22528, 1}, frames);
        at += 22 * 280;
    }
    EXPECT_LT(picture.memory(), picture.samples() * 12);
    EXPECT_LT(sound.memory(), sound.samples() * 6);
}

std::vector<std::uint32_t> words(const Bytes& boxes, const char* type) {
    const BoxAt found = box(boxes, type);
    std::vector<std::uint32_t> all;
    for (std::size_t at = 4; at + 4 <= found.payload.size(); at += 4) all.push_back(found.u32(at));
    return all;
}

TEST(Table, LengthensTheSampleBeforeALostFragment) {
    SampleTable table;
    const std::vector<Sample> two(2, Sample{10, 100, 0, true});
    table.append({0, 0, 1}, two);
    table.append({20, 1000, 1}, two);
    Bytes boxes;
    BoxWriter writer(boxes);
    EXPECT_EQ(write_table_boxes(writer, table, {}, false, 4096, false), 1200u);
    EXPECT_EQ(words(boxes, "stts"), (std::vector<std::uint32_t>{3, 1, 100, 1, 900, 2, 100}));
    EXPECT_EQ(words(boxes, "stco"), (std::vector<std::uint32_t>{2, 4096, 4116}));
    EXPECT_EQ(words(boxes, "stsc"), (std::vector<std::uint32_t>{1, 1, 2, 1}));
}

TEST(Placement, HidesPausesOrStretchesByWhereTheTrackBegins) {
    const auto begins = [](std::int64_t at, std::int32_t composition) {
        SampleTable table;
        table.append({0, at, 1}, std::vector<Sample>{{1, 100, composition, true}});
        return table;
    };
    EXPECT_EQ(place(begins(0, 0), true, 0), (Placement{0, 0, 0}));
    EXPECT_EQ(place(begins(0, 66), true, 66), (Placement{0, 66, 0}));
    EXPECT_EQ(place(begins(0, 0), false, 1024), (Placement{0, 1024, 0}));
    EXPECT_EQ(place(begins(500, 0), false, 0), (Placement{500, 0, 0}));
    EXPECT_EQ(place(begins(500, 66), true, 0), (Placement{0, 66, 566}));
    EXPECT_EQ(place(begins(500, 0), false, 1024), (Placement{0, 524, 0})) << "the fragment with the priming is lost";
}

td_packet packet(std::int64_t pts, std::int64_t dts, std::int64_t duration) {
    td_packet made{};
    made.pts = pts;
    made.dts = dts;
    made.duration = duration;
    return made;
}

TEST(Timeline, CountsSoundInWholeFramesThoughItsTimesAreMilliseconds) {
    Timeline line({1, 1000}, 44100, 1024);
    std::int64_t expected = 0;
    for (int i = 0; i < 10000; ++i) {
        const std::int64_t from = i * 1024000LL / 44100, to = (i + 1) * 1024000LL / 44100;
        const auto stamp = line.place(packet(from, from, to - from));
        EXPECT_EQ(stamp.decode, expected);
        EXPECT_EQ(stamp.end, expected += 1024);
    }
}

TEST(Timeline, KeepsARealGapInSound) {
    Timeline line({1, 1000}, 48000, 1024);
    EXPECT_EQ(line.place(packet(0, 0, 21)).end, 1024);
    EXPECT_EQ(line.place(packet(21, 21, 500)).end, 521 * 48);
    EXPECT_EQ(line.place(packet(521, 521, 21)).decode, 521 * 48);
}

TEST(Timeline, FollowsASourceThatDrifts) {
    Timeline line({1, 1000}, 48000, 1024);
    Timeline::Stamp stamp;
    for (int i = 0; i < 100000; ++i) {  // 21.5 ms a frame where 21.333 are due
        const std::int64_t from = i * 215 / 10, to = (i + 1) * 215 / 10;
        stamp = line.place(packet(from, from, to - from));
        EXPECT_LE(std::abs(stamp.decode - from * 48), 11 * 48);
    }
}

TEST(Timeline, RisesWhateverTheSourceSays) {
    Timeline line({1, 1000}, 1000, 0);
    std::int64_t last = -1;
    for (const std::int64_t dts : {0, 40, 40, 30, 80, -500, 120}) {
        const auto stamp = line.place(packet(dts, dts, 40));
        EXPECT_GT(stamp.decode, last);
        EXPECT_GE(stamp.composition, 0);
        last = stamp.decode;
    }
    EXPECT_EQ(last, 120);
}

}  // namespace
}  // namespace tapedeck::mp4::test
