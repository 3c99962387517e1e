#include "rtp/packet.hpp"

#include <gtest/gtest.h>

#include <array>

#include "../media/hex.hpp"
#include "rtp/extend.hpp"

using namespace tapedeck;
using namespace tapedeck::rtp;

namespace {

TEST(RtpPacket, IsTakenApart) {
    const auto bytes = hex("b1 e0 1234 00000064 aabbccdd 11111111 bede 0001 10 7f 22 00 0102 03 000003");
    EXPECT_THROW(parse_packet(hex("b1 e0 1234 00000064 aabbccdd 11111111 bede 0002 10 7f")), Malformed);
    const auto packet = parse_packet(bytes);
    EXPECT_TRUE(packet.marker);
    EXPECT_EQ(packet.payload_type, 0x60);
    EXPECT_EQ(packet.sequence, 0x1234);
    EXPECT_EQ(packet.timestamp, 100u);
    EXPECT_EQ(packet.ssrc, 0xaabbccdd);
    EXPECT_EQ(Bytes(packet.payload.begin(), packet.payload.end()), hex("0102 03"));
    EXPECT_EQ(extension(packet, 1)->front(), 0x7f);
    EXPECT_FALSE(extension(packet, 2)) << "its three bytes lead past the end";
}

TEST(RtpPacket, RefusesWhatEndsTooEarly) {
    for (const auto* torn : {"", "80", "40 60 0001 00000000 00000000", "81 60 0001 00000000 00000000",
                             "a0 60 0001 00000000 00000000", "a0 60 0001 00000000 00000000 00",
                             "a0 60 0001 00000000 00000000 02", "90 60 0001 00000000 00000000 bede 0001"})
        EXPECT_THROW(parse_packet(hex(torn)), Malformed) << torn;
}

TEST(RtpPacket, OfPaddingAloneHasNoPayload) {
    EXPECT_TRUE(parse_packet(hex("a0 60 0001 00000000 00000000 000002")).payload.size() == 1);
    EXPECT_TRUE(parse_packet(hex("a0 60 0001 00000000 00000000 000003")).payload.empty());
}

TEST(RtpPacket, WritesExtensionsInTheShortestForm) {
    const auto value = hex("0102");
    const Bytes large(17, 5);
    for (const bool two_byte : {false, true}) {
        const std::array elements{Extension{3, value},
                                  Extension{two_byte ? std::uint8_t{20} : std::uint8_t{14}, two_byte ? large : value}};
        Bytes bytes(written_size(elements) + 1, 0xee);
        Packet packet;
        packet.payload_type = 111;
        packet.sequence = 9;
        ASSERT_EQ(write_header(bytes, packet, elements), bytes.size() - 1);
        EXPECT_EQ(bytes.back(), 0xee);
        const auto read = parse_packet(bytes);
        EXPECT_EQ(read.extension_profile, two_byte ? 0x1000 : 0xbede);
        EXPECT_EQ(read.sequence, 9);
        EXPECT_EQ(read.payload.size(), 1u);
        ASSERT_TRUE(extension(read, 3) && extension(read, elements[1].id));
        EXPECT_TRUE(std::ranges::equal(*extension(read, 3), value));
        EXPECT_TRUE(std::ranges::equal(*extension(read, elements[1].id), elements[1].value));
        EXPECT_FALSE(extension(read, 4));
    }
}

TEST(RtpPacket, IsToldFromRtcpByItsType) {
    EXPECT_TRUE(is_rtcp(hex("80c8")));
    EXPECT_FALSE(is_rtcp(hex("80e0"))) << "payload type 96 with marker";
    EXPECT_FALSE(is_rtcp(hex("00c8")));
}

TEST(Nearest, FollowsACounterOverItsEnd) {
    EXPECT_EQ(nearest<16>(65535, 1), 65537);
    EXPECT_EQ(nearest<16>(65537, 65530), 65530);
    EXPECT_EQ(nearest<16>(0, 65535), -1);
    EXPECT_EQ(nearest<32>(std::int64_t{5} << 32, 0xffffffff), (std::int64_t{5} << 32) - 1);
}

}  // namespace
