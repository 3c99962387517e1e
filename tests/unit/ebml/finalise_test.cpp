// The last steps: Cues, Duration and sizes, in place.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "finaliser.hpp"
#include "session.hpp"

namespace tapedeck::ebml::test {
namespace {

using testing::ElementsAre;
using testkit::Call;

Node part(const Segment& segment, std::uint32_t id) {
    for (const Node& node : segment.parts)
        if (node.id == id) return node;
    throw std::runtime_error("no such part");
}

/// Cues lead to clusters that begin at their time, and SeekHead to what it says.
void expect_positions_hold(const Segment& segment) {
    const auto at = [&](std::uint64_t position) {
        for (const Node& node : segment.parts)
            if (node.at == segment.self.content_at + position) return node;
        throw std::runtime_error("nothing begins there");
    };
    for (const Node& point : part(segment, id_cues).all(id_cue_point)) {
        const Node cluster = at(point.one(id_cue_track_positions).one(id_cue_cluster_position).number());
        EXPECT_EQ(cluster.id, id_cluster);
        EXPECT_EQ(cluster.one(id_timestamp).number(), point.one(id_cue_time).number());
    }
    for (const Node& seek : part(segment, id_seek_head).all(id_seek))
        EXPECT_EQ(at(seek.one(id_seek_position).number()).id, seek.one(id_seek_id).number());
}

/// So many key pictures that the Cues do not fit into their slot.
Clip many_keys() {
    Clip clip;
    clip.tracks = {vp8()};
    for (std::int64_t ms = 0; ms < 40 * 1000; ms += 40) clip.units.push_back({0, true, ms, ms, 40, vp8_key(ms, 50)});
    return clip;
}

TEST(Finish, PutsCuesInFrontAndStatesDurationAndSize) {
    Session session;
    session.record(Clip::made(3500, 1000));
    const auto before = session.file.bytes_written();
    session.finish();
    EXPECT_LT(session.file.bytes_written() - before, 1000u) << "the media is not written again";
    const Segment segment = session.segment();
    EXPECT_TRUE(segment.has_size);
    EXPECT_THAT(segment.order(), ElementsAre(id_seek_head, id_info, id_tracks, id_cues, id_cluster));
    EXPECT_EQ(part(segment, id_info).one(id_duration).real(), 3520.0);
    std::vector<std::uint64_t> cues;
    for (const Node& point : part(segment, id_cues).children()) cues.push_back(point.one(id_cue_time).number());
    EXPECT_THAT(cues, ElementsAre(0, 1000, 2000, 3000));
    EXPECT_EQ(part(segment, id_seek_head).all(id_seek).size(), 3u);
    expect_positions_hold(segment);
}

TEST(Finish, AFileWithoutVideoHasACueEveryTwoSeconds) {
    Session session;
    session.record(Clip::made(7000).only(1));
    session.finish();
    std::vector<std::uint64_t> cues;
    for (const Node& point : part(session.segment(), id_cues).children())
        cues.push_back(point.one(id_cue_time).number());
    EXPECT_THAT(cues, ElementsAre(7, 2007, 4007, 6007));
    expect_positions_hold(session.segment());
}

TEST(Finish, CuesThatOutgrowTheirSlotGetBlocksInserted) {
    Session session;
    session.record(many_keys());
    const auto before = session.file.bytes_written();
    session.finish();
    EXPECT_LT(session.file.bytes_written() - before, 30'000u);
    EXPECT_EQ(session.file.calls(Call::insert), 1u);
    EXPECT_EQ(session.file.calls(Call::rewrite), 0u);
    const Segment segment = session.segment();
    EXPECT_THAT(segment.order(), ElementsAre(id_seek_head, id_info, id_tracks, id_cues, id_cluster));
    EXPECT_EQ(part(segment, id_cues).children().size(), 1000u);
    expect_positions_hold(segment);
}

TEST(Finish, CuesGoBehindTheClustersWhereNothingCanBeInserted) {
    Session session;
    session.record(many_keys());
    session.file.unsupported(Call::insert);
    session.file.unsupported(Call::sync);
    session.finish();
    EXPECT_EQ(session.file.calls(Call::rewrite), 0u);
    const Segment segment = session.segment();
    EXPECT_TRUE(segment.has_size);
    EXPECT_THAT(segment.order(), ElementsAre(id_seek_head, id_info, id_tracks, id_cluster, id_cues));
    expect_positions_hold(segment);
    const auto bytes = session.file.contents();
    EXPECT_EQ(recover_and_finish(session).packets > 0, true);
    EXPECT_TRUE(session.file.contents() == bytes) << "the same once more";
}

TEST(Finish, DoneAgainAfterAFailureItEndsTheSame) {
    Session whole;
    whole.record(many_keys());
    whole.finish();
    for (const Call call : {Call::write, Call::sync, Call::length}) {
        for (unsigned nth = 1; nth < 6; ++nth) {
            Session session;
            session.record(many_keys());
            session.file.fail(call, nth, TD_FAILED);
            try {
                session.writer.finish();
            } catch (const Error&) {
                session.finish();
            }
            EXPECT_TRUE(session.file.contents() == whole.file.contents()) << static_cast<int>(call) << ' ' << nth;
        }
    }
}

TEST(Finish, CrashedAtAnyStepTheFileIsRecoveredToTheSameBytes) {
    for (const bool inserts : {true, false}) {
        for (const Clip& clip : {Clip::made(3000), many_keys()}) {
            Session whole;
            if (!inserts) whole.file.unsupported(Call::insert);
            whole.record(clip);
            whole.finish();
            for (std::uint64_t step = 0; step < 8; ++step) {
                for (const std::uint64_t torn : {0u, 5u, 4000u}) {
                    Session session;
                    session.record(clip);
                    if (!inserts) session.file.unsupported(Call::insert);
                    session.file.crash_after(step, torn);
                    try {
                        session.writer.finish();
                    } catch (const Error&) {
                    }
                    session.file.heal();
                    if (!inserts) session.file.unsupported(Call::insert);
                    EXPECT_GT(recover_and_finish(session).packets, 0u);
                    EXPECT_TRUE(session.file.contents() == whole.file.contents()) << inserts << step << ' ' << torn;
                }
            }
        }
    }
}

TEST(Finish, CuesAreInTheOrderOfTimeWhateverTheOrderOfTheClusters) {
    Index index;
    index.add({0, 40, 1, true, 80});
    index.add({1000, 30, 2, true, 80});
    Node cues;
    cues.content = index.cues(4096, false);
    std::vector<std::uint64_t> times;
    for (const Node& point : cues.one(id_cues).all(id_cue_point)) times.push_back(point.one(id_cue_time).number());
    EXPECT_THAT(times, ElementsAre(30, 40));
}

TEST(Finish, PositionsBeyondFourGigabytesAreWide) {
    Index index;
    index.add({5'000'000'000, 1000, 1, true, 1040});
    EXPECT_EQ(index.cues(4096, true).size(), index.cues(4096, false).size() + 4);
    Node cues;
    cues.content = index.cues(4096, true);
    EXPECT_EQ(cues.one(id_cues).one(id_cue_point).one(id_cue_track_positions).one(id_cue_cluster_position).number(),
              5'000'004'096u);
}

}  // namespace
}  // namespace tapedeck::ebml::test
