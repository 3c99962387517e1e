#include "rtp/sender.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "../media/hex.hpp"
#include "rtp/h264_depacketiser.hpp"
#include "rtp/jitter_buffer.hpp"
#include "rtp/redundancy.hpp"
#include "rtp/sender_clock.hpp"
#include "rtp/vp8_depacketiser.hpp"
#include "tapedeck/media/h264.hpp"
#include "testkit/fake_host.hpp"

using namespace tapedeck;
using namespace tapedeck::rtp;

namespace {

constexpr const char* avcc =
    "0164001fffe1001a6764001facd9405005bb011000000300100000030320f183196001000668ebe3cb22c0fdf8f800";

struct Kept : MediaOut {
    void track(const td_track& track) override {
        config.assign(track.config.data, track.config.data + track.config.size);
    }
    void packet(const td_packet& packet) override { frames.emplace_back(packet.data, packet.data + packet.data_size); }
    Bytes config;
    std::vector<Bytes> frames;
};

class Sending : public ::testing::Test {
protected:
    Context context() { return {host_.table(), host_.context()}; }

    static SenderSetup setup() {
        SenderSetup chosen;
        chosen.ssrc = 7;
        chosen.payload_type = 96;
        return chosen;
    }

    /// A picture out through a packetiser and a sender, in again through a depacketiser.
    Kept there_and_back(Packetiser& packetiser, Depacketiser& depacketiser, const Bytes& frame, std::size_t largest) {
        std::vector<Payload> payloads;
        {
            const OwnedPacket packet(context(), 0, frame, 0);
            packetiser.packetise(packet.packet, payloads);
        }
        Sender sender(setup());
        Kept kept;
        for (const auto& payload : payloads) {
            EXPECT_LE(payload.size(), largest);
            Received received;
            received.buffer = context().buffer(sender.room(payload, {}));
            const std::span room(received.buffer.data(), received.buffer.capacity());
            const auto size = sender.write(room, payload, 3000, {}, 0);
            EXPECT_LE(size, room.size());
            received.packet = parse_packet(room.first(size));
            depacketiser.push(received, kept);
        }
        parts_ = payloads.size();
        return kept;
    }

