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
