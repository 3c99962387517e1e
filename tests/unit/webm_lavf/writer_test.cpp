// libavformat's WebM writer over a host's file.
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <utility>

#include "lavf_writer.hpp"
#include "session.hpp"

namespace tapedeck::webm_lavf::test {
namespace {

using ebml::test::Clip;
using ebml::test::opus;
using ebml::test::Segment;
using ebml::test::Unit;
using ebml::test::vp8;
using testkit::Call;

class Recorded : public tapedeck::test::WriterSession<LavfWriter, Clip> {
public:
    Recorded() { flush_ms = 1'000'000; }
};

/// The file has the clip's media but for the last `missing` units.
void expect_media(const Recorded& recorded, const Clip& clip, std::size_t missing = 0) {
    const auto blocks = Segment(recorded.file.contents()).blocks();
    ASSERT_EQ(blocks.size(), clip.units.size() - missing);
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        EXPECT_EQ(blocks[i].payload, clip.units[i].data) << i;
        EXPECT_EQ(blocks[i].time, clip.units[i].pts + (clip.units[i].track == 1 ? 7 : 0)) << i;
    }
}

TEST(LavfWriter, AFlushPutsAllPacketsIntoTheFileButTheLastOfTheSound) {
    const Clip clip = Clip::made(1000);
    const long before = testkit::CountedBuffer::live;
    Recorded recorded;
    recorded.open(clip.tracks);
    recorded.write(clip);
    expect_media(recorded, clip, 1);
    EXPECT_EQ(testkit::CountedBuffer::live, before);
}

TEST(LavfWriter, AFinishedFileHasCuesAndDuration) {
    const Clip clip = Clip::made(2000);
    Recorded recorded;
    recorded.open(clip.tracks);
    recorded.write(clip);
    recorded.finish();
    const Segment segment(recorded.file.contents());
    EXPECT_TRUE(segment.has_size);
    const auto order = segment.order();
    EXPECT_EQ(order.back(), ebml::id_cues);
    expect_media(recorded, clip);
}

TEST(LavfWriter, ATornFileIsWrittenAnewWithItsMemoKept) {
    const Clip clip = Clip::made(2000);
    Recorded recorded;
    recorded.open(clip.tracks);
    recorded.write(clip);
    for (int round = 0; round < 2; ++round) {
        LavfWriter again(recorded.context());
        Recovered found;
        again.recover(File(&recorded.file), recorded.recording(), found);
        EXPECT_EQ(found.memo, R"({"stream":"cam1"})");
        EXPECT_EQ(found.packets, clip.units.size() - 1);
        EXPECT_NEAR(static_cast<double>(found.duration_us), 2e6, 45'000);
        again.finish();
        recorded.file.finish();
        EXPECT_TRUE(Segment(recorded.file.contents()).has_size);
        expect_media(recorded, clip, 1);
    }
}

TEST(LavfWriter, ATornTailIsLeftOut) {
    const Clip clip = Clip::made(2000);
    Recorded recorded;
    recorded.open(clip.tracks);
    recorded.write(clip);
    recorded.file.resize(recorded.file.size() - 30);
    LavfWriter again(recorded.context());
    Recovered found;
    again.recover(File(&recorded.file), recorded.recording(), found);
    again.finish();
    recorded.file.finish();
    EXPECT_LT(found.packets, clip.units.size());
    const auto blocks = Segment(recorded.file.contents()).blocks();
    EXPECT_EQ(blocks.size(), found.packets);
    for (std::size_t i = 0; i < blocks.size(); ++i) EXPECT_EQ(blocks[i].payload, clip.units[i].data);
}

TEST(LavfWriter, AFailedEndIsMadeGoodByTheNextTry) {
    const Clip clip = Clip::made(1000);
    Recorded recorded;
    recorded.open(clip.tracks);
    recorded.write(clip);
    recorded.file.fail(Call::write, 1, TD_FAILED);
    EXPECT_THROW(recorded.writer.finish(), Error);
    recorded.finish();
    EXPECT_TRUE(Segment(recorded.file.contents()).has_size);
    expect_media(recorded, clip, 1);
}

/// Key pictures that the Cues name where they are; all entries; all key pictures.
std::array<std::size_t, 3> indexed(const Segment& segment) {
    std::map<std::pair<std::uint64_t, std::uint64_t>, int> keys;  // cluster's place and time
    std::vector<std::uint64_t> clusters;
    std::size_t entries = 0, right = 0;
    for (const auto& part : segment.parts)
        if (part.id == ebml::id_cluster) clusters.push_back(part.at - segment.self.content_at);
    for (const auto& block : segment.blocks(1))
        if (block.key) ++keys[{clusters[block.cluster], static_cast<std::uint64_t>(block.time)}];
    for (const auto& part : segment.parts) {
        if (part.id != ebml::id_cues) continue;
        for (const auto& point : part.all(ebml::id_cue_point)) {
            const auto place = point.one(ebml::id_cue_track_positions).one(ebml::id_cue_cluster_position).number();
            right += keys.contains({place, point.one(ebml::id_cue_time).number()}) ? 1 : 0;
            ++entries;
        }
    }
    return {right, entries, keys.size()};
}

TEST(LavfWriter, AClusterThatCannotBeWrittenLeavesAVoidAndTheIndexRight) {
    const Clip clip = Clip::made(5000, 2000);
    for (const std::int64_t lost : {1000, 2000, 3000}) {  // the cluster before; in that of 2000 is no key picture
        Recorded recorded;
        recorded.open(clip.tracks);
        int failed = 0;
        for (const Unit& unit : clip.units) {
            if (unit.track == 0 && unit.pts != 0 && unit.pts % 1000 == 0) {
                if (unit.pts == lost) recorded.file.fail(Call::write, 1, TD_NO_SPACE);
                try {
                    recorded.writer.flush();
                } catch (const Error& e) {
                    EXPECT_EQ(e.status(), TD_NO_SPACE);
                    ++failed;
                }
            }
            recorded.write(unit);
        }
        recorded.finish();
        EXPECT_EQ(failed, 1) << lost;
        const Segment segment(recorded.file.contents());
        EXPECT_TRUE(segment.has_size) << lost;
        EXPECT_LT(segment.blocks().size(), clip.units.size()) << lost;
        const auto [right, entries, keys] = indexed(segment);
        EXPECT_EQ(right, keys) << lost;
        EXPECT_EQ(entries, keys) << lost;
        EXPECT_EQ(keys, lost == 2000 ? 3u : 2u) << lost;
    }
}

TEST(LavfWriter, WhatTheFileSaysIsWhatTheHostHears) {
    const Clip clip = Clip::made(1000);
    Recorded recorded;
    recorded.open(clip.tracks);
    recorded.write(clip);
    recorded.write({1, true, 1000, 1000, 20, ebml::test::payload(1, 1000, 60)});
    recorded.file.fail(Call::write, 1, TD_NO_SPACE);
    try {
        recorded.writer.flush();
        ADD_FAILURE() << "no error";
    } catch (const Error& e) {
        EXPECT_EQ(e.status(), TD_NO_SPACE);
    }
    recorded.write({1, true, 1020, 1020, 20, ebml::test::payload(1, 1020, 60)});
    recorded.writer.flush();
}

TEST(LavfWriter, SoundWaitsForThePictureWhoseSizeIsNotKnown) {
    const Clip clip = Clip::made(200);
    const long before = testkit::CountedBuffer::live;
    {
        Recorded recorded;
        recorded.open(clip.tracks);
        recorded.write({1, true, 0, 0, 20, ebml::test::payload(1, 0, 60)});
        recorded.writer.flush();
        EXPECT_EQ(recorded.file.size(), 0u);
        recorded.write({0, true, 0, 0, 40, ebml::test::vp8_key(0, 100)});
        recorded.writer.flush();
        recorded.finish();
        EXPECT_EQ(Segment(recorded.file.contents()).blocks().size(), 2u);
    }
    EXPECT_EQ(testkit::CountedBuffer::live, before);
}

TEST(LavfWriter, NewTracksAndParametersAreRefused) {
    Recorded recorded;
    recorded.open({vp8(), opus()});
    Track larger = vp8();
    larger.track.width = 640;
    recorded.writer.track(larger);
    recorded.writer.track(opus());
    EXPECT_THROW(recorded.writer.track(opus(2)), Error);
    EXPECT_THROW(recorded.writer.track(Track(TD_VIDEO, TD_CODEC_VP9, {1, 1000}, 0)), Error);
    EXPECT_THROW(Recorded().open({Track(TD_VIDEO, TD_CODEC_H264, {1, 1000}, 0)}), Error);
    recorded.writer.finish();
    EXPECT_EQ(recorded.file.size(), 0u) << "a file without a packet stays empty";
}

TEST(LavfWriter, FilesOfTheServersOwnWriterAreLeftToIt) {
    ebml::test::Session own;
    own.record(Clip::made(500));
    Recorded recorded;
    recorded.file.put(0, own.file.contents());
    Recovered found;
    recorded.writer.recover(File(&recorded.file), recorded.recording(), found);
    EXPECT_EQ(found.packets, 0u);
    EXPECT_EQ(found.memo, "");
}

TEST(LavfWriter, FilesOfOthersAreLeftAlone) {
    for (const std::size_t size : {0u, 5u, 100'000u}) {
        Recorded recorded;
        recorded.file.put(0, ebml::test::payload(0, 1, size));
        Recovered found;
        recorded.writer.recover(File(&recorded.file), recorded.recording(), found);
        EXPECT_EQ(found.packets, 0u);
    }
}

}  // namespace
}  // namespace tapedeck::webm_lavf::test
