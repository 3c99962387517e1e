// The bytes of the stream: packets, clock, tables, counters.
#include <gtest/gtest.h>

#include <algorithm>

#include "session.hpp"

namespace tapedeck::ts::test {
namespace {

constexpr std::int64_t clock_second = 27'000'000;

/// The longest time from one clock reference to the next.
std::int64_t longest_step(const Stream& stream) {
    const auto clocks = stream.clocks();
    std::int64_t longest = 0;
    for (std::size_t i = 1; i < clocks.size(); ++i) {
        EXPECT_GE(clocks[i], clocks[i - 1]) << "the clock falls back";
        longest = std::max(longest, clocks[i] - clocks[i - 1]);
    }
    return longest;
}

/// Every unit has wholly arrived before it is decoded: the next clock reference behind it is not later than that.
void expect_clock_before_decoding(const Stream& stream) {
    for (const Pes& pes : stream.units) {
        const std::size_t last = pes.at + (pes.payload.size() + 14) / 184;
        for (const PacketAt& packet : stream.packets) {
            if (!packet.pcr || packet.at <= last) continue;
            EXPECT_LE(*packet.pcr, pes.decoded() * 300) << "packet " << pes.at;
            break;
        }
    }
}

std::vector<std::int64_t> every(std::int64_t step_ms, std::size_t count) {
    std::vector<std::int64_t> times;
    for (std::size_t i = 0; i < count; ++i) times.push_back(static_cast<std::int64_t>(i) * step_ms);
    return times;
}

TEST(Clock, ComesAtLeastEvery100MsAtAnyFrameRate) {
    for (const std::int64_t step : {16, 20, 33, 40, 99, 100, 101, 200, 1000, 7300}) {
        Session session;
        session.record(pictures(every(step, 30)));
        const Stream stream = session.stream();
        EXPECT_LE(longest_step(stream), clock_second / 10) << step;
        EXPECT_GE(stream.clocks().back() - stream.clocks().front(), (29 * step - 100) * clock_second / 1000) << step;
        expect_clock_before_decoding(stream);
    }
}

TEST(Clock, ComesAtLeastEvery100MsInSoundAlone) {
    Session session;
    session.flush_ms = 22050;
    session.record(sound(500));
    const Stream stream = session.stream();
    EXPECT_EQ(stream.clock_pid, video_pid) << "the first track's";
    EXPECT_LE(longest_step(stream), clock_second / 10);
    EXPECT_GE(stream.clocks().back() - stream.clocks().front(), 499 * 1024 * clock_second / 44100 - clock_second / 10);
    expect_clock_before_decoding(stream);
}

TEST(Clock, GoesOnThroughAPauseOfBothTracksAndOneOfThePicture) {
    Clip paused = make_clip();
    for (Unit& unit : paused.units)
        if (unit.dts > 1000) unit.dts += 30000, unit.pts += 30000;
    Clip still = make_clip();
    std::erase_if(still.units, [](const Unit& u) { return u.track == Clip::video && u.dts > 500; });
    for (const Clip& clip : {paused, still}) {
        Session session;
        session.record(clip);
        EXPECT_LE(longest_step(session.stream()), clock_second / 10);
        expect_clock_before_decoding(session.stream());
    }
}

TEST(Clock, FlagsAVeryLongGapInsteadOfFillingIt) {
    Session session;
    session.record(pictures({0, 40, 3'600'000, 3'600'040}));
    const Stream stream = session.stream();
    EXPECT_LT(stream.packets.size(), 100u);
    EXPECT_EQ(std::ranges::count(stream.packets, true, &PacketAt::discontinuity), 1);
    std::int64_t last = stream.clocks().front();
    for (const PacketAt& packet : stream.packets) {
        if (!packet.pcr) continue;
        if (!packet.discontinuity) {
            EXPECT_LE(*packet.pcr - last, clock_second / 10);
        }
        last = *packet.pcr;
    }
}

TEST(Clock, RunsBehindTheDecodingTimesOfBFrames) {
    Recipe recipe;
    recipe.b_frames = 3;
    recipe.more = "-x264-params b-pyramid=1";
    const Clip& clip = make_clip(recipe);
    Session session;
    session.record(clip);
    const Stream stream = session.stream();
    EXPECT_LE(longest_step(stream), clock_second / 10);
    expect_clock_before_decoding(stream);
    const auto units = stream.of(video_pid);
    const Clip video = clip.only(Clip::video);
    ASSERT_EQ(units.size(), video.units.size());
    for (std::size_t i = 0; i < units.size(); ++i) {
        EXPECT_EQ(units[i].pts, zero + video.units[i].pts * 90);
        EXPECT_EQ(units[i].decoded(), zero + video.units[i].dts * 90);
    }
}

TEST(Clock, WaitsForPicturesThatAreReorderedOverALongTime) {
    Recipe recipe;
    recipe.b_frames = 3;
    recipe.seconds = "12";
    recipe.more = "-r 2";
    Clip clip = make_clip(recipe);
    const Unit& first = *std::ranges::find(clip.units, Clip::video, &Unit::track);
    const std::int64_t reorder = first.pts - first.dts;
    ASSERT_GT(reorder, 500) << "more than the clock's lead";
    // The recorder's order: that in which they are shown.
    std::ranges::stable_sort(clip.units, {}, [reorder](const Unit& unit) {
        return unit.track == Clip::video ? unit.dts + reorder : unit.pts;
    });
    Session session;
    session.open(clip);
    for (const Unit& unit : clip.units) session.write(unit);
    session.writer.finish();
    EXPECT_LE(longest_step(session.stream()), clock_second / 10);
    expect_clock_before_decoding(session.stream());
}

TEST(Clock, WrapsAt33BitsAndLeavesNoTrace) {
    const std::int64_t round = (std::int64_t{1} << 33) / 90, begin = round - 10000 - 2000;
    std::vector<std::int64_t> times = every(40, 100);
    for (auto& time : times) time += begin;
    Session session;
    session.record(pictures(times));
    const Stream stream = session.stream();
    const auto units = stream.of(video_pid);
    ASSERT_EQ(units.size(), 100u);
    const std::int64_t mask = (std::int64_t{1} << 33) - 1;
    for (std::size_t i = 0; i < units.size(); ++i) EXPECT_EQ(units[i].pts, (zero + times[i] * 90) & mask);
    EXPECT_LT(units.back().pts, units.front().pts);
    const auto clocks = stream.clocks();
    int wraps = 0;
    for (std::size_t i = 1; i < clocks.size(); ++i) {
        wraps += clocks[i] < clocks[i - 1];
        const std::int64_t step = (clocks[i] - clocks[i - 1] + (mask + 1) * 300) % ((mask + 1) * 300);
        EXPECT_LE(step, clock_second / 10);
    }
    EXPECT_EQ(wraps, 1);
}

TEST(Tables, StandBeforeEveryKeyPictureAndAtMostHalfASecondApart) {
    for (const std::int64_t step : {33, 200}) {
        Session session;
        session.record(pictures(every(step, 60), 25));
        const Stream stream = session.stream();
        for (const Pes& pes : stream.of(video_pid)) {
            if (!pes.random_access) continue;
            std::size_t at = pes.at - 1;
            while (stream.packets[at].pid == private_pid) --at;  // at the file's start
            EXPECT_EQ(stream.packets[at].pid, 0x1000u);
            EXPECT_EQ(stream.packets[at - 1].pid, 0u);
        }
        std::int64_t clock = stream.clocks().front(), table = clock;
        for (const PacketAt& packet : stream.packets) {
            if (packet.pcr) clock = *packet.pcr;
            if (packet.pid != 0) continue;
            EXPECT_LE(clock - table, clock_second / 2);
            table = clock;
        }
    }
}

TEST(Tables, NameEachTrackByItsType) {
    Session session;
    session.record(make_clip());
    EXPECT_EQ(session.stream().types, (std::map<unsigned, unsigned>{{video_pid, 0x1b}, {audio_pid, 0x0f}}));
    EXPECT_EQ(session.stream().clock_pid, video_pid);
}

TEST(Pictures, KeyOnesAreRandomAccessPointsWithAClockReference) {
    const Clip& clip = make_clip();
    Session session;
    session.record(clip);
    const auto units = session.stream().of(video_pid);
    const Clip video = clip.only(Clip::video);
    ASSERT_EQ(units.size(), video.units.size());
    for (std::size_t i = 0; i < units.size(); ++i) {
        EXPECT_EQ(units[i].random_access, video.units[i].key) << i;
        if (units[i].random_access) {
            EXPECT_TRUE(units[i].pcr) << i;
        }
    }
}

TEST(Pictures, OfEverySizeFillTheirPacketsExactly) {
    for (std::size_t size = 6; size < 600; ++size) {
        Session session;
        session.record(pictures({0, 10}, 10, size));
        const auto units = session.stream().of(video_pid);  // throws when a packet is not right
        ASSERT_EQ(units.size(), 2u) << size;
        EXPECT_EQ(nals_of(units[1].payload).at(1).size(), size - 4);
    }
    for (const std::size_t size : {65'000u, 65'500u, 65'520u, 65'530u, 65'536u, 70'000u, 1'000'000u}) {
        Session session;
        session.record(pictures({0, 10}, 10, size));
        const auto units = session.stream().of(video_pid);
        ASSERT_EQ(units.size(), 2u) << size;
        EXPECT_EQ(units[1].length_field == 0, size > 65'521) << size;
        EXPECT_EQ(nals_of(units[1].payload).at(1).size(), size - 4);
    }
}

TEST(Sound, FramesShareAPesPacketWhileTheyFollowEachOther) {
    Clip clip = sound(100);
    for (std::size_t i = 50; i < clip.units.size(); ++i) clip.units[i].pts = clip.units[i].dts += 5000;
    Session session;
    session.flush_ms = 1 << 20;
    session.record(clip);
    std::vector<Contents> frames;
    const auto units = session.stream().of(0x100);
    EXPECT_LT(units.size(), 40u);
    for (const Pes& pes : units) {
        EXPECT_EQ(pes.pts, zero + (clip.units[frames.size()].pts * 90000 + 22050) / 44100);
        EXPECT_NE(pes.length_field, 0u);
        for (auto& frame : adts_frames(pes.payload)) frames.push_back(std::move(frame));
    }
    ASSERT_EQ(frames.size(), clip.units.size());
    for (std::size_t i = 0; i < frames.size(); ++i) EXPECT_EQ(frames[i], clip.units[i].data);
}

TEST(Sound, BeforeTimeZeroKeepsItsTime) {
    Session session;
    session.record(sound(4, -1024));
    EXPECT_EQ(session.stream().units.front().pts, zero - 2090);
}

TEST(Counters, GoOnWhereAWriteFailed) {
    const Clip& clip = make_clip();
    Session session;
    session.open(clip);
    session.write(clip, INT64_MIN, 1000);
    const std::uint64_t before = session.file.size();
    session.file.fail(testkit::Call::write, 1, TD_NO_SPACE);
    EXPECT_THROW(session.write(clip, 1000, 1400), Error);
    session.write(clip, 2000);
    session.writer.finish();
    EXPECT_GT(session.file.size(), before);
    const Stream stream = session.stream();  // throws when a counter jumps
    EXPECT_LE(longest_step(stream), clock_second / 10);
    std::size_t expected = 0;
    for (const Unit& unit : clip.units) expected += unit.track == Clip::video && (unit.dts < 1000 || unit.dts >= 2000);
    EXPECT_EQ(stream.of(video_pid).size(), expected);
}

TEST(Counters, BeginAnewWhenTheVeryFirstWriteFailed) {
    const Clip& clip = make_clip();
    Session session;
    session.open(clip);
    session.file.fail(testkit::Call::write, 1, TD_NO_SPACE);
    EXPECT_THROW(session.write(clip, INT64_MIN, 400), Error);
    session.write(clip, 1000);
    session.writer.finish();
    EXPECT_EQ(session.stream().types.size(), 2u);
    EXPECT_EQ(session.stream().packets[0].pid, 0u);
    EXPECT_EQ(recover_and_finish(session).memo, session.memo);
}

}  // namespace
}  // namespace tapedeck::ts::test
