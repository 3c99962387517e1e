#include "rtmp/media_feed.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "bytes.hpp"
#include "testkit/fake_host.hpp"

namespace tapedeck::rtmp {
namespace {

constexpr std::string_view avcc =
    "0164001fffe1001a6764001facd9405005bb011000000300100000030320f183196001000668ebe3cb22c0fdf8f800";
constexpr std::string_view avcc_360p =
    "0142c01effe100196742c01ed900a02ff97011000003000100000300320f162e4801000568cb83cb20";

Bytes video_config(std::string_view config) {
    return join({hex("17 00 000000"), hex(config)});
}
Bytes audio_config(std::string_view config) {
    return join({hex("af 00"), hex(config)});
}

class MediaFeedTest : public testing::Test {
protected:
    void open(const PublishSdp& sdp = {}) {
        feed.emplace(context, Sink(&sink), std::make_shared<const PublishSdp>(sdp), "cam");
    }
    void send(MessageType type, std::uint32_t time, const Bytes& body) {
        Batch one;
        one.pieces.push_back({body, Piece::none});
        feed->message(one, {type, 1, time, static_cast<std::uint32_t>(body.size()), 0}, body.size(), batch);
    }
    void video(std::uint32_t time, const Bytes& body) { send(MessageType::video, time, body); }
    void audio(std::uint32_t time, const Bytes& body) { send(MessageType::audio, time, body); }
    std::vector<testkit::PacketCopy> packets() {
        feed->flush(batch);
        batch.clear();
        return sink.packets();
    }