    testkit::FakeHost host_;
    std::size_t parts_ = 0;
};

TEST_F(Sending, H264ComesBackAsItWasWithItsParameterSets) {
    H264Packetiser packetiser(context(), 100);
    packetiser.config(hex(avcc));
    H264Depacketiser depacketiser(context(), 0);
    Bytes frame;
    h264::append_nal(frame, hex("0910"));
    h264::append_nal(frame, hex("0605"));
    auto slice = Bytes(1000, 0x88);
    slice[0] = 0x65;
    h264::append_nal(frame, slice);
    const auto kept = there_and_back(packetiser, depacketiser, frame, 100);
    EXPECT_EQ(kept.config, hex(avcc));
    auto expected = h264::parameter_sets(hex(avcc));
    h264::append_nal(expected, hex("0605"));
    h264::append_nal(expected, slice);
    ASSERT_EQ(kept.frames.size(), 1u);
    EXPECT_EQ(kept.frames[0], expected);
    EXPECT_EQ(parts_, 2u + 11u) << "sets together, SEI, slice in parts of 98 bytes";
}

TEST_F(Sending, Vp8ComesBackAsItWas) {
    Vp8Packetiser packetiser(context(), 100);
    Vp8Depacketiser depacketiser(context(), 0);
    auto frame = hex("100000 9d012a 4001 f000");
    frame.resize(300, 0x55);
    const auto kept = there_and_back(packetiser, depacketiser, frame, 100);
    ASSERT_EQ(kept.frames.size(), 1u);
    EXPECT_EQ(kept.frames[0], frame);
    EXPECT_EQ(parts_, 4u);
}

TEST_F(Sending, TelephoneSoundIsSplitByItsClockAndOpusNever) {
    std::vector<Payload> payloads;
    const OwnedPacket packet(context(), 0, Bytes(320, 0xd5), 0);
    AudioPacketiser(context(), TD_CODEC_PCMA, 160).packetise(packet.packet, payloads);
    ASSERT_EQ(payloads.size(), 2u);
    EXPECT_EQ(payloads[1].ticks, 160u);
    payloads.clear();
    AudioPacketiser(context(), TD_CODEC_OPUS, 160).packetise(packet.packet, payloads);
    EXPECT_EQ(payloads.size(), 1u);
}

TEST_F(Sending, RepeatsWhatIsAskedForOnceInARoundTripWhileItIsKept) {
    for (const bool rtx : {false, true}) {
        auto chosen = setup();
        chosen.first_sequence = 65535;
        chosen.first_rtx_sequence = 500;
        chosen.history = 4;
        if (rtx) chosen.rtx_ssrc = 8, chosen.rtx_payload_type = 97;
        Sender sender(chosen);
        Bytes room(100);
        Payload payload;
        payload.buffer = context().buffer(3);
        payload.body = {payload.buffer.data(), 3};
        for (std::uint8_t i = 0; i < 5; ++i) {
            payload.prefix = {i};
            payload.prefix_size = 1;
            payload.marker = i == 2;
            sender.write(room, payload, 1000u + i, {}, i);
        }
        EXPECT_EQ(sender.lost(65535, 100, 50), nullptr) << "four are kept";
        EXPECT_EQ(sender.lost(4, 100, 50), nullptr) << "not sent yet";
        ASSERT_NE(sender.lost(1, 100, 50), nullptr);
        const auto size = sender.repeat(room, 1, {}, 100);
        auto packet = parse_packet(ByteSpan(room).first(size));
        EXPECT_EQ(packet.ssrc, rtx ? 8u : 7u);
        EXPECT_EQ(packet.sequence, rtx ? 500 : 1);
        if (rtx) packet = unpack_rtx(packet, 7, 96).value();
        EXPECT_EQ(packet.sequence, 1);
        EXPECT_EQ(packet.payload_type, 96);
        EXPECT_EQ(packet.timestamp, 1002u);
        EXPECT_TRUE(packet.marker);
        EXPECT_EQ(packet.payload.size(), 4u);
        EXPECT_EQ(packet.payload[0], 2);
        EXPECT_EQ(sender.lost(1, 30'099, 30'000), nullptr);
        EXPECT_NE(sender.lost(1, 30'100, 30'000), nullptr);
        EXPECT_EQ(sender.lost(1, 20'099, 50), nullptr) << "whatever round trip a viewer claims";
        for (int i = 2; i <= 5; ++i) {
            ASSERT_NE(sender.lost(1, i * 100'000, 50), nullptr);
            sender.repeat(room, 1, {}, i * 100'000);
        }
        EXPECT_EQ(sender.lost(1, 600'000, 50), nullptr) << "five times are enough";
        EXPECT_NE(sender.lost(2, 600'000, 50), nullptr);
        EXPECT_EQ(sender.lost(2, 1'000'010, 50), nullptr) << "too old";
        const auto info = sender.info(1'700'000'000'000'000, 77);
        EXPECT_EQ(info.packets, 5u);
        EXPECT_EQ(info.octets, 20u);
        EXPECT_LE(std::abs(unix_us(info.ntp) - 1'700'000'000'000'000), 1);
    }
}

/// A sender and a receiver with `delay_us` between them, either way, that loses one packet in `one_in` from a fixed
/// seed.
class LossyLine {
public:
    LossyLine(Context context, unsigned one_in)
        : context_(context), one_in_(one_in), sender_(setup()), depacketiser_(context, 0) {}

    static SenderSetup setup() {
        SenderSetup chosen;
        chosen.ssrc = 7;
        chosen.rtx_ssrc = 8;
        chosen.rtx_payload_type = 97;
        chosen.first_sequence = 65000;
        return chosen;
    }

    void send(const Payload& payload, std::uint32_t timestamp) {
        Bytes datagram(sender_.room(payload, {}));
        datagram.resize(sender_.write(datagram, payload, timestamp, {}, now_us_));
        throw_in(std::move(datagram));
    }
    /// Lets 10 ms pass.
    void tick() {
        now_us_ += 10'000;
        for (; !asked_.empty() && asked_.front().first <= now_us_; asked_.erase(asked_.begin())) {
            for (const auto sequence : asked_.front().second) {
                const auto* lost = sender_.lost(sequence, now_us_, 2 * delay_us);
                if (lost == nullptr) continue;
                Bytes datagram(sender_.room(*lost, {}));
                datagram.resize(sender_.repeat(datagram, sequence, {}, now_us_));
                throw_in(std::move(datagram));
            }
        }
        for (; !sent_.empty() && sent_.front().first <= now_us_; sent_.erase(sent_.begin())) take(sent_.front().second);
        while (const auto next = jitter_.pop(now_us_)) depacketiser_.push(*next, kept);
        std::vector<std::uint16_t> lost;
        jitter_.nacks(now_us_, lost);
        if (!lost.empty() && !loses()) asked_.emplace_back(now_us_ + delay_us, std::move(lost));
    }

    Kept kept;
    int lost_packets = 0;

private:
    static constexpr std::int64_t delay_us = 50'000;

    bool loses() {
        seed_ = seed_ * 1664525u + 1013904223u;
        return (seed_ >> 16) % one_in_ == 0;
    }
    void throw_in(Bytes datagram) {
        if (loses()) {
            ++lost_packets;
        } else {
            sent_.emplace_back(now_us_ + delay_us, std::move(datagram));
        }
    }
    void take(const Bytes& datagram) {
        Received received;
        received.buffer = context_.buffer(datagram.size());
        std::copy(datagram.begin(), datagram.end(), received.buffer.data());
        received.packet = parse_packet({received.buffer.data(), datagram.size()});
        const bool repeated = received.packet.ssrc == 8;
        if (repeated) received.packet = unpack_rtx(received.packet, 7, 96).value();
        jitter_.insert(std::move(received), now_us_, repeated);
    }

    Context context_;
    unsigned one_in_;
    std::uint32_t seed_ = 1;
    std::int64_t now_us_ = 0;
    Sender sender_;
    JitterBuffer jitter_;
    Vp8Depacketiser depacketiser_;
    std::vector<std::pair<std::int64_t, Bytes>> sent_;
    std::vector<std::pair<std::int64_t, std::vector<std::uint16_t>>> asked_;
};

TEST_F(Sending, OverALossyLineEveryFrameArrivesOrIsAbsentButNoneIsBroken) {
    for (const unsigned one_in : {50u, 20u, 3u}) {
        LossyLine line(context(), one_in);
        Vp8Packetiser packetiser(context(), 100);
        std::vector<Bytes> frames;
        for (unsigned i = 0; i < 300; ++i) {
            auto frame = i % 30 == 0 ? hex("100000 9d012a 4001 f000") : hex("01");
            frame.resize(350, static_cast<std::uint8_t>(i));
            const OwnedPacket packet(context(), 0, frame, 0);
            std::vector<Payload> payloads;
            packetiser.packetise(packet.packet, payloads);
            for (const auto& payload : payloads) line.send(payload, i * 3000);
            frames.push_back(frame);
            for (int tick = 0; tick < 3; ++tick) line.tick();
        }
        for (int tick = 0; tick < 100; ++tick) line.tick();
        EXPECT_GT(line.lost_packets, 10);
        if (one_in >= 20) {
            EXPECT_EQ(line.kept.frames, frames) << "one lost in " << one_in;
        } else {
            EXPECT_GT(line.kept.frames.size(), 100u);
            EXPECT_LT(line.kept.frames.size(), frames.size());
        }
        for (const auto& frame : line.kept.frames)
            EXPECT_NE(std::find(frames.begin(), frames.end(), frame), frames.end()) << "a broken frame";
    }
}

}  // namespace
