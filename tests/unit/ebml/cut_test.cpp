// Parts of WebM and MKV files: which blocks they have, when they are shown, and what stands around them.
#include "cut.hpp"

#include <gtest/gtest.h>

#include "reader.hpp"
#include "session.hpp"

namespace tapedeck::ebml::test {
namespace {

constexpr std::int64_t ms = 1000;

Data part_of(const Data& file, std::int64_t from_ms, std::int64_t to_ms = -1) {
    testkit::FakeHost host;
    testkit::MemoryFile source(file), target;
    MatroskaReader reader({host.table(), host.context()}, File(&source));
    reader.cut(from_ms * ms, to_ms < 0 ? TD_NO_TIME : to_ms * ms, true, File(&target));
    return target.contents();
}

td_status refusal(const Data& file, std::int64_t from_ms, std::int64_t to_ms = -1) {
    try {
        part_of(file, from_ms, to_ms);
        return TD_OK;
    } catch (const Error& e) {
        return e.status();
    }
}

/// 3 s with a key picture each second.
class CutTest : public ::testing::Test {
protected:
    CutTest() {
        session_.record(Clip::made(3000, 1000));
        raw_ = session_.file.contents();
        session_.finish();
        file_ = session_.file.contents();
    }

    /// The blocks of the source that lie in these times, moved by `zero`.
    std::vector<SeenBlock> expected(std::int64_t zero, std::int64_t to) const {
        std::vector<SeenBlock> blocks;
        for (SeenBlock block : Segment(file_).blocks()) {
            if (block.time < zero || block.time >= to) continue;
            block.time -= zero;
            blocks.push_back(block);
        }
        return blocks;
    }

    Session session_;
    Data raw_, file_;
};

TEST_F(CutTest, BeginsWithTheKeyPictureBeforeItsStartAndHasEveryBlockUpToItsEnd) {
    struct Row {
        std::int64_t from, to, zero;
    };
    for (const auto& [from, to, zero] : {Row{1500, 2200, 1000}, Row{1000, 2000, 1000}, Row{999, 1001, 0},
                                         Row{0, 3000, 0}, Row{2990, 3000, 2000}, Row{100, 110, 0}}) {
        const Segment part(part_of(file_, from, to));
        const auto blocks = part.blocks();
        const auto wanted = expected(zero, to);
        ASSERT_EQ(blocks.size(), wanted.size()) << from << ".." << to;
        for (std::size_t i = 0; i < blocks.size(); ++i) {
            EXPECT_EQ(blocks[i].time, wanted[i].time) << from << ".." << to;
            EXPECT_EQ(blocks[i].track, wanted[i].track);
            EXPECT_EQ(blocks[i].key, wanted[i].key);
            EXPECT_EQ(blocks[i].duration, wanted[i].duration);
            EXPECT_EQ(blocks[i].payload, wanted[i].payload);
        }
        EXPECT_TRUE(part.has_size);
        EXPECT_EQ(part.doc_type, "matroska");
        EXPECT_NEAR(part.self.one(id_info).one(id_duration).real(),
                    static_cast<double>(std::min<std::int64_t>(to, 3000) - zero), 20);
    }
}

TEST_F(CutTest, HasCuesOfItsOwnThatLeadToItsKeyPictures) {
    const Data part = part_of(file_, 1500);
    const Segment segment(part);
    EXPECT_EQ(segment.order(), (std::vector<std::uint32_t>{id_seek_head, id_info, id_tracks, id_cues, id_cluster}));
    const auto points = segment.self.one(id_cues).all(id_cue_point);
    ASSERT_EQ(points.size(), 2u);
    std::uint64_t time = 0;
    for (const Node& point : points) {
        EXPECT_EQ(point.one(id_cue_time).number(), time);
        const std::uint64_t at = point.one(id_cue_track_positions).one(id_cue_cluster_position).number();
        bool found = false;
        for (const Node& cluster : segment.self.all(id_cluster)) {
            if (cluster.at - segment.self.content_at != at) continue;
            EXPECT_EQ(cluster.one(id_timestamp).number(), time);
            found = true;
        }
        EXPECT_TRUE(found) << at;
        time += 1000;
    }
}

TEST_F(CutTest, IsMadeOfAFileThatIsStillWrittenAlike) {
    const Segment running(part_of(raw_, 1000, 2000)), finished(part_of(file_, 1000, 2000));
    ASSERT_EQ(running.blocks().size(), finished.blocks().size());
    for (const std::size_t less : {1u, 100u, 5000u}) {
        const Data torn(raw_.begin(), raw_.end() - static_cast<std::ptrdiff_t>(less));
        const auto all = Segment(file_).blocks().size(), left = Segment(part_of(torn, 0)).blocks().size();
        EXPECT_LT(left, all);
        EXPECT_GT(left, all / 2);
    }
}

TEST_F(CutTest, OfSoundAloneBeginsAtItsStart) {
    Session session;
    session.record(Clip::made(5000).only(1));
    session.finish();
    const auto blocks = Segment(part_of(session.file.contents(), 1234, 2000)).blocks();
    ASSERT_FALSE(blocks.empty());
    EXPECT_LT(blocks.front().time, 21);
    EXPECT_LT(blocks.back().time, 2000 - 1234);
    EXPECT_GT(blocks.back().time, 2000 - 1234 - 21);
}

TEST_F(CutTest, IsRefusedWhereTheFileHasNoSuchPart) {
    EXPECT_EQ(refusal(file_, 3100), TD_NOT_FOUND);
    EXPECT_EQ(refusal(file_, 0, 4100), TD_NOT_FOUND);
    EXPECT_EQ(refusal(file_, 0, 3500), TD_OK) << "people round";
    EXPECT_EQ(refusal(Data(100, 'x'), 0), TD_MALFORMED);
    EXPECT_EQ(refusal({}, 0), TD_MALFORMED);
    EXPECT_EQ(refusal(Data(file_.begin(), file_.begin() + 5000), 0), TD_MALFORMED) << "no cluster";
}

}  // namespace
}  // namespace tapedeck::ebml::test
