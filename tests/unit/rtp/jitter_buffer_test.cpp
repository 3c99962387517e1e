#include "rtp/jitter_buffer.hpp"

#include <gtest/gtest.h>

#include "../media/hex.hpp"
#include "rtp/redundancy.hpp"

using namespace tapedeck;
using namespace tapedeck::rtp;

namespace {

using Answer = JitterBuffer::Answer;
constexpr std::int64_t millisecond = 1000;

struct Line {
    explicit Line(const JitterLimits& limits = {}) : buffer(limits) {}

    Answer in(unsigned sequence, std::int64_t now_us) {
        Received received;
        received.packet.sequence = static_cast<std::uint16_t>(sequence);
        return buffer.insert(std::move(received), now_us);
    }
    /// `5` for a packet, `+2:8` for one after two that were lost.
    std::string out(std::int64_t now_us) {
        std::string text;
        while (const auto packet = buffer.pop(now_us)) {
            text += text.empty() ? "" : " ";
            if (packet->lost != 0) text += "+" + std::to_string(packet->lost) + ":";
            text += std::to_string(packet->packet.sequence);
        }
        return text;
    }
    std::vector<std::uint16_t> asked(std::int64_t now_us) {
        std::vector<std::uint16_t> lost;
        buffer.nacks(now_us, lost);
        return lost;
    }
    JitterBuffer buffer;
};

using Lost = std::vector<std::uint16_t>;

TEST(JitterBuffer, GivesWhatIsInOrderAtOnceAcrossTheWrap) {
    Line line;
    for (const unsigned sequence : {65534u, 65535u, 0u, 1u}) {
        EXPECT_EQ(line.in(sequence, 0), Answer::taken);
        EXPECT_EQ(line.out(0), std::to_string(sequence));
    }
    EXPECT_FALSE(line.buffer.holds());
    EXPECT_EQ(line.in(1, 0), Answer::old);
}

TEST(JitterBuffer, PutsBackInOrder) {
    Line line;
    line.in(1, 0);
    line.in(4, 0);
    line.in(3, 0);
    EXPECT_EQ(line.in(3, 0), Answer::duplicate);
    EXPECT_EQ(line.out(399 * millisecond), "1");
    line.in(2, 399 * millisecond);
    EXPECT_EQ(line.out(399 * millisecond), "2 3 4");
}

TEST(JitterBuffer, TheFirstPacketWaitsForThoseItOvertook) {
    JitterLimits limits;
    limits.begin_us = 30 * millisecond;
    Line line(limits);
    line.in(6, 0);
    EXPECT_EQ(line.in(3, 10 * millisecond), Answer::taken);
    EXPECT_EQ(line.in(5, 10 * millisecond), Answer::taken);
    EXPECT_EQ(line.out(29 * millisecond), "");
    EXPECT_EQ(line.asked(29 * millisecond), Lost{4});
    EXPECT_EQ(line.out(30 * millisecond), "3");
    EXPECT_EQ(line.in(2, 30 * millisecond), Answer::old);
    line.in(4, 31 * millisecond);
    EXPECT_EQ(line.out(31 * millisecond), "4 5 6");
}

TEST(JitterBuffer, ReportsAHoleThatNobodyFilledInTime) {
    Line line;
    line.in(1, 0);
    line.in(4, 10 * millisecond);
    line.in(6, 300 * millisecond);
    EXPECT_EQ(line.out(409 * millisecond), "1");
    EXPECT_EQ(line.out(410 * millisecond), "+2:4");
    EXPECT_EQ(line.in(2, 410 * millisecond), Answer::old);
    EXPECT_EQ(line.out(699 * millisecond), "");
    EXPECT_EQ(line.out(700 * millisecond), "+1:6");
}

TEST(JitterBuffer, IsBoundedInPackets) {
    JitterLimits limits;
    limits.packets = 20;
    Line line(limits);
    line.in(1, 0);
    EXPECT_EQ(line.out(0), "1");
    for (unsigned sequence = 3; sequence < 22; ++sequence) line.in(sequence, 0);
    EXPECT_EQ(line.out(0), "");
    line.in(22, 0);
    EXPECT_EQ(line.out(0), "+1:3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22");
}

TEST(JitterBuffer, IsBoundedThoughNobodyPops) {
    JitterLimits limits;
    limits.packets = 8;
    Line line(limits);
    for (const unsigned sequence : {1u, 8u, 15u}) EXPECT_EQ(line.in(sequence, 0), Answer::taken);
    EXPECT_EQ(line.in(22, 0), Answer::stray) << "steps of 7 each, 21 in all";
    EXPECT_EQ(line.in(16, 0), Answer::taken);
    EXPECT_EQ(line.out(0), "1 +6:8");
    EXPECT_EQ(line.in(22, 0), Answer::taken);
}

TEST(JitterBuffer, FollowsASenderThatBeginsAnewAfterTwoPacketsOnly) {
    Line line;
    line.in(1, 0);
    line.in(3, 0);
    EXPECT_EQ(line.out(0), "1");
    EXPECT_EQ(line.in(40000, 0), Answer::stray);
    EXPECT_EQ(line.in(50000, 0), Answer::stray);
    EXPECT_EQ(line.out(0), "");
    EXPECT_EQ(line.in(50001, 0), Answer::taken);
    EXPECT_EQ(line.out(0), "+1:3 +1:50001");
}

TEST(JitterBuffer, TakesNoOldRepetitionForANewBeginning) {
    Line line;
    line.in(5000, 0);
    for (const std::uint16_t sequence : {std::uint16_t{100}, std::uint16_t{101}, std::uint16_t{102}}) {
        Received repeated;
        repeated.packet.sequence = sequence;
        EXPECT_EQ(line.buffer.insert(std::move(repeated), 0, true), Answer::old);
    }
    line.in(5001, 0);
    EXPECT_EQ(line.out(0), "5000 5001");
}

TEST(JitterBuffer, AsksAgainAfterARoundTripUntilItsTimeIsOver) {
    Line line;
    line.in(1, 0);
    line.in(4, 0);
    EXPECT_EQ(line.asked(9 * millisecond), Lost{}) << "it may just come late";
    EXPECT_EQ(line.asked(10 * millisecond), (Lost{2, 3}));
    EXPECT_EQ(line.asked(109 * millisecond), Lost{});
    line.in(2, 50 * millisecond);
    EXPECT_LT(line.buffer.rtt_us(), 100 * millisecond);
    EXPECT_EQ(line.asked(110 * millisecond), Lost{3});
    EXPECT_EQ(line.asked(390 * millisecond), Lost{}) << "its answer would come too late";
    EXPECT_EQ(line.out(400 * millisecond), "1 2 +1:4");
    EXPECT_EQ(line.asked(401 * millisecond), Lost{});
}

TEST(Rtx, GivesTheOriginalBack) {
    const auto bytes = hex("8061 0005 00000064 00000009 1234 aabb");
    const auto original = unpack_rtx(parse_packet(bytes), 8, 96);
    ASSERT_TRUE(original);
    EXPECT_EQ(original->sequence, 0x1234);
    EXPECT_EQ(original->ssrc, 8u);
    EXPECT_EQ(original->payload_type, 96);
    EXPECT_EQ(original->payload.size(), 2u);
    EXPECT_FALSE(unpack_rtx(parse_packet(hex("8061 0005 00000064 00000009")), 8, 96)) << "padding";
}

TEST(Red, GivesEachBlockTheSequenceNumberItHad) {
    const auto bytes = hex("80 3f 0000 00001000 00000009 ef 1e0002 ef 0f0001 6f aabb cc dd");
    std::vector<Packet> packets;
    unpack_red(parse_packet(bytes), packets);
    ASSERT_EQ(packets.size(), 3u);
    EXPECT_EQ(packets[0].sequence, 65534);
    EXPECT_EQ(packets[0].timestamp, 0x1000u - 1920);
    EXPECT_EQ(packets[0].payload.size(), 2u);
    EXPECT_EQ(packets[1].sequence, 65535);
    EXPECT_EQ(packets[2].payload_type, 111);
    EXPECT_EQ(packets[2].payload[0], 0xdd);
    EXPECT_THROW(unpack_red(parse_packet(hex("80 3f 0000 00001000 00000009 ef 1e0002 6f aa")), packets), Malformed);
}

}  // namespace
