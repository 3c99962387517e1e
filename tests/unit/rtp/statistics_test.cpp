#include "rtp/statistics.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "rtp/key_requests.hpp"
#include "rtp/sender_clock.hpp"

using namespace tapedeck;
using namespace tapedeck::rtp;

namespace {

constexpr std::int64_t ms = 1000, second = 1'000'000;

Packet packet(unsigned sequence, std::uint32_t timestamp = 0) {
    Packet packet;
    packet.sequence = static_cast<std::uint16_t>(sequence);
    packet.timestamp = timestamp;
    return packet;
}

TEST(ReceiveStatistics, CountWhatIsLostInAllAndSinceTheLastReport) {
    ReceiveStatistics statistics(9, 90'000);
    EXPECT_FALSE(statistics.report(0));
    for (const unsigned sequence : {65534u, 65535u, 1u, 2u}) statistics.packet(packet(sequence), 0);
    auto block = statistics.report(0).value();
    EXPECT_EQ(block.ssrc, 9u);
    EXPECT_EQ(block.highest, 65536u + 2);
    EXPECT_EQ(block.lost, 1);
    EXPECT_EQ(block.fraction_lost, 256 / 5);
    EXPECT_EQ(block.last_sr, 0u);
    statistics.packet(packet(3), 0);
    statistics.packet(packet(3), 0);
    statistics.packet(packet(0), 0);
    block = statistics.report(0).value();
    EXPECT_EQ(block.lost, -1) << "duplicates count, as section A.3 says";
    EXPECT_EQ(block.fraction_lost, 0);
}

TEST(ReceiveStatistics, BeginAnewWithTheSender) {
    ReceiveStatistics statistics(9, 90'000);
    statistics.packet(packet(1), 0);
    statistics.packet(packet(30'000), 0);
    EXPECT_EQ(statistics.report(0)->highest, 1u) << "one packet far off is no reason";
    statistics.packet(packet(30'001), 0);
    const auto block = statistics.report(0).value();
    EXPECT_EQ(block.highest, 30'001u);
    EXPECT_EQ(block.lost, 0);
}

TEST(ReceiveStatistics, SmoothTheJitter) {
    ReceiveStatistics statistics(9, 90'000);
    for (unsigned i = 0; i < 200; ++i) statistics.packet(packet(i, i * 900), i * 10 * ms);
    EXPECT_EQ(statistics.report(0)->jitter, 0u);
    for (unsigned i = 200; i < 400; ++i) statistics.packet(packet(i, i * 900), i * 10 * ms + (i % 2) * 2 * ms);
    EXPECT_NEAR(statistics.report(0)->jitter, 180, 2) << "each step is 2 ms";
}

TEST(ReceiveStatistics, TellHowLongAgoTheSenderReported) {
    ReceiveStatistics statistics(9, 90'000);
    statistics.packet(packet(1), 0);
    statistics.sender_report({0x1122334455667788, 0, 0, 0}, 10 * second);
    const auto block = statistics.report(11 * second + second / 2).value();
    EXPECT_EQ(block.last_sr, 0x33445566u);
    EXPECT_EQ(block.since_sr, 0x18000u);
}

TEST(SenderClock, GivesTheTimeOfEachPacketFromTheFirstReportOn) {
    SenderClock clock(90'000);
    const std::int64_t start = 1'700'000'000 * second;
    EXPECT_EQ(clock.wallclock_us(0), TD_NO_TIME);
    clock.report({0, 5, 0, 0}, 0);
    EXPECT_EQ(clock.wallclock_us(0), TD_NO_TIME) << "a report without a time";
    const std::int64_t wrapped = std::int64_t{1} << 32;
    clock.report({ntp(start), 90'000, 0, 0}, wrapped);
    EXPECT_LE(std::abs(clock.wallclock_us(wrapped + 90'000) - (start)), 2);
    EXPECT_LE(std::abs(clock.wallclock_us(wrapped + 180'000) - (start + second)), 2);
}

TEST(SenderClock, IsDrawnByLaterReportsWithoutAStep) {
    SenderClock clock(48'000);
    const std::int64_t start = 1'700'000'000 * second;
    clock.report({ntp(start), 0, 0, 0}, 0);
    clock.wallclock_us(0);
    clock.report({ntp(start + 100 * ms), 0, 0, 0}, 0);  // a quarter of it is 25 ms: 5 s
    EXPECT_LE(std::abs(clock.wallclock_us(960) - (start + 20 * ms + 100)), 3);
    for (std::int64_t at = 960; at <= 48'000; at += 960) clock.wallclock_us(at);
    EXPECT_LE(std::abs(clock.wallclock_us(48'000) - (start + second + 5 * ms)), 3);
    for (std::int64_t at = 48'000; at <= 480'000; at += 960) clock.wallclock_us(at);
    EXPECT_LE(std::abs(clock.wallclock_us(480'000) - (start + 10 * second + 25 * ms)), 3);
}

TEST(SenderClock, IsSetAnewWhenTheSenderSetItsClock) {
    SenderClock clock(48'000);
    const std::int64_t start = 1'700'000'000 * second;
    clock.report({ntp(start), 0, 0, 0}, 0);
    clock.report({ntp(start + 3600 * second), 0, 0, 0}, 0);
    EXPECT_LE(std::abs(clock.wallclock_us(0) - (start + 3600 * second)), 2);
}

TEST(KeyRequests, AreMadeAtOnceAndThenWithBackOff) {
    KeyRequests requests;
    EXPECT_FALSE(requests.due(false, 0, 50 * ms));
    EXPECT_TRUE(requests.due(true, 0, 50 * ms));
    EXPECT_FALSE(requests.due(true, 199 * ms, 50 * ms));
    EXPECT_TRUE(requests.due(true, 200 * ms, 50 * ms));
    EXPECT_FALSE(requests.due(true, 599 * ms, 50 * ms));
    EXPECT_TRUE(requests.due(true, 600 * ms, 50 * ms));
    EXPECT_FALSE(requests.due(false, 700 * ms, 50 * ms)) << "the key frame came";
    EXPECT_TRUE(requests.due(true, 800 * ms, 50 * ms));
}

}  // namespace
