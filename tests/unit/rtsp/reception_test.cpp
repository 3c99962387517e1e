#include "rtsp/reception.hpp"

#include <gtest/gtest.h>

#include "fake_camera.hpp"
#include "rtp/sender_clock.hpp"
#include "tapedeck/media/ticks.hpp"
#include "testkit/fake_host.hpp"

namespace tapedeck::rtsp {
namespace {

constexpr std::int64_t begin_us = 50'000'000, capture_us = 1'700'000'000'000'000;

/// A picture and sound of 8 kHz, which both begin at RTP's time 1000 s.
class ReceptionTest : public ::testing::Test {
protected:
    ReceptionTest() { describe(); }
    void describe(bool returns = false) {
        std::vector<std::string> left_out;
        const auto described = camera_description + "m=audio 0 RTP/AVP 8\r\na=control:track2\r\n";
        reception_.emplace(context(), media_of(sdp::parse(described), left_out), 0, returns);
    }
    Context context() { return {host_.table(), host_.context()}; }
    static std::uint32_t rtptime(std::size_t track, std::int64_t at_us) {
        return static_cast<std::uint32_t>((1'000'000'000 + at_us) * (track == 0 ? 90 : 8) / 1000);
    }
    /// A packet of what is captured at `at_us`, which comes `late_us` later.
    void send(std::size_t track, std::int64_t at_us, std::int64_t late_us, std::size_t size = 3) {
        Bytes bytes(rtp::header_size);
        rtp::Packet head;
        head.marker = true;
        head.payload_type = track == 0 ? 96 : 8;
        head.sequence = ++sequences_[track];
        head.timestamp = rtptime(track, at_us);
        head.ssrc = static_cast<std::uint32_t>(track);
        rtp::write_header(bytes, head, {});
        bytes.insert(bytes.end(), {0x65, 0x88});
        bytes.resize(bytes.size() + size);
        const Buffer buffer(host_.table(), bytes.size());
        std::memcpy(buffer.data(), bytes.data(), bytes.size());
        now_us_ = begin_us + at_us + late_us;
        reception_->rtp(track, {buffer.data(), bytes.size()}, buffer, now_us_);
        give();
    }
    void report(std::size_t track, std::int64_t at_us) {
        Bytes bytes;
        rtp::append(bytes, rtp::Report{static_cast<std::uint32_t>(track),
                                       rtp::SenderInfo{rtp::ntp(capture_us + at_us), rtptime(track, at_us), 0, 0},
                                       {}});
        reception_->rtcp(track, bytes, now_us_);
    }
    void give() { reception_->give(Sink(&sink_), now_us_); }
    std::int64_t first_us(std::uint32_t track) {
        const auto packets = sink_.packets(track);
        if (packets.empty()) return TD_NO_TIME;
        return to_us(packets.front().packet.pts, {1, track == 0 ? 90'000 : 8'000});
    }

    testkit::FakeHost host_;
    testkit::RecordingSink sink_;
    std::optional<Reception> reception_;
    std::array<std::uint16_t, 2> sequences_{};
    std::int64_t now_us_ = begin_us;
};

TEST_F(ReceptionTest, HoldsTheFirstPacketsUntilEachTrackWasReported) {
    send(0, 0, 200'000);
    report(0, 0);
    send(0, 40'000, 200'000);
    send(1, 200'000, 50'000);
    EXPECT_EQ(sink_.packet_count(), 0u);
    report(1, 0);
    send(1, 220'000, 50'000);
    ASSERT_EQ(sink_.packet_count(), 4u) << "in the order of their arrival";
    EXPECT_EQ(sink_.packets()[2].packet.track, 1u);
    EXPECT_EQ(sink_.packets(0)[0].packet.wallclock_us, capture_us);
    EXPECT_EQ(sink_.packets(1)[0].packet.wallclock_us, capture_us + 200'000);
    EXPECT_NEAR(double(first_us(1) - first_us(0)), 200'000, 130) << "as they were captured, not as they came";
}

TEST_F(ReceptionTest, HoldsNothingWhereRtpInfoTells) {
    reception_->begin({rtptime(0, 0), rtptime(1, 0)}, now_us_);
    send(0, 40'000, 200'000);
    EXPECT_EQ(sink_.packet_count(), 1u);
    send(1, 60'000, 10'000);
    EXPECT_NEAR(double(first_us(1) - first_us(0)), 20'000, 130);
    EXPECT_EQ(sink_.packets(1)[0].packet.wallclock_us - sink_.packets(0)[0].packet.wallclock_us, 20'000);
}

TEST_F(ReceptionTest, TheHostAlignsTracksAnewWhenTheirSourceIsBack) {
    describe(true);
    reception_->begin({rtptime(0, 0), rtptime(1, 0)}, now_us_);
    for (const std::int64_t at : {0, 40'000}) {
        send(0, at, 200'000);
        send(1, at, 10'000);
    }
    EXPECT_NEAR(double(first_us(1) - first_us(0)), 0, 130);
    for (const std::uint32_t track : {0u, 1u}) {
        EXPECT_EQ(sink_.packets(track)[0].packet.wallclock_us, TD_NO_TIME);
        EXPECT_NE(sink_.packets(track)[1].packet.wallclock_us, TD_NO_TIME);
    }
}

TEST_F(ReceptionTest, HoldsAllTheSameWhereRtpInfoIsMissingOrCannotBe) {
    reception_->begin({rtptime(0, 0), std::nullopt}, now_us_);
    send(0, 0, 0);
    EXPECT_EQ(sink_.packet_count(), 0u);
    describe();
    reception_->begin({0, 0}, now_us_);
    send(1, 0, 0);
    EXPECT_EQ(sink_.packet_count(), 0u);
}

TEST_F(ReceptionTest, HoldsForASecondAtMost) {
    send(0, 0, 300'000);
    send(0, 900'000, 1'000);
    send(1, 920'000, 1'000);
    EXPECT_EQ(sink_.packet_count(), 0u);
    now_us_ = begin_us + 1'300'000;
    give();
    ASSERT_EQ(sink_.packet_count(), 3u);
    EXPECT_NEAR(double(first_us(1) - first_us(0)), 920'000, 130) << "by the quickest of them";
    send(1, 9'000'000, 1'000);
    EXPECT_NE(sink_.packets(1)[1].packet.wallclock_us, TD_NO_TIME);
    send(1, 11'000'000, 1'000);
    send(1, 11'020'000, 1'000);
    EXPECT_EQ(sink_.packets(1)[3].packet.wallclock_us, TD_NO_TIME) << "the host knows by then how they arrive";
}

TEST_F(ReceptionTest, Holds4MbAtMostAndGivesAllInTheEnd) {
    send(0, 0, 0);
    send(0, 40'000, 0);
    EXPECT_EQ(sink_.packet_count(), 0u);
    for (int i = 2; sink_.packet_count() == 0 && i < 9; ++i) send(0, i * 40'000, 0, 1'000'000);
    EXPECT_EQ(sink_.packet_count(), 6u);
}

TEST_F(ReceptionTest, GivesWhatItHoldsAtTheEnd) {
    send(0, 0, 0);
    reception_->finish(Sink(&sink_), now_us_);
    EXPECT_EQ(sink_.packet_count(), 1u);
}

}  // namespace
}  // namespace tapedeck::rtsp
