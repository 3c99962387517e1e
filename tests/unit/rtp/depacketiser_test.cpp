#include "rtp/depacketiser.hpp"

#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>

#include "../media/hex.hpp"
#include "rtp/h264_depacketiser.hpp"
#include "rtp/h265_depacketiser.hpp"
#include "rtp/jitter_buffer.hpp"
#include "rtp/vp8_depacketiser.hpp"
#include "tapedeck/media/h264.hpp"
#include "testkit/fake_host.hpp"

using namespace tapedeck;
using namespace tapedeck::rtp;

namespace {

using Names = std::map<char, std::string>;

const Names sets{{'S', "6764001facd9405005bb011000000300100000030320f1831960"},
                 {'P', "68ebe3cb22c0"},
                 {'T', "6742c01ed900a02ff97011000003000100000300320f162e48"},
                 {'Q', "68cb83cb20"},
                 {'V', "40010c01ffff01600000030090000003000003003c959009"},
                 {'H', "42010101600000030090000003000003003ca00a080f16595912930bc05a020000030002000003003210"},
                 {'J', "4401c073c189"},
                 {'K', "100000 9d012a 4001 f000"},
                 {'L', "100000 9d012a 8002 e001"}};

std::string to_hex(ByteSpan bytes) {
    std::string text;
    for (const auto byte : bytes) {
        text += "0123456789abcdef"[byte >> 4];
        text += "0123456789abcdef"[byte & 15];
    }
    return text;
}

/// `$X` by its name, and without what is only for the eye.
std::string replaced(const std::string& text, bool keep_spaces) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '$') {
            for (const char c : sets.at(text[++i]))
                if (c != ' ') out += c;
        } else if (text[i] != '|' && (keep_spaces || text[i] != ' ')) {
            out += text[i];
        }
    }
    return out;
}

/// Everything that came out, a line each.
struct Lines : MediaOut {
    explicit Lines(std::uint32_t codec_) : codec(codec_) {}

    void track(const td_track& track) override {
        EXPECT_EQ(track.codec, codec);
        text += "track " + std::to_string(track.width) + "x" + std::to_string(track.height) + "\n";
    }
    void packet(const td_packet& packet) override {
        text += std::to_string(packet.pts) + ((packet.flags & TD_PACKET_KEY) != 0 ? " key" : " delta") +
                ((packet.flags & TD_PACKET_DISCONTINUITY) != 0 ? " gap" : "");
        const ByteSpan bytes(packet.data, packet.data_size);
        EXPECT_TRUE(packet.data >= packet.buffer->data &&
                    packet.data + packet.data_size <= packet.buffer->data + packet.buffer->capacity);
        if (codec == TD_CODEC_H264 || codec == TD_CODEC_H265) {
            h264::for_each_nal(bytes, 4, [&](ByteSpan nal) { text += " " + to_hex(nal); });
        } else {
            text += " " + to_hex(bytes);
        }
        text += "\n";
    }
    std::uint32_t codec;
    std::string text;
};

/// One case at a time: packets through the jitter buffer, what comes out beside what the file says.
class Sequences : public ::testing::Test {
protected:
    template <class Kind>
    void play(const std::string& file, std::uint32_t codec) {
        std::ifstream in(std::string(RTP_TEST_DATA) + "/" + file);
        ASSERT_TRUE(in) << file;
        std::string name, expected;
        std::unique_ptr<Kind> depacketiser;
        std::unique_ptr<JitterBuffer> jitter;
        Lines out(codec);
        int cases = 0;
        const auto check = [&] {
            if (!depacketiser) return;
            while (const auto next = jitter->pop(1'000'000)) depacketiser->push(*next, out);
            if (depacketiser->wants_key()) out.text += "wants key\n";
            EXPECT_EQ(out.text, expected) << file << ": " << name;
            ++cases;
        };
        for (std::string line; std::getline(in, line);) {
            if (line.empty() || line[0] == '#') continue;
            if (line.starts_with("case ")) {
                check();
                name = line.substr(5);
                depacketiser = std::make_unique<Kind>(context(), 0);
                jitter = std::make_unique<JitterBuffer>();
                out.text.clear();
                expected.clear();
            } else if (line.starts_with("-> ")) {
                expected += replaced(line.substr(3), true) + "\n";
            } else {
                jitter->insert(read(line), 0);
                while (const auto next = jitter->pop(0)) depacketiser->push(*next, out);
            }
        }
        check();
        EXPECT_GE(cases, 10);
    }

    Context context() { return {host_.table(), host_.context()}; }

