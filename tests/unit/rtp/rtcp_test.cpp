#include "rtp/rtcp.hpp"

#include <gtest/gtest.h>

#include "../media/hex.hpp"

using namespace tapedeck;
using namespace tapedeck::rtp;

namespace {

template <class Kind>
Kind only(const Bytes& bytes) {
    const auto messages = parse_rtcp(bytes);
    EXPECT_EQ(messages.size(), 1u);
    return std::get<Kind>(messages.at(0));
}

template <class Kind>
Bytes built(const Kind& message) {
    Bytes bytes;
    append(bytes, message);
    return bytes;
}

TEST(Rtcp, BuildsAndReadsASenderReportWithItsName) {
    Bytes bytes;
    append(bytes, Report{7, SenderInfo{0x1122334455667788, 90, 3, 4}, {ReportBlock{8, 128, -2, 70000, 5, 6, 9}}});
    append(bytes, SourceName{7, "ab"});
    EXPECT_EQ(bytes, hex("81c8000c 00000007 1122334455667788 0000005a 00000003 00000004"
                         "00000008 80fffffe 00011170 00000005 00000006 00000009"
                         "81ca0003 00000007 01026162 00000000"));
    const auto messages = parse_rtcp(bytes);
    ASSERT_EQ(messages.size(), 2u);
    const auto& report = std::get<Report>(messages[0]);
    EXPECT_EQ(report.sender->ntp, 0x1122334455667788u);
    ASSERT_EQ(report.blocks.size(), 1u);
    EXPECT_EQ(report.blocks[0].lost, -2);
    EXPECT_EQ(report.blocks[0].highest, 70000u);
    EXPECT_EQ(std::get<SourceName>(messages[1]).cname, "ab");
}

TEST(Rtcp, ReadsSeveralNamesInOneSdes) {
    const auto messages = parse_rtcp(hex("82ca0006 00000001 01026162 00000000 00000002 01036263 64000000"));
    ASSERT_EQ(messages.size(), 2u);
    EXPECT_EQ(std::get<SourceName>(messages[0]).cname, "ab");
    EXPECT_EQ(std::get<SourceName>(messages[1]).cname, "bcd");
}

TEST(Rtcp, NacksBySeventeenAcrossTheWrap) {
    const Nack nack{1, 2, {65534, 65535, 14, 15, 40}};
    const auto bytes = built(nack);
    EXPECT_EQ(bytes, hex("81cd0005 00000001 00000002 fffe8001 000f0000 00280000"));
    EXPECT_EQ(only<Nack>(bytes).lost, nack.lost);
}

TEST(Rtcp, AsksForKeyFrames) {
    EXPECT_EQ(built(PictureLoss{1, 2}), hex("81ce0002 00000001 00000002"));
    EXPECT_EQ(only<PictureLoss>(built(PictureLoss{1, 2})).media, 2u);
    EXPECT_EQ(built(FullIntra{1, 2, 3}), hex("84ce0004 00000001 00000000 00000002 03000000"));
    EXPECT_EQ(only<FullIntra>(built(FullIntra{1, 2, 3})).number, 3);
}

TEST(Rtcp, LimitsTheRate) {
    const auto bytes = built(BitrateLimit{1, 2'500'000, {5, 6}});
    EXPECT_EQ(bytes, hex("8fce0006 00000001 00000000 52454d42 02 12625a 00000005 00000006"));
    const auto read = only<BitrateLimit>(bytes);
    EXPECT_EQ(read.bits_per_second, 2'500'000u);
    EXPECT_EQ(read.ssrcs, (std::vector<std::uint32_t>{5, 6}));
    EXPECT_EQ(only<BitrateLimit>(hex("8fce0004 00000001 00000000 52454d42 00ffffff")).bits_per_second, UINT64_MAX);
}

TEST(Rtcp, PassesOverWhatItDoesNotKnow) {
    EXPECT_TRUE(parse_rtcp(hex("80cf0001 00000001 80cc0002 00000001 61626364")).empty());
    EXPECT_EQ(only<Bye>(hex("81cb0001 00000009")).ssrcs.front(), 9u);
}

TEST(Rtcp, RefusesLengthsThatLeadPastTheEnd) {
    for (const auto* torn : {"80c8", "81c90001 00000001", "80c80002 00000000", "81ca0002 00000001 01ff6162", "81cb0000",
                             "81cd0001 00000001", "a0c90001 00000005", "8fce0004 0000000100000000 52454d42 01000000",
                             "8fcd0004 00000001 00000000 0001 0002 000000 00"})
        EXPECT_THROW(parse_rtcp(hex(torn)), Malformed) << torn;
}

TEST(TransportFeedback, TellsWhatCameAndWhen) {
    TransportFeedbackBuilder builder;
    EXPECT_TRUE(builder.empty());
    builder.arrived(65535, 1'000'000);
    builder.arrived(2, 1'100'000);
    builder.arrived(0, 1'050'250);
    builder.arrived(0, 1'060'000);
    Bytes bytes;
    builder.append(bytes, 1, 2);
    const auto read = only<TransportFeedback>(bytes);
    EXPECT_EQ(read.base, 65535);
    EXPECT_EQ(read.reference_us, 960'000);
    EXPECT_EQ(read.arrivals_us, (std::vector<std::int64_t>{40'000, 90'250, TransportFeedback::missing, 140'000}));
    builder.arrived(1, 1'200'000);
    EXPECT_TRUE(builder.empty()) << "told before";
    builder.arrived(5, 1'200'000);
    bytes.clear();
    builder.append(bytes, 1, 2);
    const auto next = only<TransportFeedback>(bytes);
    EXPECT_EQ(next.base, 3);
    EXPECT_EQ(next.count, 1);
    EXPECT_EQ(next.arrivals_us.size(), 3u);
}

TEST(TransportFeedback, TellsOfArrivalsThatStepBack) {
    TransportFeedbackBuilder builder;
    for (int i = 0; i < 100; ++i) builder.arrived(static_cast<std::uint16_t>(i), 5'000'000 + i * 1000);
    builder.arrived(150, 5'000'000);
    Bytes bytes;
    builder.append(bytes, 1, 2);
    const auto read = only<TransportFeedback>(bytes);
    ASSERT_EQ(read.arrivals_us.size(), 151u);
    EXPECT_EQ(read.reference_us + read.arrivals_us[99], 5'099'000);
    EXPECT_EQ(read.reference_us + read.arrivals_us[150], 5'000'000);
    EXPECT_EQ(read.arrivals_us[120], TransportFeedback::missing);
}

TEST(TransportFeedback, NeedsASecondMessageAfterALongPause) {
    TransportFeedbackBuilder builder;
    builder.arrived(1, 1'000'000);
    builder.arrived(2, 20'000'000);
    Bytes bytes;
    builder.append(bytes, 1, 2);
    const auto messages = parse_rtcp(bytes);
    ASSERT_EQ(messages.size(), 2u);
    const auto& second = std::get<TransportFeedback>(messages[1]);
    EXPECT_EQ(second.base, 2);
    EXPECT_EQ(second.reference_us + second.arrivals_us.at(0), 20'000'000);
}

TEST(TransportFeedback, BeginsAnewAfterAJump) {
    TransportFeedbackBuilder builder;
    builder.arrived(1, 1'000'000);
    builder.arrived(10'000, 1'000'500);
    Bytes bytes;
    builder.append(bytes, 1, 2);
    const auto read = only<TransportFeedback>(bytes);
    EXPECT_EQ(read.base, 10'000);
    EXPECT_EQ(read.arrivals_us.size(), 1u);
}

TEST(TransportFeedback, ReadsOneBitVectors) {
    const auto read = only<TransportFeedback>(hex("8fcd0005 00000001 00000002 0001 0003 ffffff 07 9000 04 00"));
    EXPECT_EQ(read.reference_us, -64'000);
    EXPECT_EQ(read.arrivals_us,
              (std::vector<std::int64_t>{TransportFeedback::missing, 1000, TransportFeedback::missing}));
}

}  // namespace
