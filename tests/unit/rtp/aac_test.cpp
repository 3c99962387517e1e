#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../media/hex.hpp"
#include "rtp/aac_depacketiser.hpp"
#include "testkit/fake_host.hpp"

using namespace tapedeck;
using namespace tapedeck::rtp;
using ::testing::ElementsAre;

namespace {

struct Heard : MediaOut {
    void track(const td_track& track) override {
        told.push_back(std::to_string(track.sample_rate) + " Hz " + std::to_string(track.channels));
    }
    void packet(const td_packet& packet) override {
        std::string line = std::to_string(packet.pts);
        if ((packet.flags & TD_PACKET_DISCONTINUITY) != 0) line += " gap";
        for (std::uint32_t i = 0; i < packet.data_size; ++i) line += " " + std::to_string(packet.data[i]);
        if (packet.wallclock_us != TD_NO_TIME) line += " at " + std::to_string(packet.wallclock_us);
        told.push_back(line);
    }
    std::vector<std::string> told;
};

sdp::Codec codec(const std::string& fmtp) {
    sdp::Codec made;
    made.name = "mpeg4-generic";
    made.clock = 44'100;
    made.fmtp = fmtp;
    return made;
}

const std::string hbr = "mode=AAC-hbr;config=1210;sizeLength=13;indexLength=3;indexDeltaLength=3";

class Aac : public ::testing::Test {
protected:
    Context context() { return {host_.table(), host_.context()}; }
    void give(std::uint32_t timestamp, const std::string& payload, std::uint32_t lost = 0,
              std::int64_t wallclock_us = TD_NO_TIME) {
        const auto bytes = hex(payload);
        Received received;
        received.buffer = context().buffer(bytes.size());
        std::copy(bytes.begin(), bytes.end(), received.buffer.data());
        received.packet.payload = {received.buffer.data(), bytes.size()};
        received.packet.timestamp = timestamp;
        received.lost = lost;
        received.wallclock_us = wallclock_us;
        aac_.push(received, heard_);
    }

    testkit::FakeHost host_;
    AacDepacketiser aac_{context(), 1, 44'100, AacFormat::parse(codec(hbr))};
    Heard heard_;
};

TEST_F(Aac, SeveralUnitsOfAPacketHaveTimesOfTheirOwn) {
    give(1000, "0020 0010 0008 0102 03", 0, 5'000'000);
    EXPECT_THAT(heard_.told, ElementsAre("44100 Hz 2", "1000 1 2 at 5000000", "2024 3 at 5023219"));
}

TEST_F(Aac, AUnitInSeveralPacketsIsPutTogether) {
    give(0, "0010 0020 0102");
    give(0, "0010 0020 0304");
    give(1024, "0010 0008 05");
    EXPECT_THAT(heard_.told, ElementsAre("44100 Hz 2", "0 1 2 3 4", "1024 5"));
}

TEST_F(Aac, AUnitWithALostPartIsLeftOut) {
    give(0, "0010 0008 01");
    give(1024, "0010 0020 0102");
    give(2048, "0010 0008 02", 1);
    EXPECT_THAT(heard_.told, ElementsAre("44100 Hz 2", "0 1", "2048 gap 2"));
}

TEST_F(Aac, TornPacketsAreCountedAndLeftOut) {
    for (const auto* bad : {"00", "0010", "0010 00", "0020 0010 0010 0102", "0020 0008 0009 0102 03"}) give(0, bad);
    EXPECT_EQ(aac_.malformed(), 5u);
}

TEST_F(Aac, OfLatmIsReadWithItsSizes) {
    sdp::Codec latm = codec("cpresent=0;config=400024203fc0");
    latm.name = "MP4A-LATM";
    const auto format = AacFormat::parse(latm);
    EXPECT_EQ(format.config, hex("1210"));
    latm.fmtp = "config=400024203fc0";
    EXPECT_THROW(AacFormat::parse(latm), Malformed) << "config in the stream";
    AacDepacketiser depacketiser(context(), 1, 44'100, format);
    const auto push = [&](std::uint32_t timestamp, bool marker, const std::string& payload) {
        const auto bytes = hex(payload);
        Received received;
        received.buffer = context().buffer(bytes.size());
        std::copy(bytes.begin(), bytes.end(), received.buffer.data());
        received.packet.payload = {received.buffer.data(), bytes.size()};
        received.packet.timestamp = timestamp;
        received.packet.marker = marker;
        depacketiser.push(received, heard_);
    };
    push(0, true, "02 0102");
    push(1024, false, "03 03");
    push(1024, true, "0405");
    push(2048, true, "05 06");
    EXPECT_THAT(heard_.told, ElementsAre("44100 Hz 2", "0 1 2", "1024 3 4 5"));
    EXPECT_EQ(depacketiser.malformed(), 1u);
}

TEST(AacFormat, SaysWhatItDoesNotKnow) {
    EXPECT_EQ(AacFormat::parse(codec(hbr)).config, hex("1210"));
    for (const auto* bad : {"mode=AAC-hbr;sizelength=13", "config=12;sizelength=x", "config=1210", "config=121",
                            "config=1210;sizelength=13;ctsdeltalength=2"})
        EXPECT_THROW(AacFormat::parse(codec(bad)), Malformed) << bad;
}

}  // namespace
