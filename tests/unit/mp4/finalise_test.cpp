// Finishing in every way the file allows, and a crash before each of its steps.
#include <gtest/gtest.h>

#include <functional>

#include "box_walker.hpp"
#include "programs.hpp"
#include "session.hpp"

namespace tapedeck::mp4::test {
namespace {

using testkit::Call;

/// One way of finishing: settings and what the file refuses.
struct Way {
    const char* name;
    const char* order;
    std::function<void(Session&)> prepare;
};

/// Its index does not fit into the blocks that every file has before its fragments.
Clip long_clip() {
    return make_clip().repeated(6);
}

std::vector<Way> ways() {
    return {
        {"insert", "ftyp free moov free mdat", [](Session&) {}},
        {"reserve", "ftyp free moov free mdat", [](Session& s) { s.host.settings.set("reserve", "true"); }},
        {"reserve too small", "ftyp free moov free mdat",
         [](Session& s) {
             s.host.settings.set("reserve", "true");
             s.host.settings.set("reserve_size", "4");
         }},
        {"rewrite", "ftyp free moov free mdat", [](Session& s) { s.file.unsupported(Call::insert); }},
        {"rewrite without copy", "ftyp free moov free mdat",
         [](Session& s) {
             s.file.unsupported(Call::insert);
             s.file.unsupported(Call::copy);
         }},
        {"nothing offered", "ftyp free free mdat moov",
         [](Session& s) {
             s.file.unsupported(Call::insert);
             s.file.unsupported(Call::rewrite);
         }},
        {"moov last wanted", "ftyp free free mdat moov",
         [](Session& s) { s.host.settings.set("moov_first", "false"); }},
    };
}

void refuse_again(const Way& way, Session& session) {
    session.file.heal();
    way.prepare(session);
}

TEST(Finalise, EndsInAPlayableFileWhateverTheFileRefuses) {
    const Clip clip = long_clip();
    for (const Way& way : ways()) {
        Session session;
        way.prepare(session);
        session.record(clip);
        session.finish();
        EXPECT_EQ(order_of(session.file.contents()), way.order) << way.name;
        TempFolder folder;
        save(folder / "f.mp4", session.file.contents());
        EXPECT_EQ(decode_complaints(folder / "f.mp4"), "") << way.name;
        EXPECT_EQ(samples_of(box(session.file.contents(), "moov").payload, 0).size(), 6 * 90u) << way.name;
    }
}

TEST(Finalise, NeedsNothingFromTheFileWhileTheIndexIsSmall) {
    Session session;
    session.record(make_clip());
    session.finish();
    EXPECT_EQ(session.file.calls(Call::insert) + session.file.calls(Call::rewrite), 0u);
    EXPECT_EQ(order_of(session.file.contents()), "ftyp free moov free mdat");
}

TEST(Finalise, EndsInTheSameBytesAfterACrashBeforeAnyStep) {
    const Clip clip = long_clip();
    for (const Way& way : ways()) {
        Session whole;
        way.prepare(whole);
        whole.record(clip);
        whole.finish();
        const auto expected = whole.file.contents();

        bool crashed = true;
        int steps = 0;
        for (std::uint64_t step = 0; crashed; ++step)
            for (const std::uint64_t torn : {0, 3}) {
                Session session;
                way.prepare(session);
                session.record(clip);
                session.file.crash_after(step, torn);
                try {
                    session.writer.finish();
                } catch (const Error&) {
                }
                crashed = session.file.crashed();
                if (!crashed) {  // the host was killed after the last step
                    session.file.finish();
                }
                refuse_again(way, session);
                const Recovered found = recover_and_finish(session);
                EXPECT_EQ(found.packets, clip.units.size()) << way.name << ", step " << step;
                EXPECT_TRUE(session.file.contents() == expected) << way.name << ", step " << step << ", " << torn;
                ++steps;
            }
        EXPECT_GT(steps, std::string(way.name).starts_with("rewrite") ? 0 : 6) << way.name;
    }
}

TEST(Finalise, LeavesTheFileAsItIsWhileARewriteIsMade) {
    Session session;
    session.file.unsupported(Call::insert);
    session.record(long_clip());
    const auto before = session.file.contents();
    session.writer.finish();
    EXPECT_TRUE(session.file.contents() == before) << "the host is killed before it takes the rewrite";
    ASSERT_NE(session.file.fresh(), nullptr);
    EXPECT_EQ(order_of(session.file.fresh()->contents()), "ftyp free moov free mdat");
}

TEST(Finalise, EndsInTheSameBytesWhenCalledAgainAfterAFailure) {
    const Clip clip = long_clip();
    for (const Way& way : ways()) {
        Session whole;
        way.prepare(whole);
        whole.record(clip);
        whole.finish();
        for (const Call call : {Call::write, Call::sync, Call::truncate, Call::length, Call::insert})
            for (unsigned nth = 1; nth <= 5; ++nth) {
                Session session;
                way.prepare(session);
                session.record(clip);
                session.file.fail(call, nth, TD_FAILED);
                try {
                    session.writer.finish();
                } catch (const Error&) {
                    session.writer.finish();
                }
                session.file.finish();
                EXPECT_TRUE(session.file.contents() == whole.file.contents())
                    << way.name << ", call " << static_cast<int>(call) << ", " << nth;
            }
    }
}

TEST(Finalise, IsIdempotentOnAFinishedFile) {
    for (const Way& way : ways()) {
        Session session;
        way.prepare(session);
        session.record(long_clip());
        session.finish();
        const auto expected = session.file.contents();
        for (int again = 0; again < 2; ++again) {
            EXPECT_EQ(recover_and_finish(session).memo, session.memo) << way.name;
            EXPECT_TRUE(session.file.contents() == expected) << way.name;
        }
    }
}

TEST(Finalise, PutsTheIndexBehindTheMediaWhereTheDiskIsFull) {
    Session session;
    session.file.fail(Call::insert, 1, TD_NO_SPACE);
    session.file.unsupported(Call::rewrite);
    session.record(long_clip());
    session.finish();
    EXPECT_EQ(order_of(session.file.contents()), "ftyp free free mdat moov");
}

TEST(Finalise, DropsTheRewriteThatTheDiskHadNoRoomFor) {
    Session session;
    session.file.unsupported(Call::insert);
    session.file.unsupported(Call::copy);
    session.record(long_clip());
    session.file.fail(Call::read, 1, TD_NO_SPACE, 1000);
    session.finish();
    ASSERT_NE(session.file.fresh(), nullptr);
    EXPECT_EQ(session.file.fresh()->size(), 0u);
    EXPECT_EQ(order_of(session.file.contents()), "ftyp free free mdat moov");
}

TEST(Finalise, GoesOnBehindAFragmentThatCouldNotBeWritten) {
    const Clip clip = long_clip();
    for (const unsigned nth : {1u, 2u, 5u}) {  // the head, the first fragment, another one
        Session session;
        session.open(clip);
        session.file.fail(Call::write, nth, TD_NO_SPACE);
        std::int64_t lost_from = INT64_MAX;
        for (std::int64_t from = -100; from < 18000; from += 1000) try {
                session.write(clip, from, from + 1000);
            } catch (const Error& e) {
                EXPECT_EQ(e.status(), TD_NO_SPACE);
                lost_from = from;
            }
        EXPECT_NE(lost_from, INT64_MAX);
        testkit::MemoryFile killed(session.file.contents());
        session.finish();
        const auto file = session.file.contents();
        const auto samples = samples_of(box(file, "moov").payload, 0);
        EXPECT_GT(samples.size(), 6 * 90u - 31);
        EXPECT_LT(samples.size(), 6 * 90u);
        Session again;
        again.file.put(0, killed.contents());
        recover_and_finish(again);
        EXPECT_TRUE(again.file.contents() == file) << nth;
    }
}

TEST(Finalise, WritesNoMoreThanTheIndexAndALittle) {
    const Clip clip = long_clip();
    Session session;
    session.host.settings.set("reserve", "true");
    session.record(clip);
    EXPECT_GE(session.file.size(), 2048u * 1024) << "no file is smaller than its reserve";
    const auto before = session.file.bytes_written();
    session.finish();
    const auto moov = box(session.file.contents(), "moov").size;
    EXPECT_LE(session.file.bytes_written() - before, moov + 64);
    EXPECT_EQ(session.file.calls(Call::insert), 0u);
}

TEST(Finalise, SyncsBeforeAndAfterTheStepThatMakesTheFilePlayable) {
    Session session;
    session.record(long_clip());
    session.finish();
    EXPECT_EQ(session.file.calls(Call::sync), 3u) << "room stated, index written, flipped";
}

TEST(Finalise, LeavesAFileWithoutPacketsAlone) {
    Session session;
    session.open(make_clip());
    session.writer.flush();
    session.finish();
    EXPECT_EQ(session.file.size(), 0u);
}

}  // namespace
}  // namespace tapedeck::mp4::test
