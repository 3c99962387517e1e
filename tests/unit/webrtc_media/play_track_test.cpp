#include "webrtc/media/play_track.hpp"

#include <gtest/gtest.h>

#include <deque>

#include "rtp/packet.hpp"
#include "rtp/sender_clock.hpp"
#include "testkit/fake_host.hpp"

namespace tapedeck::webrtc {
namespace {

class PlayTrackTest : public ::testing::Test {
protected:
    PlayTrackTest() {
        setup_.codec = TD_CODEC_VP8;
        setup_.clock = 90'000;
        setup_.first_timestamp = 0xffffffff;
        setup_.sender.ssrc = 7;
        setup_.sender.payload_type = 96;
        setup_.sender.rtx_ssrc = 8;
        setup_.sender.rtx_payload_type = 97;
        setup_.sender.first_sequence = 100;
    }
    PlayTrack make() {
        return {context_, setup_, track_, [this](ByteSpan bytes) {
                    kept_.emplace_back(bytes.begin(), bytes.end());
                    sent_.push_back(rtp::parse_packet(kept_.back()));
                }};
    }
    void send(PlayTrack& track, std::int64_t pts, std::uint32_t flags, std::size_t size = 10) {
        const Bytes bytes(size, 0x10);
        OwnedPacket packet(context_, 0, bytes, pts, flags);
        track.send(packet.packet, timeline_, pts * 1000);
    }

    /// Pictures each 40 ms, of which the first is a key frame.
    void hold(PlayTrack& track, std::int64_t from, std::int64_t to) {
        for (auto pts = from; pts < to; pts += 40) {
            OwnedPacket packet(context_, 0, Bytes(10, 0x10), pts, pts == from ? std::uint32_t{TD_PACKET_KEY} : 0);
            track.hold(packet.packet);
        }
    }