    Received read(const std::string& line) {
        std::istringstream words(line);
        Received received;
        words >> received.packet.sequence >> received.packet.timestamp >> std::ws;
        received.packet.marker = words.peek() == 'm';
        if (received.packet.marker) words.get();
        std::string rest;
        std::getline(words, rest);
        const auto bytes = hex(replaced(rest, false));
        received.buffer = context().buffer(bytes.size());
        std::copy(bytes.begin(), bytes.end(), received.buffer.data());
        received.packet.payload = {received.buffer.data(), bytes.size()};
        return received;
    }

    testkit::FakeHost host_;
};

TEST(PictureTest, HoldsNoMoreMemoryThanItsLimitForThePiecesOfAPicture) {
    testkit::FakeHost host;
    const Context context(host.table(), host.context());
    Picture picture;
    const std::array<std::uint8_t, 1> byte{};
    const auto large = context.buffer(60u << 20);
    for (int piece = 0; piece < 100; ++piece) EXPECT_TRUE(picture.add(large, byte)) << "a buffer counts once";
    EXPECT_TRUE(picture.add(context.buffer(60u << 20), byte));
    EXPECT_FALSE(picture.add(context.buffer(60u << 20), byte));
    EXPECT_EQ(picture.size(), 101u);
    picture.clear();
    EXPECT_TRUE(picture.add(large, byte));
}

TEST_F(Sequences, OfH264BecomeWholePicturesOrNone) {
    play<H264Depacketiser>("h264.txt", TD_CODEC_H264);
}

TEST_F(Sequences, OfH265BecomeWholePicturesOrNone) {
    play<H265Depacketiser>("h265.txt", TD_CODEC_H265);
}

TEST_F(Sequences, OfVp8BecomeWholeFramesOrNone) {
    play<Vp8Depacketiser>("vp8.txt", TD_CODEC_VP8);
}

TEST_F(Sequences, TakeParameterSetsFromOutside) {
    H264Depacketiser depacketiser(context(), 3);
    depacketiser.parameter_set(hex(sets.at('S')));
    depacketiser.parameter_set(hex(sets.at('P')));
    EXPECT_THROW(depacketiser.parameter_set(hex("67")), Malformed);
    Bytes large(4000, 0x55);
    large[0] = 0x68;
    int taken = 0;
    const auto give = [&] {
        large[1] = 1;  // PPS 127 to 254: in Exp-Golomb code seven zeros, then 8 bits
        for (unsigned id = 127; id < 255; ++id, ++taken) {
            large[2] = static_cast<std::uint8_t>((id + 1) << 1);
            depacketiser.parameter_set(large);
        }
    };
    EXPECT_THROW(give(), Malformed) << "64 KiB in all";
    EXPECT_EQ(taken, 16);
    EXPECT_THROW(depacketiser.parameter_set(hex("658801")), Malformed);
    Lines out(TD_CODEC_H264);
    auto first = read("1 0 m 65 88 01");
    first.wallclock_us = 5;
    first.lost = 1;
    depacketiser.push(first, out);
    EXPECT_EQ(out.text, "track 1280x720\n0 key gap 658801\n") << "no set of this stream can be in a hole";
}

TEST_F(Sequences, OfSoundStayWhereTheyAre) {
    AudioDepacketiser opus(opus_track(1, 2));
    struct Out : MediaOut {
        void track(const td_track& track) override {
            EXPECT_EQ(std::string(track.config.data, track.config.data + 8), "OpusHead");
            EXPECT_EQ(track.config.size, 19u);
            EXPECT_EQ(track.config.data[9], 2);
            ++tracks;
        }
        void packet(const td_packet& packet) override { last = packet; }
        int tracks = 0;
        td_packet last{};
    } out;
    const auto first = read("1 4294967295 fc aa");
    opus.push(first, out);
    EXPECT_EQ(out.last.data, first.buffer.data());
    EXPECT_EQ(out.last.flags, TD_PACKET_KEY);
    auto second = read("3 959 fc bb");
    second.lost = 1;
    second.wallclock_us = 77;
    opus.push(second, out);
    EXPECT_EQ(out.last.pts, 4294967295 + 960);
    EXPECT_EQ(out.last.flags, TD_PACKET_KEY | TD_PACKET_DISCONTINUITY);
    EXPECT_EQ(out.last.wallclock_us, 77);
    EXPECT_EQ(out.tracks, 1);
    const auto g722 = telephone_track(2, TD_CODEC_G722);
    EXPECT_EQ(g722.track.time_base.den, 8000);
    EXPECT_EQ(g722.track.sample_rate, 16000u);
}

}  // namespace
