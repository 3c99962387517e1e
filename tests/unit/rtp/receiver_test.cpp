#include "rtp/receiver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "testkit/fake_host.hpp"

namespace tapedeck::rtp {
namespace {

using ::testing::ElementsAre;

const Bytes key_picture{0x10, 0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00};  // 320x240, descriptor first
const Bytes picture{0x10, 0x11, 0, 0, 0x55};

struct Sent {
    std::uint16_t sequence;
    Bytes payload;
    std::uint32_t timestamp = 0;
    std::uint8_t payload_type = 96;
    std::uint32_t ssrc = 0x10;
};

/// What came out.
struct Story : rtp::MediaOut {
    void track(const td_track& track) override { told.push_back("track " + std::to_string(track.index)); }
    void packet(const td_packet& packet) override {
        if (!first) first = packet.pts;
        auto line = std::to_string(packet.pts - *first);
        if ((packet.flags & TD_PACKET_KEY) != 0) line += " key";
        if ((packet.flags & TD_PACKET_DISCONTINUITY) != 0) line += " gap";
        told.push_back(line);
        wallclock_us = packet.wallclock_us;
    }
    std::vector<std::string> told;  // times from the first packet on
    std::optional<std::int64_t> first;
    std::int64_t wallclock_us = TD_NO_TIME;
};

class ReceiverTest : public ::testing::Test {
protected:
    static ReceiverSetup video() {
        ReceiverSetup setup;
        setup.track = 1;
        setup.codec = TD_CODEC_VP8;
        setup.clock = 90'000;
        setup.payload_type = 96;
        setup.rtx = std::uint8_t{97};
        setup.has_nack = setup.has_pli = setup.has_fir = true;
        return setup;
    }
    static ReceiverSetup sound() {
        ReceiverSetup setup;
        setup.codec = TD_CODEC_OPUS;
        setup.clock = 48'000;
        setup.payload_type = 111;
        setup.red = std::uint8_t{63};
        return setup;
    }
    Receiver make(const ReceiverSetup& setup) { return {Context(host_.table(), host_.context()), setup}; }

    /// Gives the packet and what follows from it; every picture is one packet.
    void give(Receiver& receiver, const Sent& sent, std::int64_t now_us) {
        Bytes bytes(rtp::header_size);
        rtp::Packet head;
        head.marker = true;
        head.payload_type = sent.payload_type;
        head.sequence = sent.sequence;
        head.timestamp = sent.timestamp;
        head.ssrc = sent.ssrc;
        rtp::write_header(bytes, head, {});
        bytes.insert(bytes.end(), sent.payload.begin(), sent.payload.end());
        const Buffer buffer(host_.table(), bytes.size());
        std::memcpy(buffer.data(), bytes.data(), bytes.size());
        receiver.rtp(rtp::parse_packet({buffer.data(), bytes.size()}), buffer, now_us, story_);
        receiver.drain(now_us, story_);
    }
    static std::vector<rtp::Message> feedback(Receiver& receiver, std::int64_t now_us) {
        Bytes bytes;
        receiver.feedback(bytes, 1, now_us);
        return bytes.empty() ? std::vector<rtp::Message>{} : rtp::parse_rtcp(bytes);
    }
    /// How many of the messages are a `Kind` about SSRC 0x10.
    template <class Kind>
    static int count(const std::vector<rtp::Message>& messages) {
        int found = 0;
        for (const auto& message : messages)
            if (const auto* one = std::get_if<Kind>(&message)) found += one->sender == 1 && one->media == 0x10;
        return found;
    }