    testkit::FakeHost host_;
    Context context_{host_.table(), host_.context()};
    Track track_{TD_VIDEO, TD_CODEC_VP8, {1, 1000}};
    PlaySetup setup_;
    Timeline timeline_;
    std::deque<Bytes> kept_;
    std::vector<rtp::Packet> sent_;
};

TEST_F(PlayTrackTest, PicturesBeginWithAKeyFrame) {
    auto track = make();
    send(track, 0, 0);
    EXPECT_TRUE(sent_.empty());
    EXPECT_TRUE(track.waits_for_key());
    send(track, 40, TD_PACKET_KEY);
    send(track, 80, 0, 3000);
    ASSERT_EQ(sent_.size(), 4u);
    EXPECT_EQ(sent_[0].payload_type, 96);
    EXPECT_EQ(sent_[0].sequence, 100);
    EXPECT_EQ(sent_[0].timestamp, 40u * 90 - 1) << "from where it was told to begin, wrapped";
    EXPECT_EQ(sent_[3].timestamp, 80u * 90 - 1);
    EXPECT_FALSE(sent_[2].marker);
    EXPECT_TRUE(sent_[3].marker);
    send(track, 120, TD_PACKET_DISCONTINUITY);
    EXPECT_EQ(sent_.size(), 4u) << "a picture behind a hole is of no use";
    EXPECT_TRUE(track.waits_for_key());
    send(track, 160, TD_PACKET_KEY | TD_PACKET_DISCONTINUITY);
    EXPECT_EQ(sent_.size(), 5u);
}

TEST_F(PlayTrackTest, WhatIsHeldIsShownAsItIsSentUntilTheViewerHasCaughtUp) {
    auto track = make();
    OwnedPacket first(context_, 0, Bytes(10, 0x10), -120, 0);
    track.hold(first.packet);
    EXPECT_TRUE(track.waits_for_key()) << "there is nothing before it";
    hold(track, -80, 0);
    hold(track, 0, 10'000);
    EXPECT_FALSE(track.waits_for_key());
    EXPECT_TRUE(sent_.empty());

    constexpr std::int64_t began_us = 9'960'000;  // the time of the newest one
    EXPECT_TRUE(track.catch_up(timeline_, began_us));
    ASSERT_EQ(sent_.size(), 1u) << "the newest key frame at once";
    std::int64_t ms = 0, live = 10'000;
    for (bool is_behind = true; is_behind;) {
        ms += 10;
        is_behind = track.catch_up(timeline_, began_us + ms * 1000);
        if (!is_behind || ms % 40 != 0) continue;
        const auto before = sent_.size();
        send(track, live, 0);
        live += 40;
        EXPECT_EQ(sent_.size(), before) << "behind those that are held";
    }
    EXPECT_GT(ms, 900);
    EXPECT_LT(ms, 1300) << "of ten seconds";
    EXPECT_EQ(sent_.size(), static_cast<std::size_t>(live / 40)) << "each once";
    live += 40;
    send(track, live, 0);
    for (std::size_t i = 1; i < sent_.size(); ++i)
        EXPECT_GT(static_cast<std::int32_t>(sent_[i].timestamp - sent_[i - 1].timestamp), 0) << i;
    EXPECT_EQ(sent_[0].timestamp, 9960u * 90 - 1);
    EXPECT_EQ(sent_.back().timestamp, static_cast<std::uint32_t>(live * 90 - 1)) << "from then on as without them";
    EXPECT_EQ(track.report(began_us, 0).value().sender.value().rtp, 9960u * 90 - 1);
}

TEST_F(PlayTrackTest, AKeyFrameEndsTheChaseAndAHoleBreaksIt) {
    auto track = make();
    hold(track, 0, 10'000);
    EXPECT_TRUE(track.catch_up(timeline_, 9'960'000));
    send(track, 10'000, TD_PACKET_KEY);
    EXPECT_FALSE(track.catch_up(timeline_, 10'000'000));
    EXPECT_EQ(sent_.size(), 2u) << "nothing between the two";

    hold(track, 10'040, 12'000);
    EXPECT_TRUE(track.catch_up(timeline_, 12'000'000));
    const auto before = sent_.size();
    send(track, 12'040, TD_PACKET_DISCONTINUITY);
    EXPECT_TRUE(track.waits_for_key());
    EXPECT_FALSE(track.catch_up(timeline_, 12'040'000));
    send(track, 12'080, 0);
    EXPECT_EQ(sent_.size(), before);
}

TEST_F(PlayTrackTest, AHeldPictureThatCannotBeSentIsWaitedBehind) {
    setup_.codec = TD_CODEC_H264;
    track_ = Track(TD_VIDEO, TD_CODEC_H264, {1, 1000});
    auto track = make();
    const auto picture = [this](std::uint8_t size, std::int64_t pts, std::uint32_t flags) {
        return OwnedPacket(context_, 0, Bytes{0, 0, 0, size, 0x65, 1, 2}, pts, flags);
    };
    track.hold(picture(9, 0, TD_PACKET_KEY).packet);  // of nine bytes it has three
    track.hold(picture(3, 40, 0).packet);
    EXPECT_FALSE(track.catch_up(timeline_, 1'000'000));
    EXPECT_TRUE(track.waits_for_key());
    EXPECT_TRUE(sent_.empty());
    for (const int pts : {80, 120, 160}) track.send(picture(3, pts, TD_PACKET_KEY).packet, timeline_, pts * 1000);
    ASSERT_EQ(sent_.size(), 3u);
    EXPECT_EQ(sent_[2].timestamp - sent_[1].timestamp, 3600u);
    track.send(picture(9, 200, 0).packet, timeline_, 200'000);
    EXPECT_TRUE(track.waits_for_key()) << "what follows refers to it";
}

TEST_F(PlayTrackTest, SoundIsNotHeld) {
    setup_.codec = TD_CODEC_OPUS;
    setup_.clock = 48'000;
    track_ = Track(TD_AUDIO, TD_CODEC_OPUS, {1, 1000});
    auto track = make();
    OwnedPacket packet(context_, 0, Bytes(10, 0x10), 0);
    track.hold(packet.packet);
    EXPECT_FALSE(track.catch_up(timeline_, 0));
    EXPECT_TRUE(sent_.empty());
    send(track, 20, TD_PACKET_KEY);
    EXPECT_EQ(sent_.size(), 1u);
}

TEST_F(PlayTrackTest, AnotherCodecGoesOnWithTheNumbersOfTheSsrc) {
    setup_.codec = TD_CODEC_OPUS;
    setup_.clock = 48'000;
    setup_.sender.payload_type = 111;
    setup_.sender.rtx_ssrc.reset();
    track_ = Track(TD_AUDIO, TD_CODEC_OPUS, {1, 1000});
    auto track = make();
    send(track, 1000, TD_PACKET_KEY);
    send(track, 1020, TD_PACKET_KEY);
    Track other(TD_AUDIO, TD_CODEC_PCMA, {1, 1000});
    auto setup = setup_;
    setup.codec = TD_CODEC_PCMA;
    setup.clock = 8'000;
    setup.first_timestamp = 123;
    setup.sender.payload_type = 8;
    setup.sender.first_sequence = 7;
    track.change(other, setup);
    send(track, 1040, TD_PACKET_KEY);
    send(track, 1060, TD_PACKET_KEY);
    ASSERT_EQ(sent_.size(), 4u);
    EXPECT_EQ(sent_[2].payload_type, 8);
    EXPECT_EQ(sent_[2].ssrc, 7u);
    EXPECT_EQ(sent_[2].sequence, 102);
    EXPECT_EQ(sent_[2].timestamp, sent_[1].timestamp + 20 * 8);
    EXPECT_EQ(sent_[3].timestamp, sent_[1].timestamp + 40 * 8);
    track.repeat({101, 102}, 1'080'000, 20'000);
    ASSERT_EQ(sent_.size(), 5u) << "what had the other codec is not repeated";
    EXPECT_EQ(sent_[4].sequence, 102);
    EXPECT_EQ(track.report(1'080'000, 0).value().sender->rtp, sent_[1].timestamp + 60 * 8);
}

TEST_F(PlayTrackTest, PicturesOfAnotherCodecBeginWithAKeyFrame) {
    auto track = make();
    send(track, 0, TD_PACKET_KEY);
    Track other(TD_VIDEO, TD_CODEC_H264, {1, 1000});
    setup_.codec = TD_CODEC_H264;
    setup_.sender.payload_type = 102;
    setup_.sender.rtx_payload_type = 103;
    track.change(other, setup_);
    EXPECT_TRUE(track.waits_for_key());
    const auto picture = [&](std::int64_t pts, std::uint32_t flags) {
        OwnedPacket packet(context_, 0, Bytes{0, 0, 0, 2, 0x65, 1}, pts, flags);
        track.send(packet.packet, timeline_, pts * 1000);
    };
    picture(40, 0);
    EXPECT_EQ(sent_.size(), 1u);
    picture(80, TD_PACKET_KEY);
    ASSERT_EQ(sent_.size(), 2u);
    EXPECT_EQ(sent_[1].payload_type, 102);
    EXPECT_EQ(sent_[1].sequence, 101);
    EXPECT_EQ(sent_[1].timestamp, sent_[0].timestamp + 80 * 90);
    track.repeat({101}, 90'000, 20'000);
    ASSERT_EQ(sent_.size(), 3u);
    EXPECT_EQ(sent_[2].payload_type, 103);
}

TEST_F(PlayTrackTest, WhatWasLostIsRepeated) {
    auto track = make();
    send(track, 40, TD_PACKET_KEY);
    send(track, 80, 0);
    track.repeat({99, 101, 102}, 90'000, 20'000);
    ASSERT_EQ(sent_.size(), 3u);
    EXPECT_EQ(sent_[2].ssrc, 8u);
    EXPECT_EQ(sent_[2].payload_type, 97);
    EXPECT_EQ(sent_[2].payload[1], 101);
    track.repeat({101}, 100'000, 20'000);
    EXPECT_EQ(sent_.size(), 3u) << "it is on its way";
}

TEST_F(PlayTrackTest, AReportTellsWhenAPictureIsShown) {
    auto track = make();
    EXPECT_FALSE(track.report(0, 0).has_value());
    send(track, 40, TD_PACKET_KEY);
    const auto report = track.report(140'000, 1'000'140'000).value();
    EXPECT_EQ(report.ssrc, 7u);
    EXPECT_NEAR(static_cast<double>(rtp::unix_us(report.sender.value().ntp)), 1'000'140'000, 1);
    EXPECT_EQ(report.sender->rtp, 140u * 90 - 1);
    EXPECT_EQ(report.sender->packets, 1u);
}

TEST_F(PlayTrackTest, TracksThatBelongTogetherAreShownTogether) {
    Track sound(TD_AUDIO, TD_CODEC_OPUS, {1, 48'000}, 1);
    sound.track.clock = 1;
    Timeline timeline;
    const auto shown = [&](const Track& track, std::int64_t pts, std::int64_t now_us) {
        td_packet packet{};
        packet.pts = pts;
        return timeline.shown_us(track, packet, now_us);
    };
    EXPECT_EQ(shown(track_, 500, 100), 100);
    EXPECT_EQ(shown(sound, 24'960, 90'000), 20'100) << "whenever it came";
    EXPECT_EQ(shown(sound, 25'920, 200'000), 40'100);
    EXPECT_EQ(shown(sound, 48'000'000, 300'000), 300'000) << "a jump";
}

}  // namespace
}  // namespace tapedeck::webrtc
