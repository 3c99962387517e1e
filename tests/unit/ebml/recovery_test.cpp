// Files torn while they were recorded, and what the writer makes of them.
#include <gtest/gtest.h>

#include "file_source.hpp"
#include "scanner.hpp"
#include "session.hpp"

namespace tapedeck::ebml::test {
namespace {

/// The file as it was when only the first `size` bytes had been written.
void load_torn(Session& into, const Data& bytes, std::size_t size) {
    into.file.resize(0);
    into.file.put(0, std::span(bytes).first(size));
    into.file.resize(size);
}

TEST(Recovery, MakesAKilledFileTheOneThatAFinishWouldHaveMade) {
    const Clip clip = Clip::made(1900);
    Session whole;
    whole.record(clip);
    Session killed;
    killed.file.put(0, whole.file.contents());
    whole.finish();
    const Recovered found = recover_and_finish(killed);
    EXPECT_EQ(found.memo, R"({"stream":"cam1"})");
    EXPECT_EQ(found.duration_us, 1'920'000);
    EXPECT_TRUE(killed.file.contents() == whole.file.contents());
    const auto bytes = killed.file.contents();
    recover_and_finish(killed);
    EXPECT_TRUE(killed.file.contents() == bytes) << "the same once more";
}

TEST(Recovery, GivesBackAMemoOfAnyLengthWhole) {
    for (const std::size_t size : {0u, 1u, 113u, 5000u, 100'000u}) {
        Session session;
        session.memo = std::string(size, 'x');
        session.record(Clip::made(500));
        EXPECT_EQ(recover_and_finish(session).memo, session.memo);
        EXPECT_TRUE(session.segment().has_size);
    }
}

TEST(Recovery, KeepsEveryWholeBlockOfAFileTornAtAnyByte) {
    const Clip clip = Clip::made(1200, 400);
    Session session;
    session.record(clip);
    const auto bytes = session.file.contents();
    const Segment whole = session.segment();
    const auto data_at = whole.parts.back().at;
    ASSERT_GT(data_at, 4096u);
    std::size_t kept = 0;
    // Before the clusters a few lengths say as much as all.
    for (std::size_t size = 0; size <= bytes.size(); size += size + 100 < data_at / 2 ? 97 : 1) {
        load_torn(session, bytes, size);
        const Recovered found = recover_and_finish(session);
        if (found.packets == 0) {
            EXPECT_EQ(kept, 0u) << size;
            EXPECT_EQ(session.file.size(), size) << "it stays as it is";
            continue;
        }
        const Segment segment = session.segment();
        ASSERT_TRUE(segment.has_size) << size;
        const auto blocks = segment.blocks();
        ASSERT_GE(blocks.size(), kept) << size;
        kept = blocks.size();
        ASSERT_LE(kept, clip.units.size());
        ASSERT_EQ(blocks.back().payload, clip.units[kept - 1].data) << size;
        ASSERT_LE(session.file.size(), size) << size;
    }
    EXPECT_EQ(kept, clip.units.size());
}

TEST(Recovery, LosesAtMostTheTornBlock) {
    const Clip clip = Clip::made(400).only(1);
    Session session;
    session.record(clip);
    const auto bytes = session.file.contents();
    for (std::size_t unit = 1; unit + 1 < clip.units.size(); ++unit) {
        const auto& data = clip.units[unit].data;
        const auto at = std::search(bytes.begin(), bytes.end(), data.begin(), data.end());
        ASSERT_NE(at, bytes.end());
        const auto end = static_cast<std::size_t>(at - bytes.begin()) + data.size();
        load_torn(session, bytes, end);
        EXPECT_EQ(recover_and_finish(session).packets, unit + 1);
        load_torn(session, bytes, end - 1);
        EXPECT_EQ(recover_and_finish(session).packets, unit);
    }
}

TEST(Recovery, DropsWhatNeverReachedTheDisk) {
    const Clip clip = Clip::made(3000);
    Session session;
    session.record(clip);
    const auto bytes = session.file.contents();
    const std::size_t whole = session.segment().blocks().size();
    const std::size_t blocks_of_disk = bytes.size() / 512;
    for (std::size_t lost = 1; lost < 24; ++lost) {
        // As after a loss of power: the length is there, and zeros from a sector on.
        Data torn(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>((blocks_of_disk - lost) * 512));
        torn.resize(bytes.size());
        load_torn(session, torn, torn.size());
        recover_and_finish(session);
        const auto blocks = session.segment().blocks();
        EXPECT_LT(blocks.size(), whole);
        EXPECT_GT(blocks.size(), whole / 2);
        for (std::size_t i = 0; i < blocks.size(); ++i) ASSERT_EQ(blocks[i].payload, clip.units[i].data) << lost;
    }
}

TEST(Recovery, DropsABlockWithAHoleInItsMidst) {
    Session session;
    session.open({vp8()});
    session.write({0, true, 0, 0, 40, vp8_key(0, 300)});
    session.write({0, false, 40, 40, 40, payload(0, 40, 9000)});
    session.write({0, false, 80, 80, 40, payload(0, 80, 300)});
    session.writer.flush();
    const std::uint64_t hole = (session.file.size() - 6000) / 512 * 512;
    session.file.put(hole, Data(512));
    EXPECT_EQ(recover_and_finish(session).packets, 1u);
    EXPECT_EQ(session.segment().blocks().size(), 1u);
}

TEST(Recovery, TakesZerosInSoundForSilence) {
    Session session;
    session.open({Track(TD_AUDIO, TD_CODEC_G722, {1, 1000})});
    constexpr std::int64_t frames = 30;
    for (std::int64_t n = 0; n < frames; ++n) {
        if (n % 10 == 0) session.writer.flush();
        session.write({0, true, n * 100, n * 100, 100, Data(2000)});
    }
    session.writer.flush();
    EXPECT_EQ(recover_and_finish(session).packets, 21u) << "one of the first cluster, all of the last two";
    EXPECT_EQ(session.segment().blocks().size(), static_cast<std::size_t>(frames));
    const auto bytes = session.file.contents();
    recover_and_finish(session);
    EXPECT_TRUE(session.file.contents() == bytes) << "whole files stay as they are";
}

TEST(Recovery, DropsSoundThatRunsIntoAHole) {
    Session session;
    session.open({Track(TD_AUDIO, TD_CODEC_G722, {1, 1000})});
    for (std::int64_t n = 0; n < 10; ++n) session.write({0, true, n * 100, n * 100, 100, payload(0, n, 2000)});
    session.writer.flush();
    session.file.put((session.file.size() - 5000) / 512 * 512, Data(5512));
    recover_and_finish(session);
    const auto blocks = session.segment().blocks();
    EXPECT_EQ(blocks.size(), 7u);
    for (std::size_t n = 0; n < blocks.size(); ++n)
        EXPECT_EQ(blocks[n].payload, payload(0, static_cast<std::int64_t>(n), 2000));
}

TEST(Recovery, EndsInTheSameBytesAfterACrashWhileATornFileIsFinished) {
    Session session;
    session.record(Clip::made(2000));
    const auto bytes = session.file.contents();
    const std::size_t size = bytes.size() - 1000;
    load_torn(session, bytes, size);
    recover_and_finish(session);
    const auto expected = session.file.contents();
    for (std::uint64_t step = 0; step < 8; ++step) {
        load_torn(session, bytes, size);
        session.file.crash_after(step);
        try {
            recover_and_finish(session);
        } catch (const Error&) {
        }
        session.file.heal();
        recover_and_finish(session);
        EXPECT_TRUE(session.file.contents() == expected) << step;
    }
}

TEST(Recovery, LeavesFilesOfOthersAlone) {
    for (const std::size_t size : {0u, 5u, 4096u, 100'000u}) {
        Session session;
        session.file.put(0, payload(0, 1, size));
        EXPECT_EQ(recover_and_finish(session).packets, 0u);
        EXPECT_EQ(session.file.size(), size);
    }
}

TEST(Recovery, ReadsNotTheMediaButForTheLastTwoClusters) {
    Session session;
    session.host.settings.set("cluster_size", "64m");
    session.open({vp8()});
    constexpr std::int64_t clusters = 50;
    for (std::int64_t n = 0; n < clusters; ++n) session.write({0, true, n * 1000, n * 1000, 1000, vp8_key(n, 1 << 20)});
    session.writer.flush();
    const auto reads = session.file.calls(testkit::Call::read);
    MatroskaWriter again(session.context(), format);
    Recovered found;
    again.recover(File(&session.file), session.recording(), found);
    EXPECT_EQ(found.packets, static_cast<std::uint64_t>(clusters));
    EXPECT_LT(session.file.calls(testkit::Call::read) - reads, 700u) << "two of 1 MB in pieces of 4 KB, and one each";
}

}  // namespace
}  // namespace tapedeck::ebml::test