    testkit::FakeHost host;
    Context context{host.table(), host.context()};
    testkit::RecordingSink sink;
    PacketBatch batch{context};
    std::optional<MediaFeed> feed;
};

TEST_F(MediaFeedTest, MakesTracksAndPacketsOfH264AndAac) {
    open();
    video(0, video_config(avcc));
    audio(0, audio_config("1210"));
    video(40, hex("17 01 000050 00000002 6588"));
    audio(45, hex("af 01 2110"));
    video(80, hex("27 01 000000 00000002 419a"));
    const auto all = packets();
    const auto tracks = sink.tracks();
    ASSERT_EQ(tracks.size(), 2u);
    EXPECT_EQ(tracks[0].track.codec, TD_CODEC_H264);
    EXPECT_EQ(tracks[0].track.width, 1280u);
    EXPECT_EQ(tracks[0].track.height, 720u);
    EXPECT_EQ(tracks[0].config, hex(avcc));
    EXPECT_EQ(tracks[0].track.time_base.den, 1000);
    EXPECT_EQ(tracks[1].track.codec, TD_CODEC_AAC);
    EXPECT_EQ(tracks[1].track.sample_rate, 44100u);
    EXPECT_EQ(tracks[1].track.channels, 2u);
    EXPECT_EQ(tracks[1].config, hex("1210"));
    EXPECT_EQ(tracks[0].track.clock, tracks[1].track.clock) << "they share one time line";
    EXPECT_NE(tracks[0].track.index, tracks[1].track.index);

    ASSERT_EQ(all.size(), 3u);
    EXPECT_EQ(all[0].packet.dts, 40);
    EXPECT_EQ(all[0].packet.pts, 120);
    EXPECT_TRUE(all[0].is_key());
    EXPECT_EQ(all[0].data, hex("00000002 6588"));
    EXPECT_EQ(all[1].packet.pts, 45);
    EXPECT_EQ(all[1].data, hex("2110"));
    EXPECT_EQ(all[1].packet.track, tracks[1].track.index);
    EXPECT_FALSE(all[2].is_key());
    EXPECT_EQ(all[2].packet.flags & TD_PACKET_DISCONTINUITY, 0u);
}

TEST_F(MediaFeedTest, NumbersTracksAlikeInWhateverOrderTheyCome) {
    open();
    video(0, video_config(avcc));
    audio(0, audio_config("1210"));
    open();
    audio(0, audio_config("1210"));
    video(0, video_config(avcc));
    const auto tracks = sink.tracks();
    ASSERT_EQ(tracks.size(), 4u);
    EXPECT_EQ(tracks[0].track.index, tracks[3].track.index);
    EXPECT_EQ(tracks[1].track.index, tracks[2].track.index);
}

TEST_F(MediaFeedTest, SharesBuffersAndGivesThemBack) {
    const auto before = testkit::FakeHost::live_buffers();
    {
        open();
        audio(0, audio_config("1210"));
        packets();
        for (std::uint32_t i = 0; i < 20; ++i) {
            const auto body = hex("af 01 2110");
            Batch one;
            one.pieces.push_back({body, Piece::none});
            feed->message(one, {MessageType::audio, 1, i * 23, 4, 0}, (20 - i) * 4, batch);
        }
        EXPECT_EQ(testkit::FakeHost::live_buffers(), before + 1) << "one read, one buffer";
        EXPECT_EQ(packets().size(), 20u);
    }
    EXPECT_EQ(testkit::FakeHost::live_buffers(), before);
}

TEST_F(MediaFeedTest, AnnouncesParametersOnlyWhenTheyChange) {
    open();
    for (int i = 0; i < 3; ++i) video(0, video_config(avcc));
    EXPECT_EQ(sink.tracks().size(), 1u);
    video(10, hex("17 01 000000 00000002 6588"));
    video(20, video_config(avcc_360p));
    EXPECT_EQ(sink.packets().size(), 1u) << "what came before the change is given before it";
    const auto tracks = sink.tracks();
    ASSERT_EQ(tracks.size(), 2u);
    EXPECT_EQ(tracks[1].track.width, 640u);
    EXPECT_EQ(tracks[1].track.index, tracks[0].track.index);
}

TEST_F(MediaFeedTest, LeavesFramesOutThatComeBeforeTheirDecoderSetup) {
    open();
    video(0, hex("17 01 000000 00000002 6588"));
    audio(0, hex("af 01 2110"));
    EXPECT_TRUE(packets().empty());
    EXPECT_TRUE(sink.tracks().empty());
}

TEST_F(MediaFeedTest, CountsOnWhenTimesWrap) {
    open();
    audio(0xffffff00, audio_config("1210"));
    audio(0xfffffff0, hex("af 01 aa"));
    audio(0x00000007, hex("af 01 bb"));
    const auto all = packets();
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].packet.pts, 0xfffffff0);
    EXPECT_EQ(all[1].packet.pts, 0x100000007);
    EXPECT_EQ(all[1].packet.flags & TD_PACKET_DISCONTINUITY, 0u);
}

TEST_F(MediaFeedTest, TakesAJumpOfTimeForNoHole) {
    for (const auto& [from, to] : {std::pair{1000u, 7000u}, {100000u, 0u}, {0u, 0x7fffffffu}}) {
        open();
        audio(from, audio_config("1210"));
        audio(from, hex("af 01 aa"));
        audio(to, hex("af 01 bb"));
        const auto all = packets();
        EXPECT_EQ(all.back().packet.flags & TD_PACKET_DISCONTINUITY, 0u) << from << " to " << to;
        EXPECT_EQ(all.back().packet.pts, std::int64_t{to});
    }
}

TEST_F(MediaFeedTest, WritesShortNalLengthsInFourBytes) {
    open();
    auto config = hex(avcc);
    config[4] = 0xfd;  // lengths of two bytes
    video(0, join({hex("17 00 000000"), config}));
    video(10, hex("17 01 000000 0002 6588 0001 41"));
    video(20, hex("27 01 000000 0009 41"));  // a length beyond the end: this frame is left out
    video(30, hex("27 01 000000 0001 41"));
    const auto all = packets();
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].data, hex("00000002 6588 00000001 41"));
    EXPECT_EQ(all[1].data, hex("00000001 41"));
    EXPECT_NE(all[1].packet.flags & TD_PACKET_DISCONTINUITY, 0u);
    EXPECT_EQ(host.logged("broken frame"), 1u);
    EXPECT_EQ(sink.tracks().at(0).config[4] & 3, 3) << "the setup says what the packets have";
    video(40, join({hex("17 00 000000"), config}));
    EXPECT_EQ(sink.tracks().size(), 1u) << "nothing new";
}