    testkit::FakeHost host_;
    Story story_;
};

TEST_F(ReceiverTest, AMissingPacketIsAskedForAndComesAsARetransmission) {
    auto receiver = make(video());
    give(receiver, {10, key_picture, 1000}, 1'000);
    EXPECT_THAT(story_.told, ElementsAre("track 1", "0 key"));
    feedback(receiver, 1'000);
    give(receiver, {12, picture, 7000}, 2'000);
    EXPECT_EQ(story_.told.size(), 2u) << "behind a hole it waits";
    const auto messages = feedback(receiver, 20'000);
    ASSERT_EQ(count<rtp::Nack>(messages), 1);
    EXPECT_THAT(std::get<rtp::Nack>(messages.at(0)).lost, ElementsAre(11));

    Bytes repeated{0, 11};
    repeated.insert(repeated.end(), picture.begin(), picture.end());
    give(receiver, {900, repeated, 4000, 97, 0x20}, 30'000);
    EXPECT_THAT(story_.told, ElementsAre("track 1", "0 key", "3000", "6000"));
    EXPECT_TRUE(receiver.knows(0x20));
    EXPECT_EQ(receiver.report(40'000).value().highest & 0xffff, 12u) << "statistics are the stream's own";
    EXPECT_EQ(receiver.report(40'000).value().lost, 1);
}

TEST_F(ReceiverTest, AHoleThatStaysIsToldAndAKeyFrameAskedFor) {
    auto receiver = make(video());
    give(receiver, {10, key_picture, 1000}, 1'000);
    EXPECT_EQ(count<rtp::PictureLoss>(feedback(receiver, 1'000)), 0);
    give(receiver, {12, picture, 7000}, 2'000);
    receiver.drain(500'000, story_);
    EXPECT_EQ(count<rtp::PictureLoss>(feedback(receiver, 500'000)), 1);
    EXPECT_EQ(count<rtp::PictureLoss>(feedback(receiver, 510'000)), 0) << "the answer takes a moment";
    give(receiver, {13, key_picture, 9000}, 520'000);
    EXPECT_EQ(count<rtp::PictureLoss>(feedback(receiver, 2'000'000)), 0);
    EXPECT_THAT(story_.told, ElementsAre("track 1", "0 key", "6000 gap", "8000 key"))
        << "the host leaves out what follows a gap";
}

TEST_F(ReceiverTest, AKeyFrameIsAskedForWhereSomebodyWantsOneOrEachWhile) {
    auto setup = video();
    setup.has_pli = false;
    setup.key_interval_us = 5'000'000;
    auto receiver = make(setup);
    give(receiver, {10, picture, 1000}, 1'000'000);
    EXPECT_EQ(count<rtp::FullIntra>(feedback(receiver, 1'000'000)), 1) << "it begins without one";
    give(receiver, {11, key_picture, 2000}, 1'500'000);
    EXPECT_EQ(count<rtp::FullIntra>(feedback(receiver, 2'000'000)), 0);
    receiver.want_key();
    EXPECT_EQ(count<rtp::FullIntra>(feedback(receiver, 2'500'000)), 1);
    give(receiver, {12, key_picture, 3000}, 3'000'000);
    EXPECT_EQ(count<rtp::FullIntra>(feedback(receiver, 5'900'000)), 0);
    EXPECT_EQ(count<rtp::FullIntra>(feedback(receiver, 6'100'000)), 1) << "periodic";

    setup.has_pli = true;
    auto other = make(setup);
    give(other, {10, picture, 1000}, 1'000'000);
    EXPECT_EQ(count<rtp::PictureLoss>(feedback(other, 1'000'000)), 1);
    give(other, {11, key_picture, 2000}, 1'500'000);
    const auto periodic = feedback(other, 6'100'000);
    EXPECT_EQ(count<rtp::FullIntra>(periodic), 1) << "the setting says FIR";
    EXPECT_EQ(count<rtp::PictureLoss>(periodic), 0);
}

TEST_F(ReceiverTest, ALostSoundPacketComesOutOfTheRedundancyOfTheNext) {
    auto receiver = make(sound());
    const Bytes one{0x80 | 111, 0, 0, 1, 111, 0xaa, 0xbb};  // a block of one byte, no time before; then the packet
    give(receiver, {20, {111, 0xcc}, 960, 63}, 0);
    auto late = one;
    late[1] = 960 >> 6;
    late[2] = static_cast<std::uint8_t>((960 & 0x3f) << 2);
    give(receiver, {22, late, 2880, 63}, 40'000);
    EXPECT_THAT(story_.told, ElementsAre("track 0", "0 key", "960 key", "1920 key"));
    EXPECT_EQ(receiver.malformed(), 0u);
    give(receiver, {23, {0x80 | 111, 0, 0, 9}, 3840, 63}, 60'000);
    EXPECT_EQ(receiver.malformed(), 1u);
    give(receiver, {24, {0xdd}, 4800, 111}, 80'000);
    EXPECT_EQ(story_.told.back(), "3840 key") << "what was of no use is no hole";
}

TEST_F(ReceiverTest, APayloadTypeThatWasNotAgreedUponIsNoHole) {
    auto receiver = make(sound());
    give(receiver, {20, {1}, 960, 111}, 0);
    give(receiver, {21, {2}, 1920, 13}, 20'000);
    give(receiver, {22, {3}, 2880, 111}, 40'000);
    EXPECT_THAT(story_.told, ElementsAre("track 0", "0 key", "1920 key"));
}

TEST_F(ReceiverTest, PacketsHaveTheSendersTime) {
    auto setup = sound();
    setup.unix_offset_us = 1'600'000'000'000'000;
    auto receiver = make(setup);
    const auto report = [](std::int64_t unix_us, std::uint32_t at) {
        return rtp::SenderInfo{rtp::ntp(unix_us), at, 0, 0};
    };
    receiver.sender_report(report(1, 0), 0);
    give(receiver, {20, {1}, 48'000, 111}, 0);
    EXPECT_EQ(story_.wallclock_us, TD_NO_TIME);
    EXPECT_EQ(story_.first, 1'600'000'000 * std::int64_t{48'000}) << "UNIX time";
    receiver.sender_report(report(1'700'000'000'000'000, 48'000), 10);
    give(receiver, {21, {1}, 48'960, 111}, 20'000);
    EXPECT_NEAR(static_cast<double>(story_.wallclock_us - 1'700'000'000'000'000), 20'000, 2);
    EXPECT_NE(receiver.report(30'000).value().last_sr, 0u);
}

TEST_F(ReceiverTest, ANewStreamTakesOverAtOnceAndTheOneBeforeOnlyWhenThatIsSilent) {
    auto receiver = make(video());
    give(receiver, {10, key_picture, 1000}, 0);
    Bytes repeated{0, 11};
    repeated.insert(repeated.end(), picture.begin(), picture.end());
    give(receiver, {900, repeated, 4000, 97, 0x20}, 30'000);
    give(receiver, {13, picture, 10'000}, 90'000);
    give(receiver, {14, key_picture, 77'000, 96, 0x11}, 200'000);
    EXPECT_THAT(story_.told, ElementsAre("track 1", "0 key", "3000", "9000 gap", "track 1", "18000 key"))
        << "what waited behind a hole is not lost";
    repeated[1] = 15;
    give(receiver, {901, repeated, 80'000, 97, 0x20}, 210'000);
    give(receiver, {15, picture, 16'000}, 220'000);
    EXPECT_EQ(story_.told.size(), 6u) << "of the one before, also repeated";
    EXPECT_EQ(receiver.ssrc(), 0x11u);
    give(receiver, {16, key_picture, 200'000}, 2'300'000);
    EXPECT_EQ(receiver.ssrc(), 0x10u);
    give(receiver, {902, repeated, 203'000, 97, 0x20}, 2'310'000);
    EXPECT_TRUE(receiver.knows(0x20)) << "it is the present one's again";
}

/// Video in RED, with RTX of its own and FEC.
ReceiverSetup with_fec(ReceiverSetup setup) {
    setup.red = std::uint8_t{98};
    setup.red_rtx = std::uint8_t{99};
    setup.ulpfec = std::uint8_t{100};
    return setup;
}

Bytes in_red(std::uint8_t payload_type, const Bytes& payload) {
    Bytes all{payload_type};
    all.insert(all.end(), payload.begin(), payload.end());
    return all;
}

TEST_F(ReceiverTest, ALostPictureComesOutOfFecAtOnce) {
    auto receiver = make(with_fec(video()));
    give(receiver, {10, in_red(96, key_picture), 1000, 98}, 1'000);
    // Protects 10 and 11: both marked, 1000 and 4000, 11 and 5 bytes (RFC 5109 section 8).
    Bytes fec{0, 0, 0, 10, 0, 0, (1000 ^ 4000) >> 8, (1000 ^ 4000) & 0xff, 0, 11 ^ 5, 0, 11, 0xc0, 0};
    for (std::size_t i = 0; i < key_picture.size(); ++i)
        fec.push_back(static_cast<std::uint8_t>(key_picture[i] ^ (i < picture.size() ? picture[i] : 0)));
    give(receiver, {12, in_red(100, fec), 4000, 98}, 2'000);
    EXPECT_THAT(story_.told, ElementsAre("track 1", "0 key", "3000"));
    give(receiver, {13, in_red(96, picture), 7000, 98}, 30'000);
    EXPECT_EQ(story_.told.back(), "6000") << "no hole is left";
    EXPECT_TRUE(feedback(receiver, 60'000).empty()) << "nothing is asked for";

    give(receiver, {15, in_red(96, picture), 13'000, 98}, 70'000);
    Bytes repeated{0, 14, 96};
    repeated.insert(repeated.end(), picture.begin(), picture.end());
    give(receiver, {900, repeated, 10'000, 99, 0x20}, 90'000);
    EXPECT_EQ(story_.told.back(), "12000") << "RED is repeated as RED";
    give(receiver, {16, in_red(100, {1, 2, 3}), 13'000, 98}, 95'000);
    EXPECT_EQ(receiver.malformed(), 1u);
}

TEST_F(ReceiverTest, AHoleBetweenNumberedPicturesIsNoneOfThem) {
    auto receiver = make(with_fec(video()));
    const auto numbered = [](std::uint8_t number, const Bytes& payload) {
        Bytes all{96, 0x90, 0x80, 0x80, number};
        all.insert(all.end(), payload.begin() + 1, payload.end());
        return all;
    };
    give(receiver, {10, numbered(7, key_picture), 0, 98}, 0);
    feedback(receiver, 0);
    give(receiver, {12, numbered(8, picture), 3000, 98}, 30'000);
    receiver.drain(500'000, story_);
    EXPECT_THAT(story_.told, ElementsAre("track 1", "0 key", "3000")) << "11 was FEC";
    EXPECT_EQ(count<rtp::PictureLoss>(feedback(receiver, 500'000)), 0);
    give(receiver, {14, numbered(10, picture), 9000, 98}, 510'000);
    receiver.drain(1'000'000, story_);
    EXPECT_EQ(story_.told.back(), "9000 gap") << "picture 9 is missing";
    EXPECT_EQ(count<rtp::PictureLoss>(feedback(receiver, 1'000'000)), 1);
}

TEST_F(ReceiverTest, AfterAHoleAKeyFrameIsAskedForAgainUntilItComes) {
    auto receiver = make(video());
    give(receiver, {10, key_picture, 0}, 0);
    give(receiver, {12, picture, 6000}, 60'000);
    std::vector<std::int64_t> asked;
    for (std::int64_t now_us = 70'000; now_us < 6'000'000; now_us += 10'000) {
        receiver.drain(now_us, story_);
        if (count<rtp::PictureLoss>(feedback(receiver, now_us)) != 0) asked.push_back(now_us / 10'000);
    }
    EXPECT_THAT(asked, ElementsAre(46, 66, 106, 186, 346)) << "at once, then less and less often";
    give(receiver, {13, key_picture, 540'000}, 6'000'000);
    for (std::int64_t now_us = 6'000'000; now_us < 12'000'000; now_us += 10'000)
        EXPECT_EQ(count<rtp::PictureLoss>(feedback(receiver, now_us)), 0);
}

TEST_F(ReceiverTest, KeyFramesThatManyViewersWantAreAskedForRarely) {
    auto receiver = make(video());
    give(receiver, {10, key_picture, 0}, 0);
    int asked = 0;
    std::uint16_t sequence = 11;
    for (std::int64_t now_us = 1'000'000; now_us < 2'000'000; now_us += 10'000) {
        if (now_us % 100'000 == 0) receiver.want_key();
        const int now = count<rtp::PictureLoss>(feedback(receiver, now_us));
        asked += now;
        if (now != 0) give(receiver, {sequence++, key_picture, 90'000}, now_us);
    }
    EXPECT_EQ(asked, 5) << "once in 200 ms at most";
}

}  // namespace
}  // namespace tapedeck::rtp
