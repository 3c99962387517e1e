// What the writer puts into the file while it records.
#include "writer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <map>
#include <string>

#include "session.hpp"
#include "tapedeck/media/h264.hpp"

namespace tapedeck::ebml::test {
namespace {

using testing::ElementsAre;

std::vector<std::int64_t> times(const std::vector<SeenBlock>& blocks) {
    std::vector<std::int64_t> all;
    all.reserve(blocks.size());
    for (const SeenBlock& block : blocks) all.push_back(block.time);
    return all;
}

Node track_entry(const Session& session, std::size_t which) {
    for (const Node& part : session.segment().parts)
        if (part.id == id_tracks) return part.all(id_track_entry).at(which);
    throw std::runtime_error("no Tracks");
}

Node info(const Session& session) {
    for (const Node& part : session.segment().parts)
        if (part.id == id_info) return part;
    throw std::runtime_error("no Info");
}

TEST(Writer, EachFlushAppendsOneWholeClusterByOneWrite) {
    const Clip clip = Clip::made(2000);
    Session session;
    session.open(clip.tracks);
    session.write(clip, 0, 500);
    const auto writes = session.file.calls(testkit::Call::write);
    const auto size = session.file.size();
    session.write(clip, 500, 1000);
    EXPECT_EQ(session.file.calls(testkit::Call::write), writes + 1);
    EXPECT_GT(session.file.size(), size);
    session.write(clip, 1000);
    const Segment segment = session.segment();
    EXPECT_THAT(segment.order(), ElementsAre(id_seek_head, id_info, id_tracks, id_cluster));
    EXPECT_FALSE(segment.has_size);
    EXPECT_EQ(segment.blocks().size(), clip.units.size());
    session.writer.flush();
    EXPECT_EQ(session.segment().blocks().size(), clip.units.size()) << "nothing to write is nothing";
}

/// Pictures and sound of two seconds, and what was said at these times, as the recorder gives it.
Clip with_text(std::initializer_list<std::int64_t> times) {
    Clip clip = Clip::made(2000);
    Track text(TD_DATA, TD_CODEC_TEXT, {1, 1'000'000}, 2);
    text.track.label = text_of("chat");
    clip.tracks.push_back(text);
    for (const std::int64_t time : times) {
        const std::string said = "at " + std::to_string(time);
        const auto place =
            std::ranges::find_if(clip.units, [&](const Unit& unit) { return unit.track != 2 && unit.pts > time; });
        clip.units.insert(place, {2, true, time * 1000, time * 1000, 2'000'000, Data(said.begin(), said.end())});
    }
    return clip;
}

/// What the session's `write` does not: text has another time base.
void record(Session& session, const Clip& clip) {
    session.open(clip.tracks);
    for (const Unit& unit : clip.units) session.write(unit);
    session.writer.flush();
}

TEST(Writer, TextIsATrackWhoseBlocksSayHowLongTheyAreShown) {
    Session session;
    record(session, with_text({0, 1500, 1980}));
    const Node entry = track_entry(session, 2);
    EXPECT_EQ(entry.one(id_track_type).number(), 17u);
    EXPECT_EQ(entry.one(id_codec_id).text(), "S_TEXT/UTF8");
    EXPECT_EQ(entry.one(id_name).text(), "chat");
    EXPECT_EQ(entry.one(id_flag_default).number(), 0u);
    EXPECT_TRUE(entry.all(id_audio).empty());
    const auto blocks = session.segment().blocks(3);
    EXPECT_THAT(times(blocks), ElementsAre(0, 1500, 1980));
    for (const SeenBlock& block : blocks) EXPECT_EQ(block.duration, 2000u);
    EXPECT_EQ(std::string(blocks[1].payload.begin(), blocks[1].payload.end()), "at 1500");
    session.finish();
    EXPECT_EQ(info(session).one(id_duration).real(), 2007) << "as the sound ends, not the text";
}

TEST(Writer, ATornFileWithTextIsAsLongAsItsSound) {
    Session session;
    record(session, with_text({1980}));
    EXPECT_NE(recover_and_finish(session).packets, 0u);
    EXPECT_EQ(info(session).one(id_duration).real(), 2007);
}

TEST(Writer, TextIsReadByFfprobe) {
    Session session;
    record(session, with_text({0, 1500}));
    session.finish();
    const auto file = std::filesystem::temp_directory_path() / ("text" + std::to_string(::getpid()) + ".mkv");
    const auto data = session.file.contents();
    std::ofstream(file, std::ios::binary)
        .write(static_cast<const char*>(static_cast<const void*>(data.data())),
               static_cast<std::streamsize>(data.size()));
    const std::string command =
        "ffprobe -v error -select_streams s -show_entries stream=codec_name:stream_tags=title:"
        "packet=pts_time,duration_time -of csv=p=0 " +
        file.string();
    std::string seen(1000, '\0');
    FILE* output = ::popen(command.c_str(), "r");
    ASSERT_NE(output, nullptr);
    seen.resize(std::fread(seen.data(), 1, seen.size(), output));
    EXPECT_EQ(::pclose(output), 0);
    std::filesystem::remove(file);
    EXPECT_EQ(seen, "0.000000,2.000000\n1.500000,2.000000\nsubrip,chat\n");
}

TEST(Writer, EveryPayloadStandsInTheFileUnchangedAndNoBufferIsKept) {
    const Clip clip = Clip::made(1500);
    const long before = testkit::CountedBuffer::live;
    {
        Session session;
        session.record(clip);
        EXPECT_EQ(testkit::CountedBuffer::live, before);
        const auto blocks = session.segment().blocks();
        ASSERT_EQ(blocks.size(), clip.units.size());
        for (std::size_t i = 0; i < blocks.size(); ++i) {
            EXPECT_EQ(blocks[i].payload, clip.units[i].data);
            EXPECT_EQ(blocks[i].track, clip.units[i].track + 1);
            EXPECT_EQ(blocks[i].key, clip.units[i].key);
        }
        session.write(clip.units.front());
    }
    EXPECT_EQ(testkit::CountedBuffer::live, before) << "packets that were never flushed";
}

TEST(Writer, TheHeadSaysTheTracksAndTheDateAndHidesTheMemoInAVoid) {
    Session session;
    session.memo = R"({"stream":"cam1","login":"secret"})";
    session.record(Clip::made(500));
    EXPECT_EQ(session.segment().doc_type, "matroska");
    EXPECT_EQ(info(session).one(id_timestamp_scale).number(), 1'000'000u);
    EXPECT_EQ(info(session).one(id_date_utc).signed_number(), (1700000000250000 - 978307200000000) * 1000);
    EXPECT_TRUE(info(session).all(id_duration).empty());
    const Node video = track_entry(session, 0), sound = track_entry(session, 1);
    EXPECT_EQ(video.one(id_codec_id).text(), "V_VP8");
    EXPECT_EQ(video.one(id_name).text(), "cam1");
    EXPECT_EQ(video.one(id_video).one(id_pixel_width).number(), 320u);
    EXPECT_EQ(video.one(id_video).one(id_pixel_height).number(), 180u);
    EXPECT_EQ(sound.one(id_codec_id).text(), "A_OPUS");
    EXPECT_EQ(sound.one(id_codec_delay).number(), 6'500'000u);
    EXPECT_EQ(sound.one(id_seek_pre_roll).number(), 80'000'000u);
    EXPECT_EQ(sound.one(id_audio).one(id_sampling_frequency).real(), 48000.0);
    EXPECT_EQ(sound.one(id_audio).one(id_channels).number(), 2u);
    std::size_t with_memo = 0;
    for (const Node& part : session.segment().parts) {
        if (part.text().find("secret") == std::string::npos) continue;
        EXPECT_EQ(part.id, id_void);
        ++with_memo;
    }
    EXPECT_EQ(with_memo, 1u);
}

TEST(Writer, AKeyPictureALimitOfBytesAndOneOfTimeEachBeginACluster) {
    Session session;
    session.host.settings.set("cluster_size", "2000");
    session.host.settings.set("cluster_duration", "1500ms");
    session.open({vp8(), opus()});
    const auto video = [&](std::int64_t ms, bool key, std::size_t size) {
        session.write({0, key, ms, ms, 40, key ? vp8_key(ms, size) : payload(0, ms, size)});
    };
    video(0, true, 500);
    video(40, false, 500);
    video(80, true, 500);     // a key picture
    video(120, false, 1600);  // too many bytes
    video(1700, false, 100);  // too long
    video(1740, false, 100);
    session.writer.flush();
    std::vector<std::uint64_t> clusters;
    for (const SeenBlock& block : session.segment().blocks()) clusters.push_back(block.cluster);
    EXPECT_THAT(clusters, ElementsAre(0, 0, 1, 2, 3, 3));
}

TEST(Writer, NoBlockIsFurtherFromItsClusterThanItsTimeCanSay) {
    Session session;
    session.host.settings.set("cluster_duration", "100s");
    session.open({opus(0)});
    std::vector<std::int64_t> expected;
    for (std::int64_t ms = 0; ms < 200'000; ms += 10'000) {
        session.write({0, true, ms, ms, 20, payload(0, ms, 60)});
        expected.push_back(ms + 7);
    }
    session.writer.flush();
    EXPECT_EQ(times(session.segment().blocks()), expected);
}

TEST(Writer, BlockTimesArePresentationTimesWithTheDelayOfOpusRoundedOnce) {
    Session session;
    Track sound = opus();
    sound.track.time_base = {1, 48000};
    Track video = vp8();
    video.track.time_base = {1, 90000};
    session.open({video, sound});
    session.write({0, true, 0, 0, 3003, vp8_key(0, 300)});
    for (std::int64_t n = 0; n < 6; ++n) session.write({1, true, n * 120, n * 120, 120, payload(1, n, 60)});  // 2.5 ms
    for (std::int64_t n = 1; n < 4; ++n) session.write({0, false, n * 3003, n * 3003, 3003, payload(0, n, 60)});
    session.writer.flush();
    EXPECT_THAT(times(session.segment().blocks(1)), ElementsAre(0, 33, 67, 100));
    EXPECT_THAT(times(session.segment().blocks(2)), ElementsAre(7, 9, 12, 14, 17, 19));  // 6.5, 9, 11.5, ...
}

TEST(Writer, BFramesStayInTheOrderOfDecodingWithTheirOwnTimes) {
    Session session;
    session.open({vp8()});
    for (const auto& [dts, pts] : {std::pair{0, 40}, {40, 160}, {80, 80}, {120, 120}, {160, 280}, {200, 200}})
        session.write({0, dts == 0, pts, dts, 40, dts == 0 ? vp8_key(dts, 100) : payload(0, dts, 100)});
    session.writer.flush();
    EXPECT_THAT(times(session.segment().blocks()), ElementsAre(40, 160, 80, 120, 280, 200));
}

TEST(Writer, TheBlockThatEndsLastInAClusterStatesItsDuration) {
    Session session;
    session.record(Clip::made(1000));
    std::map<std::uint64_t, std::int64_t> ends, stated;
    for (const SeenBlock& block : session.segment().blocks()) {
        const std::int64_t duration = block.track == 1 ? 40 : 20;
        ends[block.cluster] = std::max(ends[block.cluster], block.time + duration);
        EXPECT_EQ(block.is_group, block.duration.has_value());
        if (!block.is_group) continue;
        EXPECT_EQ(block.duration, duration);
        EXPECT_TRUE(stated.emplace(block.cluster, block.time + duration).second) << "one is enough";
    }
    EXPECT_EQ(stated, ends);
}

TEST(Writer, APictureThatStatesItsDurationIsNoKeyUnlessItIsOne) {
    Session session;
    session.record(Clip::made(1000).only(0));
    for (const SeenBlock& block : session.segment().blocks()) EXPECT_EQ(block.key, block.time == 0) << block.time;
}

TEST(Writer, SoundBeforeTheFileBeginsIsDecodedAndNotHeard) {
    Session session;
    session.open({vp8(), opus()});
    for (const std::int64_t ms : {-40, -15, 5}) session.write({1, true, ms, ms, 20, payload(1, ms, 60)});
    session.write({0, true, 0, 0, 40, vp8_key(0, 100)});
    session.writer.flush();
    const auto blocks = session.segment().blocks(2);
    ASSERT_EQ(blocks.size(), 3u);
    EXPECT_EQ(times(blocks), (std::vector<std::int64_t>{0, 0, 12}));
    EXPECT_EQ(blocks[0].discard_ns, -20'000'000) << "all of it";
    EXPECT_EQ(blocks[1].discard_ns, -8'500'000) << "what lies before 0 with the delay of 6.5 ms";
    EXPECT_EQ(blocks[2].discard_ns, 0);
}

TEST(Writer, SoundThatEndsLessThanATickBehindTheBeginningIsHiddenToItsEnd) {
    Session session;
    Track g722(TD_AUDIO, TD_CODEC_G722, {1, 90'000}, 1);
    g722.track.sample_rate = 16000;
    g722.track.channels = 1;
    session.open({vp8(), g722});
    session.write({1, true, -2069, -2069, 2090, payload(1, 0, 60)});
    session.write({0, true, 0, 0, 40, vp8_key(0, 100)});
    session.writer.flush();
    EXPECT_EQ(session.segment().blocks(2).at(0).discard_ns, -23'222'222);
}

TEST(Writer, PicturesBeforeTheFileBeginsKeepTheirTimeUnseen) {
    Session session;
    session.open({vp8()});
    session.write({0, true, 0, -80, 40, vp8_key(0, 100)});
    session.write({0, false, -40, -40, 40, payload(0, 1, 100)});
    session.write({0, false, 40, 0, 40, payload(0, 2, 100)});
    session.writer.flush();
    const auto blocks = session.segment().blocks();
    EXPECT_THAT(times(blocks), ElementsAre(0, -40, 40));
    EXPECT_FALSE(blocks[0].invisible);
    EXPECT_TRUE(blocks[1].invisible);
}

TEST(Writer, ATrackThatJoinsLateGetsItsEntryInPlace) {
    const Clip clip = Clip::made(2000);
    Session session;
    session.open({clip.tracks[0]});
    session.write(clip.only(0), 0, 1000);
    const auto first_cluster = session.segment().parts.back().at;
    session.writer.track(clip.tracks[1]);
    session.write(clip, 1000);
    session.finish();
    EXPECT_EQ(track_entry(session, 1).one(id_codec_id).text(), "A_OPUS");
    EXPECT_EQ(session.segment().blocks(2).front().time, 1007);
    bool still_there = false;
    for (const Node& part : session.segment().parts) still_there = still_there || part.at == first_cluster;
    EXPECT_TRUE(still_there) << "nothing moved";
}

TEST(Writer, ALateTrackForWhichThereIsNoRoomIsRefusedAndTheOthersGoOn) {
    Session session;
    session.record(Clip::made(500));
    std::uint32_t index = 2;
    const auto join = [&] { session.writer.track(opus(index)); };
    while (index < 1000) {
        try {
            join();
            ++index;
        } catch (const Error& e) {
            EXPECT_EQ(e.status(), TD_UNSUPPORTED);
            break;
        }
    }
    EXPECT_GT(index, 100u) << "16 KB hold about a hundred";
    EXPECT_LT(index, 1000u);
    session.write({1, true, 520, 520, 20, payload(1, 520, 60)});
    session.write({index - 1, true, 520, 520, 20, payload(1, 521, 60)});
    session.finish();
    EXPECT_EQ(session.segment().blocks(index).size(), 1u);
    EXPECT_EQ(recover_and_finish(session).packets, session.segment().blocks().size());
}

TEST(Writer, RoomIsKeptForLateTracksWhoseSizeIsNotKnownYet) {
    Session session;
    session.record(Clip::made(500));
    const std::string label(200, 'x');
    std::uint32_t count = 2;
    for (; count < 1000; ++count) {
        Track late = vp8(count);
        late.track.label = text_of(label);
        try {
            session.writer.track(late.track);
        } catch (const Error& e) {
            EXPECT_EQ(e.status(), TD_UNSUPPORTED);
            EXPECT_NE(std::string(e.what()).find("no room"), std::string::npos) << e.what();
            break;
        }
    }
    EXPECT_LT(count, 80u) << "16 KB hold so many of them";
    for (std::uint32_t index = 2; index < count; ++index) session.write({index, true, 520, 520, 40, vp8_key(520, 100)});
    session.finish();
    EXPECT_EQ(session.segment().blocks(count).size(), 1u);
    EXPECT_EQ(track_entry(session, count - 1).one(id_name).text(), label);
    EXPECT_GT(recover_and_finish(session).packets, 0u);
}

TEST(Writer, AVideoTrackWhoseSizeIsNotKnownWaitsForItsKeyFrame) {
    Session session;
    session.open({vp8(), opus()});
    session.write({1, true, 0, 0, 20, payload(1, 0, 60)});
    session.writer.flush();
    EXPECT_EQ(track_entry(session, 0).one(id_codec_id).text(), "A_OPUS");
    EXPECT_THROW(session.write({0, false, 20, 20, 40, payload(0, 20, 60)}), Error);
    session.write({0, true, 40, 40, 40, vp8_key(40, 100)});
    session.writer.flush();
    EXPECT_EQ(track_entry(session, 0).one(id_codec_id).text(), "V_VP8");
    EXPECT_EQ(session.segment().blocks().size(), 2u);
}

// A Baseline SPS of 320x240 and one of 640x360, each with a PPS.
const Data sps_small{0x67, 0x42, 0xc0, 0x0d, 0xda, 0x05, 0x07, 0xe4};
const Data sps_other{0x67, 0x42, 0xc0, 0x0d, 0xda, 0x05, 0x07, 0xe8};
const Data pps{0x68, 0xce, 0x3c, 0x80};

Track h264(const Data& sps) {
    Track track(TD_VIDEO, TD_CODEC_H264, {1, 1000}, 0);
    track.track.width = 320;
    track.track.height = 240;
    Data config{1, 0x42, 0xc0, 0x0d, 0xff, 0xe1, 0, static_cast<std::uint8_t>(sps.size())};
    config.insert(config.end(), sps.begin(), sps.end());
    config.insert(config.end(), {1, 0, static_cast<std::uint8_t>(pps.size())});
    config.insert(config.end(), pps.begin(), pps.end());
    track.config(config);
    return track;
}

TEST(Writer, NewParameterSetsOfH264StandInEveryKeyPictureFromThenOn) {
    Session session;
    const Data delimiter{0, 0, 0, 2, 0x09, 0xf0}, slice{0, 0, 0, 4, 0x65, 1, 2, 3}, other{0, 0, 0, 3, 0x41, 4, 5};
    Data picture = delimiter;
    picture.insert(picture.end(), slice.begin(), slice.end());
    session.open({h264(sps_small)});
    session.write({0, true, 0, 0, 40, picture});
    session.writer.track(h264(sps_small));
    session.write({0, true, 40, 40, 40, picture});
    session.writer.track(h264(sps_other));
    session.write({0, true, 80, 80, 40, picture});
    session.write({0, false, 120, 120, 40, other});
    session.finish();
    Data with_sets = delimiter;
    h264::append_nal(with_sets, sps_other);
    h264::append_nal(with_sets, pps);
    with_sets.insert(with_sets.end(), slice.begin(), slice.end());
    const auto blocks = session.segment().blocks();
    ASSERT_EQ(blocks.size(), 4u);
    EXPECT_EQ(blocks[1].payload, picture);
    EXPECT_EQ(blocks[2].payload, with_sets);
    EXPECT_EQ(blocks[3].payload, other);
}

TEST(Writer, AnyOtherChangeOfATrackIsRefusedSoThatTheHostBeginsANewFile) {
    Session session;
    session.record(Clip::made(500));
    Track other = opus();
    const Data head{'O', 'p', 'u', 's', 'H', 'e', 'a', 'd', 1, 1, 0, 0, 0x80, 0xbb, 0, 0, 0, 0, 0};
    other.config(head);
    session.writer.track(opus());
    try {
        session.writer.track(other);
        ADD_FAILURE() << "taken";
    } catch (const Error& e) {
        EXPECT_EQ(e.status(), TD_UNSUPPORTED);
    }
    Track larger = vp8();
    larger.track.width = 640;
    session.writer.track(larger);
}

TEST(Writer, AFailedWriteLosesOnlyItsOwnCluster) {
    const Clip clip = Clip::made(2000);
    Session session;
    session.open(clip.tracks);
    session.write(clip, 0, 500);
    session.file.fail(testkit::Call::write, 1, TD_NO_SPACE);
    EXPECT_THROW(session.write(clip, 500, 1000), Error);
    session.write(clip, 1000, 2000);
    session.finish();
    std::size_t expected = 0;
    for (const Unit& unit : clip.units) expected += unit.dts < 500 || unit.dts >= 1000;
    EXPECT_EQ(session.segment().blocks().size(), expected);
}

TEST(Writer, APacketThatNoFileCanHoldIsRefusedAndTheNextIsTaken) {
    Session session;
    session.open({opus(0)});
    const auto refused = [&](const Unit& unit) { EXPECT_THROW(session.write(unit), Error); };
    refused({5, true, 0, 0, 20, payload(0, 0, 10)});
    refused({0, true, 0, 0, 20, {}});
    refused({0, true, TD_NO_TIME, TD_NO_TIME, 20, payload(0, 0, 10)});
    session.write({0, true, 0, 0, 20, payload(0, 0, 10)});
    session.finish();
    EXPECT_EQ(session.segment().blocks().size(), 1u);
}

TEST(Writer, AFileWithoutAPacketStaysEmpty) {
    Session session;
    session.open({opus(0)});
    session.finish();
    EXPECT_EQ(session.file.size(), 0u);
}

}  // namespace
}  // namespace tapedeck::ebml::test
