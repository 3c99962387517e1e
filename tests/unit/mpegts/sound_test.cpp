// Frames of sound at any place in PES payloads.
#include "mpegts/sound.hpp"

#include <gtest/gtest.h>

#include "stream.hpp"
#include "tapedeck/media/aac.hpp"

namespace tapedeck::mpegts::test {
namespace {

/// Bits of an AudioMuxElement.
class Bits {
public:
    Bits& put(std::uint64_t value, unsigned count) {
        while (count-- > 0) {
            if (used_ % 8 == 0) bytes.push_back(0);
            bytes.back() = static_cast<std::uint8_t>(bytes.back() | (value >> count & 1) << (7 - used_++ % 8));
        }
        return *this;
    }
    Bytes bytes;

private:
    std::size_t used_ = 0;
};

Bytes loas(const Bytes& element) {
    return Bytes{0x56, static_cast<std::uint8_t>(0xe0 | element.size() >> 8),
                 static_cast<std::uint8_t>(element.size())} +
           element;
}

Bits& frame(Bits& bits, const Bytes& payload) {
    auto size = payload.size();
    for (; size >= 255; size -= 255) bits.put(255, 8);
    bits.put(size, 8);
    for (const auto byte : payload) bits.put(byte, 8);
    return bits;
}

/// audioMuxVersion 0, one AAC-LC of 48 kHz in stereo.
Bits mux_config() {
    Bits bits;
    bits.put(0, 1).put(0, 1).put(1, 1).put(0, 6).put(0, 4).put(0, 3);
    bits.put(2, 5).put(3, 4).put(2, 4).put(0, 3);
    bits.put(0, 3).put(0xff, 8).put(0, 1).put(0, 1);
    return bits;
}

TEST(Sound, FramesGoOverFromOnePesPacketToTheNextWithTheirTimes) {
    SoundReader reader(audio_track, Coding::adts);
    Collected out;
    const Bytes all = adts(Bytes(100, 1)) + adts(Bytes(50, 2)) + adts(Bytes(70, 3));
    const auto part = [&](std::size_t from, std::size_t to) {
        return Bytes(all.begin() + static_cast<std::ptrdiff_t>(from), all.begin() + static_cast<std::ptrdiff_t>(to));
    };
    reader.push(part(0, 130), 90000, out);
    reader.push(part(130, 180), 95000, out);  // the second frame goes on here, so it keeps the first one's time
    reader.push(part(180, all.size()), std::nullopt, out);
    ASSERT_EQ(out.units.size(), 3u);
    EXPECT_EQ(out.payloads(audio_track), (std::vector{Bytes(100, 1), Bytes(50, 2), Bytes(70, 3)}));
    EXPECT_EQ(out.units[0].unit.pts, 90000);
    EXPECT_EQ(out.units[1].unit.pts, 90000 + 1024 * 90000 / 44100);
    EXPECT_EQ(out.units[2].unit.pts, 95000);
}

TEST(Sound, AfterALossItBeginsAgainAtAHeaderThatIsFollowedByAnother) {
    SoundReader reader(audio_track, Coding::adts);
    Collected out;
    reader.push(adts(Bytes(30, 1)), 0, out);
    reader.lose();
    Bytes deceptive = adts(Bytes(30, 9));
    reader.push(Bytes(deceptive.begin(), deceptive.begin() + 20) + adts(Bytes(30, 2)) + adts(Bytes(30, 3)), 9000, out);
    ASSERT_EQ(out.payloads(audio_track), (std::vector{Bytes(30, 1), Bytes(30, 2), Bytes(30, 3)}));
    EXPECT_NE(out.units[1].unit.flags & TD_PACKET_DISCONTINUITY, 0u);
    EXPECT_EQ(out.units[2].unit.flags & TD_PACKET_DISCONTINUITY, 0u);
}

TEST(Sound, AChangeOfTheRateIsAnnounced) {
    SoundReader reader(audio_track, Coding::adts);
    Collected out;
    auto other = adts(Bytes(30, 2));
    other[2] = 0x4c;  // 48 kHz
    reader.push(adts(Bytes(30, 1)) + other, 0, out);
    ASSERT_EQ(out.tracks.size(), 2u);
    EXPECT_EQ(out.tracks[1].track.sample_rate, 48000u);
}

TEST(Sound, FramesInLatmBeginAtAnyBit) {
    SoundReader reader(audio_track, Coding::latm);
    Collected out;
    auto first = mux_config();
    frame(first, Bytes(300, 0xa5));
    Bits second;
    second.put(1, 1);
    frame(second, {1, 2, 3, 4, 5});
    reader.push(loas(second.bytes), 1000, out);
    EXPECT_TRUE(out.units.empty()) << "no configuration has come";
    reader.push(loas(first.bytes) + loas(second.bytes) + loas(second.bytes), 9000, out);
    ASSERT_EQ(out.tracks.size(), 1u);
    EXPECT_EQ(Bytes(out.tracks[0].config().begin(), out.tracks[0].config().end()), aac::build_config(2, 48000, 2));
    EXPECT_EQ(out.payloads(audio_track), (std::vector{Bytes(300, 0xa5), Bytes{1, 2, 3, 4, 5}, Bytes{1, 2, 3, 4, 5}}));
    EXPECT_EQ(out.units[1].unit.pts, 9000 + 1920);
}

TEST(Sound, LatmSaysWhatItDoesNotTake) {
    SoundReader reader(audio_track, Coding::latm);
    Collected out;
    Bits layers;
    layers.put(0, 1).put(0, 1).put(1, 1).put(0, 6).put(1, 4).put(0, 3).put(0, 100);
    reader.push(loas(layers.bytes), 0, out);
    EXPECT_EQ(reader.problem(), "LATM: several programs or layers");
}

TEST(Sound, HeadersOfMpegAudioAndAc3AreRead) {
    const auto mp2 = parse_mpeg_audio(Bytes{0xff, 0xfd, 0xa4, 0x00});  // layer II, 192 kbit/s, 48 kHz
    ASSERT_TRUE(mp2);
    EXPECT_EQ(mp2->codec, TD_CODEC_MP2);
    EXPECT_EQ(mp2->size, 576u);
    EXPECT_EQ(mp2->channels, 2u);
    const auto mp3 = parse_mpeg_audio(Bytes{0xff, 0xfb, 0x92, 0xc0});  // layer III, 128 kbit/s, 44.1 kHz, padded, mono
    ASSERT_TRUE(mp3);
    EXPECT_EQ(mp3->codec, TD_CODEC_MP3);
    EXPECT_EQ(mp3->size, 418u);
    EXPECT_EQ(mp3->channels, 1u);
    const auto ac3 = parse_ac3(Bytes{0x0b, 0x77, 0, 0, 0x1c, 0x40, 0xe1, 0xff});  // 384 kbit/s, 48 kHz, 3/2 and LFE
    ASSERT_TRUE(ac3);
    EXPECT_EQ(ac3->size, 1536u);
    EXPECT_EQ(ac3->channels, 6u);
    EXPECT_FALSE(parse_mpeg_audio(Bytes{0xff, 0xfd, 0xf4, 0x00}));
    EXPECT_FALSE(parse_ac3(Bytes{0x0b, 0x77, 0, 0, 0x1c, 0x80, 0xe1, 0xff})) << "bsid 16 is E-AC-3";
}

}  // namespace
}  // namespace tapedeck::mpegts::test
