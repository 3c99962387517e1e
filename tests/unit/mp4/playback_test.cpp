// Finished files as ffmpeg and ffprobe see them.
#include <gtest/gtest.h>

#include "programs.hpp"
#include "session.hpp"

namespace tapedeck::mp4::test {
namespace {

std::filesystem::path save_finished(Session& session, const TempFolder& folder) {
    session.finish();
    const auto path = folder / "out.mp4";
    save(path, session.file.contents());
    return path;
}

TEST(Playback, HoldsEveryPacketOfTheSourceUnchangedAndDecodesWithoutAMessage) {
    for (const int b_frames : {0, 2}) {
        std::filesystem::path source;
        Recipe recipe;
        recipe.b_frames = b_frames;
        const Clip& clip = make_clip(recipe, &source);
        Session session;
        session.record(clip);
        TempFolder folder;
        const auto path = save_finished(session, folder);

        EXPECT_EQ(decode_complaints(path), "") << b_frames;
        EXPECT_EQ(packet_hashes(path, "v:0"), packet_hashes(source, "v:0")) << b_frames;
        auto sound = packet_hashes(source, "a:0");
        sound.erase(sound.begin(), sound.end() - static_cast<std::ptrdiff_t>(clip.only(Clip::audio).units.size()));
        EXPECT_EQ(packet_hashes(path, "a:0"), sound) << b_frames;
        EXPECT_EQ(probe(path, "v:0", "stream=start_time"), "0.000000") << b_frames;
        EXPECT_LT(std::stod(probe(path, "a:0", "stream=start_time")), 0.025) << b_frames;
        EXPECT_NEAR(std::stod(probe(path, "v:0", "format=duration")), 3.0, 0.05) << b_frames;
        EXPECT_EQ(probe(path, "v:0", "stream=has_b_frames"), std::to_string(b_frames > 0 ? 2 : 0)) << b_frames;
    }
}

TEST(Playback, PlaysTheUnfinishedFragmentsOfAKilledServer) {
    Session session;
    session.record(make_clip());
    TempFolder folder;
    const auto path = folder / "raw.mp4";
    save(path, session.file.contents());
    EXPECT_EQ(decode_complaints(path), "");
    EXPECT_EQ(packet_hashes(path, "v:0").size(), 90u);
}

}  // namespace
}  // namespace tapedeck::mp4::test