TEST_F(MediaFeedTest, AnnouncesOtherCodecsByTheirNumbers) {
    open();
    audio(0, hex("2f aabb"));
    video(0, hex("12 ccdd"));
    const auto all = packets();
    ASSERT_EQ(sink.tracks().size(), 2u);
    EXPECT_EQ(sink.tracks()[0].track.codec, TD_CODEC_MP3);
    EXPECT_EQ(sink.tracks()[0].track.sample_rate, 44100u);
    EXPECT_EQ(sink.tracks()[1].track.codec, flv::sorenson);
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].data, hex("aabb"));
    EXPECT_EQ(all[1].data, hex("ccdd"));
}

constexpr std::string_view hvcc =
    "0101600000009000000000005df000fcfdf8f800000f03a00001001840010c01ffff01600000030090000003000003005d959409"
    "a10001002b42010101600000030090000003000003005da00280802d16595952930bc05a020000030002000003003210a20001000644"
    "01c073c189";

TEST_F(MediaFeedTest, TakesTheNewerCodecsByTheirFourCharacters) {
    struct Case {
        const char* name;
        std::uint32_t codec;
        std::string_view setup, kept, key;
        std::uint32_t width, height;
    };
    for (const auto& [name, codec, setup, kept, key, width, height] :
         {Case{"68766331", TD_CODEC_H265, hvcc, hvcc, "00000000032801ff", 1280, 720},
          Case{"61763031", TD_CODEC_AV1, "81000c00", "81000c00", "0a0b000000043cffbcdaf90040 3200", 320, 240},
          Case{"61763031", TD_CODEC_AV1, "81000c000a0b000000043cffbcdaf90040", "81000c000a0b000000043cffbcdaf90040",
               "0a01ff", 320, 240},
          Case{"76703039", TD_CODEC_VP9, "01000000000a820101010000", "000a820101010000",
               "824983420013f00ef60638241c184a00", 320, 240}}) {
        open();
        const auto before = sink.tracks().size();
        const std::string offset = codec == TD_CODEC_H265 ? "000000" : "";
        video(0, hex(std::string("91") + name + offset + std::string(key)));  // before its setup
        video(40, hex(std::string("90") + name + std::string(setup)));
        video(80, hex(std::string("91") + name + offset + std::string(key)));
        video(120, hex(std::string("a1") + name + offset + "000000020101"));
        const auto all = packets();
        const auto tracks = sink.tracks();
        ASSERT_EQ(tracks.size(), before + (codec == TD_CODEC_VP9 ? 2 : 1)) << name;
        EXPECT_EQ(tracks.back().track.codec, codec);
        EXPECT_EQ(tracks.back().track.width, width) << name;
        EXPECT_EQ(tracks.back().track.height, height) << name;
        EXPECT_EQ(tracks.back().config, hex(kept)) << name;
    }
}

TEST_F(MediaFeedTest, RefusesASetupOfH265WithoutPictureSets) {
    open();
    auto setup = hex(hvcc);
    setup[22] = 2;  // without the PPS
    video(0, join({hex("90 68766331"), setup}));
    video(40, hex("91 68766331 000000 00000003 2801ff"));
    EXPECT_TRUE(packets().empty());
    EXPECT_TRUE(sink.tracks().empty());
}

TEST_F(MediaFeedTest, WarnsOnceOfWhatItDoesNotKnow) {
    open();
    for (std::uint32_t i = 0; i < 5; ++i) audio(i, hex("cf aa"));
    EXPECT_TRUE(packets().empty());
    EXPECT_EQ(host.logged("does not know"), 1u);
}

