// Tracks that join a file which was begun without them.
#include <gtest/gtest.h>

#include <random>

#include "box_walker.hpp"
#include "programs.hpp"
#include "session.hpp"

namespace tapedeck::mp4::test {
namespace {

constexpr std::int64_t join_ms = 1500;
constexpr std::size_t silent_frames = 64;  // of 1024 samples of 44100 Hz, that fit into 1.5 s

/// The clip with a track of which nothing comes before 1.5 s.
Clip late(std::uint32_t track, const Recipe& recipe = {}) {
    Clip clip = make_clip(recipe);
    std::erase_if(clip.units, [&](const Unit& unit) { return unit.track == track && unit.dts < join_ms; });
    if (track == Clip::video) {  // a recorder gives it from a key picture on
        const auto key = std::ranges::find_if(clip.units, [&](const Unit& u) { return u.track == track && u.key; });
        const std::int64_t first = key->dts;
        std::erase_if(clip.units, [&](const Unit& unit) { return unit.track == track && unit.dts < first; });
    }
    return clip;
}

/// As the recorder does: the track is told when its first packet is there.
void record(Session& session, const Clip& clip, std::uint32_t track) {
    session.open(clip.only(track == Clip::video ? Clip::audio : Clip::video));
    session.write(clip, INT64_MIN, join_ms);
    session.writer.track(clip.tracks[track]);
    session.write(clip, join_ms);
}

std::string start_of(const std::filesystem::path& path, const std::string& stream) {
    return probe(path, stream, "stream=start_time");
}

class LateTrack : public testing::Test {
protected:
    std::filesystem::path saved(const Session& session) {
        save(folder_ / "j.mp4", session.file.contents());
        return folder_ / "j.mp4";
    }
    TempFolder folder_;
};

TEST_F(LateTrack, OfSoundIsPrecededBySilence) {
    const Clip clip = late(Clip::audio);
    Session session;
    record(session, clip, Clip::audio);
    session.finish();
    const auto file = session.file.contents();
    EXPECT_EQ(order_of(file), "ftyp free moov free mdat");
    const auto sound = samples_of(box(file, "moov").payload, 1);
    ASSERT_EQ(sound.size(), clip.only(Clip::audio).units.size() + silent_frames);
    for (std::size_t i = 0; i < silent_frames; ++i) EXPECT_EQ(sound[i].size, 4) << i;
    EXPECT_GT(sound[silent_frames].size, 6);
    EXPECT_EQ(box(file, "moov/trak/tkhd", 1).u32(0) & 1, 1u) << "players choose it";
    const auto path = saved(session);
    EXPECT_EQ(decode_complaints(path), "");
    EXPECT_EQ(start_of(path, "v:0"), "0.000000");
    EXPECT_LT(std::stod(start_of(path, "a:0")), 0.03);
    EXPECT_NEAR(std::stod(probe(path, "a:0", "stream=duration")), 3.0, 0.05);
}

TEST_F(LateTrack, OfVideoShowsItsFirstPictureFromTheBeginning) {
    for (const int b_frames : {0, 3}) {
        Recipe recipe;
        recipe.b_frames = b_frames;
        const Clip clip = late(Clip::video, recipe);
        Session session;
        record(session, clip, Clip::video);
        session.finish();
        const auto pictures = samples_of(box(session.file.contents(), "moov").payload, 1);
        const Clip video = clip.only(Clip::video);
        ASSERT_EQ(pictures.size(), video.units.size());
        EXPECT_EQ(pictures[0].dts, 0);
        const std::int64_t shift = pictures[0].composition;  // hidden by the edit
        for (std::size_t i = 1; i < pictures.size(); ++i)
            EXPECT_EQ(pictures[i].dts + pictures[i].composition - shift, video.units[i].pts) << i;
        const auto path = saved(session);
        EXPECT_EQ(decode_complaints(path), "");
        EXPECT_EQ(start_of(path, "v:0"), "0.000000");
        EXPECT_LT(std::stod(start_of(path, "a:0")), 0.03);
    }
}

TEST_F(LateTrack, LeavesAKilledFilePlayableWithTheTracksOfItsBeginning) {
    const Clip clip = late(Clip::audio);
    Session session;
    record(session, clip, Clip::audio);
    const auto path = saved(session);
    EXPECT_EQ(decode_complaints(path), "");
    EXPECT_EQ(probe(path, "v:0 -count_packets", "stream=nb_read_packets"), "90");
    EXPECT_EQ(start_of(path, "a:0"), "") << "players would refuse fragments of a track that the moov does not name";
}

TEST_F(LateTrack, IsRecoveredAsItWouldHaveBeenFinished) {
    for (const std::uint32_t track : {Clip::video, Clip::audio}) {
        const Clip clip = late(track);
        Session killed;
        record(killed, clip, track);
        Session whole;
        record(whole, clip, track);
        whole.finish();
        const Recovered found = recover_and_finish(killed);
        EXPECT_EQ(found.packets, clip.units.size() + (track == Clip::audio ? silent_frames : 0));
        EXPECT_NEAR(static_cast<double>(found.duration_us), 3.0e6, 40000);
        EXPECT_TRUE(killed.file.contents() == whole.file.contents());
        recover_and_finish(killed);
        EXPECT_TRUE(killed.file.contents() == whole.file.contents()) << "a finished file too";
    }
}

TEST_F(LateTrack, IsKeptAsFarAsAFileThatIsTornAnywhereHasIt) {
    const Clip clip = late(Clip::audio);
    Session session;
    record(session, clip, Clip::audio);
    const auto bytes = session.file.contents();
    const auto first = all(bytes, "uuid").front().at;
    std::mt19937 random(5);
    for (int round = 0; round < 60; ++round) {
        const auto size = std::uniform_int_distribution<std::size_t>(first, bytes.size())(random);
        session.file.resize(0);
        session.file.put(0, std::span(bytes).first(size));
        const Recovered found = recover_and_finish(session);
        const auto file = session.file.contents();
        const auto moov = box(file, "moov").payload;
        std::size_t count = 0;
        for (std::size_t track = 0; track < all(moov, "trak").size(); ++track) {
            const auto samples = samples_of(moov, track);
            count += samples.size();
            const Clip part = clip.only(static_cast<std::uint32_t>(track));
            const std::size_t skip = track == 0 ? 0 : silent_frames;
            for (std::size_t i = skip; i < samples.size(); ++i) {
                const auto from = file.begin() + static_cast<std::ptrdiff_t>(samples[i].at);
                const auto& data = part.units[i - skip].data;
                ASSERT_TRUE(std::equal(data.begin(), data.end(), from)) << size;
            }
        }
        EXPECT_EQ(found.packets, count) << size;
        if (round % 20 == 0) {
            EXPECT_EQ(decode_complaints(saved(session)), "") << size;
        }
        recover_and_finish(session);
        EXPECT_TRUE(session.file.contents() == file) << size;
    }
}

TEST_F(LateTrack, MayChangeItsParametersToo) {
    Recipe recipe;
    recipe.size = "160x90";
    const Clip clip = late(Clip::video), other = make_clip(recipe);
    const auto record_both = [&](Session& session) {
        record(session, clip, Clip::video);
        session.writer.track(other.tracks[Clip::video]);
        for (Unit unit : other.only(Clip::video).units) {
            unit.dts += 3000, unit.pts += 3000;
            session.write(unit);
        }
        session.writer.flush();
    };
    Session session, killed;
    record_both(session);
    record_both(killed);
    session.finish();
    recover_and_finish(killed);
    EXPECT_TRUE(killed.file.contents() == session.file.contents());
    const auto moov = box(session.file.contents(), "moov").payload;
    EXPECT_EQ(box(moov, "trak/mdia/minf/stbl/stsd", 1).u32(4), 2u);
    EXPECT_EQ(samples_of(moov, 1).back().description, 2u);
    EXPECT_EQ(decode_complaints(saved(session)), "");
}

TEST_F(LateTrack, OfWhichNothingComesLeavesNoTrace) {
    const Clip clip = make_clip().only(Clip::video);
    Session alone, session;
    alone.record(clip);
    alone.finish();
    session.record(clip);
    session.writer.track(make_clip().tracks[Clip::audio]);
    session.finish();
    EXPECT_TRUE(session.file.contents() == alone.file.contents());
}

TEST_F(LateTrack, MayBeOneOfMany) {
    Session session;
    const Clip& clip = make_clip();
    session.record(clip);
    constexpr std::uint32_t more = 20;
    for (std::uint32_t index = 2; index < 2 + more; ++index) {
        Track track(clip.tracks[Clip::audio]);
        track.track.index = index;
        session.writer.track(track);
    }
    for (const Unit& unit : clip.only(Clip::audio).units) {
        for (std::uint32_t index = 2; index < 2 + more; ++index) {
            Unit one = unit;
            one.track = index;
            one.dts += 3000, one.pts += 3000;
            session.write(one);
        }
    }
    session.writer.flush();
    EXPECT_GT(recover_and_finish(session).packets, clip.units.size());
    const auto moov = box(session.file.contents(), "moov").payload;
    ASSERT_EQ(all(moov, "trak").size(), 2 + more);
    for (std::size_t track = 2; track < 2 + more; ++track) {
        EXPECT_EQ(box(moov, "trak/tkhd", track).u32(0) & 1, 0u) << "only the first of its kind is chosen";
        EXPECT_EQ(samples_of(moov, track).back().dts, samples_of(moov, 2).back().dts);
    }
}

}  // namespace
}  // namespace tapedeck::mp4::test
