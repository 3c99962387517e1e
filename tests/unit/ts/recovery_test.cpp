// Files torn while they were recorded, and what the writer makes of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "programs.hpp"
#include "session.hpp"

namespace tapedeck::ts::test {
namespace {

void load_torn(Session& into, const Contents& bytes, std::size_t size) {
    into.file.resize(0);
    into.file.put(0, std::span(bytes).first(size));
    into.file.resize(size);
}

/// How many packets of the recorder are in the file, by the reader's eyes.
std::size_t count(const Stream& stream) {
    std::size_t packets = stream.of(video_pid).size();
    for (const Pes& pes : stream.of(audio_pid)) packets += adts_frames(pes.payload).size();
    return packets;
}

TEST(Recovery, LeavesAWholeFileAsItIsAndKnowsItsFacts) {
    const Clip& clip = make_clip();
    Session session;
    session.record(clip);
    const auto before = session.file.contents();
    const Recovered found = recover_and_finish(session);
    EXPECT_EQ(found.memo, session.memo);
    EXPECT_EQ(found.packets, clip.units.size());
    std::int64_t end = 0;
    for (const Unit& unit : clip.units) end = std::max(end, unit.pts + unit.duration);
    EXPECT_EQ(found.duration_us, end * 1000);
    EXPECT_TRUE(session.file.contents() == before);
}

TEST(Recovery, KeepsEveryWholePacketOfAFileTornAtEveryLength) {
    const Clip& clip = make_clip();
    Session session;
    session.record(clip);
    const auto bytes = session.file.contents();
    const Stream whole = read_stream(bytes);
    std::size_t last = 0;
    std::int64_t last_us = 0;
    Session torn;
    for (std::size_t size = 0; size <= bytes.size(); size += size % 188 == 0 ? 1 : 187) {
        load_torn(torn, bytes, size);
        const Recovered found = recover_and_finish(torn);
        if (found.packets == 0) {
            EXPECT_EQ(last, 0u) << size;
            EXPECT_EQ(torn.file.size(), size) << "it is left as it was";
            continue;
        }
        EXPECT_EQ(found.memo, torn.memo);
        EXPECT_GE(found.packets, last) << size;
        EXPECT_GE(found.duration_us, last_us - 2000) << size << ": an estimate but for the clip's own rounding";
        EXPECT_LE(torn.file.size(), size);
        last = found.packets;
        last_us = found.duration_us;
        if (size % (188 * 16) > 1) continue;
        const auto file = torn.file.contents();
        const Stream stream = read_stream(file);  // throws when a PES packet is torn
        EXPECT_EQ(found.packets, count(stream)) << size;
        EXPECT_TRUE(std::equal(file.begin(), file.end(), bytes.begin()));
        // At most the PES packet that was torn is missing.
        std::size_t units = 0;
        for (const Pes& pes : whole.units) units += (pes.at + pes.payload.size() / 184 + 2) * 188 <= size;
        EXPECT_GE(stream.units.size() + 1, units) << size;
        // The same once more: nothing is lost by a second recovery.
        EXPECT_EQ(recover_and_finish(torn).packets, found.packets) << size;
        EXPECT_TRUE(torn.file.contents() == file) << size;
    }
    EXPECT_EQ(last, clip.units.size());
}

TEST(Recovery, GivesFilesThatDecodeWithoutAMessage) {
    Recipe recipe;
    recipe.b_frames = 2;
    Session session;
    session.record(make_clip(recipe));
    const auto bytes = session.file.contents();
    std::mt19937 random(11);
    mp4::test::TempFolder folder;
    for (int round = 0; round < 8; ++round) {
        load_torn(session, bytes, std::uniform_int_distribution<std::size_t>(30000, bytes.size())(random));
        ASSERT_NE(recover_and_finish(session).packets, 0u);
        mp4::test::save(folder / "t.ts", session.file.contents());
        EXPECT_EQ(mp4::test::decode_complaints(folder / "t.ts"), "") << session.file.size();
    }
}

TEST(Recovery, GivesBackAMemoOfAnyLengthWhole) {
    for (const std::size_t size : {0u, 1u, 160u, 170u, 171u, 172u, 4084u, 4085u, 5000u, 100000u}) {
        Session session;
        session.memo.clear();
        for (std::size_t i = 0; i < size; ++i) session.memo += static_cast<char>('a' + i % 23);
        session.record(make_clip());
        const auto bytes = session.file.contents();
        EXPECT_EQ(read_stream(bytes).types.size(), 2u);
        EXPECT_EQ(recover_and_finish(session).memo, session.memo) << size;
        load_torn(session, bytes, bytes.size() - 1);
        EXPECT_EQ(recover_and_finish(session).memo, session.memo) << size;
    }
}

TEST(Recovery, CutsBeforeBlocksThatNeverReachedTheDisk) {
    const Clip& clip = make_clip();
    Session session;
    session.record(clip);
    const auto bytes = session.file.contents();
    for (const std::size_t from_end : {8192u, 16384u, 32768u}) {
        auto holed = bytes;
        const std::size_t hole = (bytes.size() - from_end) / 4096 * 4096;
        std::fill_n(holed.begin() + static_cast<std::ptrdiff_t>(hole), 4096, std::uint8_t{0});
        load_torn(session, holed, holed.size());
        const Recovered found = recover_and_finish(session);
        EXPECT_LE(session.file.size(), hole);
        EXPECT_GT(session.file.size() + 20000, hole);
        EXPECT_EQ(found.packets, count(session.stream()));
        EXPECT_LT(found.packets, clip.units.size());
    }
}

TEST(Recovery, CutsWherePacketsAreMissing) {
    struct Row {
        std::size_t picture, missing;
        const char* what;
    };
    // Of pictures over 64 KB the length is not told, so that only the counter shows the loss; 16 lost packets leave no
    // trace in the counter, so that only the length does.
    for (const auto& [picture, missing, what] : {Row{70000, 1, "counter"}, Row{20000, 16, "length"}}) {
        Session session;
        session.record(pictures({0, 40, 80, 120, 160, 200, 240, 280}, 10, picture));
        auto bytes = session.file.contents();
        const Pes torn = session.stream().of(video_pid).at(5);
        const auto from = bytes.begin() + static_cast<std::ptrdiff_t>((torn.at + 20) * 188);
        bytes.erase(from, from + static_cast<std::ptrdiff_t>(missing * 188));
        load_torn(session, bytes, bytes.size());
        const Recovered found = recover_and_finish(session);
        EXPECT_EQ(found.packets, 5u) << what;
        EXPECT_EQ(session.stream().of(video_pid).size(), 5u) << what;
    }
}

TEST(Recovery, FollowsTheTimeOverTheWrapOf33Bits) {
    const std::int64_t begin = (std::int64_t{1} << 33) / 90 - 10000 - 2000;
    std::vector<std::int64_t> times(100);
    for (std::size_t i = 0; i < times.size(); ++i) times[i] = begin + static_cast<std::int64_t>(i) * 40;
    Session session;
    session.record(pictures(times));
    const auto bytes = session.file.contents();
    load_torn(session, bytes, bytes.size() - 188 * 3);  // without the last mark
    const Recovered found = recover_and_finish(session);
    EXPECT_EQ(found.packets, 99u);
    EXPECT_EQ(found.duration_us, (times[98] + 40) * 1000);
}

TEST(Recovery, FindsNothingInForeignAndEmptyFiles) {
    std::filesystem::path source;
    make_clip({}, &source);
    mp4::test::TempFolder folder;
    ASSERT_EQ(mp4::test::output_of("ffmpeg -nostdin -v error -i " + source.string() + " -c copy " +
                                   (folder / "f.ts").string()),
              "");
    for (const Contents& bytes :
         {Contents{}, Contents(100000, 0), Contents(5000, 0x47), mp4::test::load(folder / "f.ts")}) {
        Session session;
        session.file.put(0, bytes);
        session.file.resize(bytes.size());
        EXPECT_EQ(recover_and_finish(session).packets, 0u);
        EXPECT_TRUE(session.file.contents() == bytes);
    }
}

TEST(Recovery, ReadsOnlyTheHeadAndTheEnd) {
    Session session;
    session.record(make_clip().repeated(60));
    const std::uint64_t before = session.file.calls(testkit::Call::read);
    EXPECT_EQ(recover_and_finish(session).packets, make_clip().units.size() * 60);
    EXPECT_LE(session.file.calls(testkit::Call::read) - before, 6u) << "of at most 385 KB each";
    EXPECT_GT(session.file.size(), 4'000'000u);
}

TEST(Recovery, EndsTheSameWayAfterAFailureWhileTheFileIsFinished) {
    Session session;
    session.record(make_clip());
    const auto bytes = session.file.contents();
    load_torn(session, bytes, bytes.size() - 1000);
    TsWriter writer(session.context());
    Recovered found;
    writer.recover(File(&session.file), session.recording(), found);
    session.file.fail(testkit::Call::truncate, 1, TD_FAILED);
    EXPECT_THROW(writer.finish(), Error);
    writer.finish();
    EXPECT_EQ(found.packets, count(session.stream()));
}

}  // namespace
}  // namespace tapedeck::ts::test