TEST_F(MediaFeedTest, RefusesWhatTheSdpLeavesOut) {
    open(PublishSdp::parse("m=audio 0 RTP/AVP 96\na=rtpmap:96 mpeg4-generic/48000/1\n"));
    video(0, video_config(avcc));
    video(1, hex("17 01 000000 00000002 6588"));
    audio(0, audio_config("1210"));
    audio(1, hex("af 01 aa"));
    EXPECT_EQ(packets().size(), 1u);
    ASSERT_EQ(sink.tracks().size(), 1u);
    EXPECT_EQ(sink.tracks()[0].track.codec, TD_CODEC_AAC);
    EXPECT_EQ(host.logged("publish_sdp"), 1u);
}

TEST_F(MediaFeedTest, PassesOverADecoderSetupThatCannotBeRead) {
    open();
    video(0, hex("17 00 000000 0164"));
    video(1, hex("17 01 000000 00000002 6588"));
    EXPECT_TRUE(packets().empty());
    video(2, video_config(avcc));
    video(3, hex("17 01 000000 00000002 6588"));
    EXPECT_EQ(packets().size(), 1u);
    EXPECT_EQ(host.logged("decoder setup"), 1u);
}

TEST_F(MediaFeedTest, TakesAggregatesApartAndCountsTheirTimesFromTheirOwn) {
    open();
    audio(0, audio_config("1210"));
    // Two audio messages at 500 and 523 in an aggregate sent at 1000.
    send(MessageType::aggregate, 1000,
         hex("08 000003 0001f4 00 000000 af01aa 0000000e 08 000003 00020b 00 000000 af01bb 0000000e"));
    const auto all = packets();
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].packet.pts, 1000);
    EXPECT_EQ(all[1].packet.pts, 1023);
    EXPECT_EQ(all[1].data, hex("bb"));
}

TEST_F(MediaFeedTest, ABrokenAggregateLosesOnlyWhatIsBehindTheFault) {
    open();
    audio(0, audio_config("1210"));
    send(MessageType::aggregate, 1000,
         hex("08 000003 0001f4 00 000000 af01aa 0000000e 08 ff0003 00020b 00 000000 af01bb 0000000e"));
    audio(2000, hex("af 01 cc"));
    const auto all = packets();
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].data, hex("aa"));
    EXPECT_EQ(all[1].data, hex("cc"));
    EXPECT_NE(all[1].packet.flags & TD_PACKET_DISCONTINUITY, 0u);
    EXPECT_EQ(host.logged("broken"), 1u);
}

TEST_F(MediaFeedTest, AnnouncesATrackInTheMiddleOfAnAggregate) {
    open();
    send(MessageType::aggregate, 0,
         hex("08 000002 000000 00 000000 2faa 0000000d 08 000004 000000 00 000000 af001210 0000000f "
             "08 000003 000017 00 000000 af01bb 0000000e"));
    const auto all = packets();
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].data, hex("aa"));
    EXPECT_EQ(all[1].data, hex("bb"));
    EXPECT_EQ(sink.tracks().size(), 2u);
}

TEST_F(MediaFeedTest, SaysWhenTheStreamWasKicked) {
    open();
    audio(0, audio_config("1210"));
    audio(1, hex("af 01 aa"));
    sink.answer(TD_CANCELLED);
    try {
        packets();
        ADD_FAILURE() << "the sink's answer was swallowed";
    } catch (const Error& e) {
        EXPECT_EQ(e.status(), TD_CANCELLED);
    }
    EXPECT_TRUE(batch.empty());
}

TEST_F(MediaFeedTest, WarnsOnceOfAProfileThatTheSdpDoesNotOffer) {
    open(PublishSdp::parse("m=video 0 RTP/AVP 112\na=rtpmap:112 H264/90000\na=fmtp:112 profile-level-id=42e01f\n"));
    video(0, video_config(avcc_360p));
    EXPECT_TRUE(host.log().empty());
    video(0, video_config(avcc));
    video(40, video_config(avcc_360p));
    video(80, video_config(avcc));
    EXPECT_EQ(host.logged("profile 100"), 1u);
    EXPECT_EQ(sink.tracks().size(), 4u) << "it is taken all the same";
}

}  // namespace
}  // namespace tapedeck::rtmp
