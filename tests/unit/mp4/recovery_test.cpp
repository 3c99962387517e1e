// Files torn while they were recorded, and what the writer makes of them.
#include <gtest/gtest.h>

#include <random>

#include "box_walker.hpp"
#include "file_source.hpp"
#include "programs.hpp"
#include "scanner.hpp"
#include "session.hpp"

namespace tapedeck::mp4::test {
namespace {

/// The file as it was when only the first `size` bytes had been written.
void load_torn(Session& into, const std::vector<std::uint8_t>& bytes, std::size_t size) {
    into.file.resize(0);
    into.file.put(0, std::span(bytes).first(size));
    into.file.resize(size);
}

TEST(Recovery, MakesAKilledFileTheOneThatAFinishWouldHaveMade) {
    const Clip& clip = make_clip();
    Session whole;
    whole.record(clip);
    Session killed;
    killed.file.put(0, whole.file.contents());
    whole.finish();
    const Recovered found = recover_and_finish(killed);
    EXPECT_EQ(found.memo, R"({"stream":"cam1"})");
    EXPECT_EQ(found.packets, clip.units.size());
    EXPECT_NEAR(static_cast<double>(found.duration_us), 3.0e6, 40000);
    EXPECT_TRUE(killed.file.contents() == whole.file.contents());
}

TEST(Recovery, GivesBackAMemoOfAnyLengthWhole) {
    for (const std::size_t size : {0, 1, 7, 8, 5000}) {
        Session session;
        session.memo = std::string(size, 'x');
        session.record(make_clip());
        EXPECT_EQ(recover_and_finish(session).memo, session.memo);
        EXPECT_EQ(order_of(session.file.contents()), "ftyp free moov free mdat");
    }
}

TEST(Recovery, KeepsEveryWholeSampleOfAFileTornAnywhere) {
    const Clip& clip = make_clip();
    Session session;
    session.record(clip);
    const auto bytes = session.file.contents();
    const BoxAt first = box(bytes, "mdat");
    std::mt19937 random(7);
    TempFolder folder;
    for (int round = 0; round < 120; ++round) {
        const auto size = std::uniform_int_distribution<std::size_t>(0, bytes.size())(random);
        load_torn(session, bytes, size);
        const Recovered found = recover_and_finish(session);
        const auto file = session.file.contents();
        if (found.packets == 0) {
            EXPECT_LT(size, first.at + 8 + clip.units[0].data.size());
            continue;
        }
        const auto moov = box(file, "moov").payload;
        std::uint64_t expected = 0;
        for (std::size_t track = 0; track < all(moov, "trak").size(); ++track) {
            const Clip part = clip.only(static_cast<std::uint32_t>(track));
            const auto samples = samples_of(moov, track);
            expected += samples.size();
            for (std::size_t i = 0; i < samples.size(); ++i) {
                const auto from = file.begin() + static_cast<std::ptrdiff_t>(samples[i].at);
                ASSERT_TRUE(std::equal(part.units[i].data.begin(), part.units[i].data.end(), from)) << size;
            }
        }
        EXPECT_EQ(found.packets, expected);
        if (round % 20 == 0) {
            save(folder / "t.mp4", file);
            EXPECT_EQ(decode_complaints(folder / "t.mp4"), "") << size;
        }
        // The same once more: nothing is lost by a second recovery.
        recover_and_finish(session);
        EXPECT_TRUE(session.file.contents() == file) << size;
    }
}

TEST(Recovery, LosesAtMostTheTornSampleWithinAnMdat) {
    const Clip clip = make_clip().only(Clip::video);
    Session session;
    session.record(clip);
    const auto bytes = session.file.contents();
    const BoxAt last = all(bytes, "mdat").back();
    std::size_t in_last = 0;
    for (const Unit& unit : clip.units) in_last += unit.dts >= 2500;
    std::uint64_t at = last.at + 8;
    for (std::size_t kept = 0; kept < in_last; ++kept) {
        for (const std::uint64_t more :
             {std::uint64_t{0}, clip.units[clip.units.size() - in_last + kept].data.size() - 1}) {
            load_torn(session, bytes, at + more);
            EXPECT_EQ(recover_and_finish(session).packets, clip.units.size() - in_last + kept);
        }
        at += clip.units[clip.units.size() - in_last + kept].data.size();
    }
}

TEST(Recovery, EndsInTheSameBytesAfterACrashWhileATornFileIsFinished) {
    Session session;
    session.record(make_clip());
    const auto bytes = session.file.contents();
    for (const char* moov_first : {"true", "false"}) {
        session.host.settings.set("moov_first", moov_first);
        const std::size_t size = bytes.size() - 20000;
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
            EXPECT_TRUE(session.file.contents() == expected) << step << moov_first;
        }
    }
}

TEST(Recovery, DropsWhatNeverReachedTheDisk) {
    const Clip& clip = make_clip();
    Session session;
    session.record(clip);
    const auto bytes = session.file.contents();
    const auto mdats = all(bytes, "mdat");
    for (const std::size_t back : {1, 2}) {
        auto holed = bytes;
        const BoxAt& mdat = mdats[mdats.size() - back];
        const auto middle = (mdat.at + mdat.size / 2) / 4096 * 4096;
        std::fill_n(holed.begin() + static_cast<std::ptrdiff_t>(middle), 4096, std::uint8_t{0});
        load_torn(session, holed, holed.size());
        const Recovered found = recover_and_finish(session);
        EXPECT_LT(found.packets, clip.units.size());
        EXPECT_GT(found.packets, clip.units.size() * (6 - back) / 6);
        TempFolder folder;
        save(folder / "h.mp4", session.file.contents());
        EXPECT_EQ(decode_complaints(folder / "h.mp4"), "");
        const auto once = session.file.contents();
        recover_and_finish(session);
        EXPECT_TRUE(session.file.contents() == once);
    }
}

TEST(Recovery, FindsNothingInForeignAndEmptyFiles) {
    for (const std::vector<std::uint8_t>& bytes :
         {std::vector<std::uint8_t>{}, std::vector<std::uint8_t>(100000, 0), std::vector<std::uint8_t>(5000, 'x')}) {
        Session session;
        session.file.put(0, bytes);
        EXPECT_EQ(recover_and_finish(session).packets, 0u);
        EXPECT_TRUE(session.file.contents() == bytes);
    }
    std::filesystem::path source;
    make_clip({}, &source);
    TempFolder folder;
    ASSERT_EQ(output_of("ffmpeg -nostdin -v error -i " + source.string() + " -c copy " + (folder / "f.mp4").string()),
              "");
    Session session;
    session.file.put(0, load(folder / "f.mp4"));
    EXPECT_EQ(recover_and_finish(session).packets, 0u);
}

TEST(Recovery, ReadsLittleOfTheMedia) {
    Session session;
    session.record(make_clip().repeated(20));
    const auto found = scan(FileSource(File(&session.file)));
    ASSERT_TRUE(found);
    EXPECT_LT(session.file.calls(testkit::Call::read), 120u * 3 + 120);
}

}  // namespace
}  // namespace tapedeck::mp4::test
