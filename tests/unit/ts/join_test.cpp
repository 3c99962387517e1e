// Tracks that join a file which was begun without them.
#include <gtest/gtest.h>

#include <algorithm>

#include "programs.hpp"
#include "session.hpp"

namespace tapedeck::ts::test {
namespace {

constexpr std::int64_t join_ms = 1500;

/// The clip with a track of which nothing comes before 1.5 s, and no picture before a key picture.
Clip late(std::uint32_t track) {
    Clip clip = make_clip();
    const auto is_first = [&](const Unit& unit) { return unit.track == track && unit.dts >= join_ms && unit.key; };
    const std::int64_t first = std::ranges::find_if(clip.units, is_first)->dts;
    std::erase_if(clip.units, [&](const Unit& unit) { return unit.track == track && unit.dts < first; });
    return clip;
}

void record(Session& session, const Clip& clip, std::uint32_t track) {
    session.open(clip.only(track == Clip::video ? Clip::audio : Clip::video));
    session.write(clip, INT64_MIN, join_ms);
    session.writer.track(clip.tracks[track]);
    session.write(clip, join_ms);
}

std::size_t frames(const Stream& stream, unsigned pid) {
    std::size_t count = 0;
    for (const Pes& pes : stream.of(pid)) count += adts_frames(pes.payload).size();
    return count;
}

TEST(LateTrack, StandsInTheNextVersionOfTheMapAndBeginsAtItsTime) {
    for (const std::uint32_t track : {Clip::video, Clip::audio}) {
        const Clip clip = late(track);
        Session session;
        record(session, clip, track);
        session.writer.finish();
        const Stream stream = session.stream();
        EXPECT_EQ(stream.versions, (std::vector<unsigned>{0, 1}));
        EXPECT_EQ(stream.clock_pid, 0x100u) << "the clock stays where it was";
        const unsigned sound_pid = track == Clip::audio ? 0x101 : 0x100, picture_pid = 0x201 - sound_pid;
        EXPECT_EQ(frames(stream, sound_pid), clip.only(Clip::audio).units.size());
        EXPECT_EQ(stream.of(picture_pid).size(), clip.only(Clip::video).units.size());
        EXPECT_EQ(stream.of(0x101).front().pts, zero + clip.only(track).units.front().pts * 90);
        EXPECT_EQ(stream.of(picture_pid).front().random_access, true);
        mp4::test::TempFolder folder;
        mp4::test::save(folder / "j.ts", session.file.contents());
        EXPECT_EQ(mp4::test::decode_complaints(folder / "j.ts"), "");
    }
}

TEST(LateTrack, IsRecoveredFromAFileTornAnywhere) {
    const Clip clip = late(Clip::audio);
    Session session;
    record(session, clip, Clip::audio);
    const auto bytes = session.file.contents();
    Session torn;
    std::size_t last = 0;
    for (std::size_t size = bytes.size() / 376 * 188; size <= bytes.size(); size += 188) {
        torn.file.resize(0);
        torn.file.put(0, std::span(bytes).first(size));
        const Recovered found = recover_and_finish(torn);
        const Stream stream = torn.stream();
        EXPECT_EQ(found.packets, stream.of(0x100).size() + frames(stream, 0x101)) << size;
        last = found.packets;
    }
    EXPECT_EQ(last, clip.units.size());
}

TEST(LateTrack, IsInTheTablesBeforeItsPacketsAlsoWhenAWriteFailedBetween) {
    const Clip clip = late(Clip::audio);
    Session session;
    session.open(clip.only(Clip::video));
    session.write(clip, INT64_MIN, join_ms);
    session.writer.track(clip.tracks[Clip::audio]);
    session.file.fail(testkit::Call::write, 1, TD_NO_SPACE);
    EXPECT_THROW(session.write(clip, join_ms, join_ms + 100), Error);
    session.write(clip, join_ms + 100);
    session.writer.finish();
    const Stream stream = session.stream();  // passes over packets of a PID that no table has named
    const auto lost = std::ranges::count_if(
        clip.units, [](const Unit& unit) { return unit.track == Clip::audio && unit.dts < join_ms + 100; });
    EXPECT_EQ(frames(stream, 0x101), clip.only(Clip::audio).units.size() - static_cast<std::size_t>(lost));
}

TEST(LateTrack, MayBeOneOfSoManyThatTheMapTakesTwoPackets) {
    Session session;
    const Clip& clip = make_clip();
    session.open(clip);
    session.write(clip);
    for (std::uint32_t index = 2; index < 60; ++index) {
        Track track(clip.tracks[Clip::audio]);
        track.track.index = index;
        session.writer.track(track);
    }
    for (Unit unit : clip.units) {
        unit.dts += 3000, unit.pts += 3000;
        session.write(unit);
    }
    session.writer.flush();
    EXPECT_EQ(recover_and_finish(session).packets, 2 * clip.units.size());
}

TEST(LateTrack, OfACodecThatHasNoPlaceIsRefusedAndTheOthersGoOn) {
    const Clip& clip = make_clip();
    Session session;
    session.open(clip);
    session.write(clip, INT64_MIN, join_ms);
    try {
        session.writer.track(Track(TD_AUDIO, TD_CODEC_OPUS, {1, 1000}, 2));
        ADD_FAILURE();
    } catch (const Error& e) {
        EXPECT_EQ(e.status(), TD_UNSUPPORTED);
    }
    session.write(clip, join_ms);
    session.writer.finish();
    EXPECT_EQ(session.stream().versions, std::vector<unsigned>{0});
    EXPECT_EQ(session.stream().of(video_pid).size(), clip.only(Clip::video).units.size());
}

}  // namespace
}  // namespace tapedeck::ts::test
