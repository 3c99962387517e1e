// What becomes of transport streams, whole and damaged.
#include "mpegts/demuxer.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "mpegts/timeline.hpp"
#include "stream.hpp"

namespace tapedeck::mpegts::test {
namespace {

constexpr std::uint16_t map_pid = 0x100, video_pid = 0x101, sound_pid = 0x102;

Stream tables() {
    Stream stream;
    stream.association({{1, map_pid}}).map(map_pid, 1, {{0x1b, video_pid}, {0x0f, sound_pid}});
    return stream;
}

Collected demuxed(const Bytes& bytes, Demuxer demuxer = Demuxer()) {
    Collected out;
    demuxer.push(bytes, out);
    demuxer.finish(out);
    return out;
}

/// A key picture and four others, 3600 apart from 9000 on, a frame of sound behind each.
Stream film() {
    auto stream = tables();
    for (std::uint8_t i = 0; i < 5; ++i) {
        stream.pes(video_pid, 9000 + 3600 * i, std::nullopt, h264_picture(i == 0, 0x40 + i, 400));
        stream.pes(sound_pid, 9000 + 3600 * i, std::nullopt, adts(Bytes(20, i)), true);
    }
    return stream;
}

TEST(Demuxer, GivesPicturesWithLengthsAndSoundWithoutHeaders) {
    const auto out = demuxed(film().bytes);
    ASSERT_EQ(out.tracks.size(), 2u);
    const auto& video = out.tracks[1].track;  // its first PES packet ends with the beginning of the next
    EXPECT_EQ(video.codec, TD_CODEC_H264);
    EXPECT_EQ(video.width, 320u);
    EXPECT_EQ(video.height, 240u);
    EXPECT_EQ(out.tracks[0].track.sample_rate, 44100u);
    EXPECT_EQ(Bytes(out.tracks[0].config().begin(), out.tracks[0].config().end()), (Bytes{0x12, 0x10}));
    const auto pictures = out.payloads(video_track);
    ASSERT_EQ(pictures.size(), 5u);
    for (std::uint8_t i = 0; i < 5; ++i) EXPECT_EQ(pictures[i], h264_slice(i == 0, 0x40 + i, 400));
    const auto sound = out.payloads(audio_track);
    ASSERT_EQ(sound.size(), 5u);
    EXPECT_EQ(sound[4], Bytes(20, 4));
    for (const auto& given : out.units) EXPECT_EQ(given.unit.pts % 3600, 9000 % 3600);
    EXPECT_EQ(out.units.front().unit.pts, 9000);
}

TEST(Demuxer, TakesBytesInPiecesOfAnySize) {
    const auto stream = film();
    const auto whole = demuxed(stream.bytes);
    for (const std::size_t piece : {1u, 7u, 187u, 189u, 1000u, 1316u}) {
        Demuxer demuxer;
        Collected out;
        for (std::size_t at = 0; at < stream.bytes.size(); at += piece)
            demuxer.push(ByteSpan(stream.bytes).subspan(at, std::min(piece, stream.bytes.size() - at)), out);
        demuxer.finish(out);
        EXPECT_EQ(out.payloads(video_track), whole.payloads(video_track)) << piece;
        EXPECT_EQ(out.payloads(audio_track), whole.payloads(audio_track)) << piece;
        EXPECT_EQ(demuxer.counts().without_sync, 0u) << piece;
    }
}

TEST(Demuxer, FindsPacketsAgainBehindOtherBytes) {
    const auto out = demuxed(Bytes{1, 2, 0x47, 3} + film().bytes);
    EXPECT_EQ(out.payloads(video_track).size(), 5u);
}

TEST(Demuxer, GivesBPicturesTheirOwnDecodingTimes) {
    auto stream = tables();
    stream.pes(video_pid, 7200, 3600, h264_picture(true, 1)).pes(video_pid, 14400, 7200, h264_picture(false, 2));
    const auto out = demuxed(stream.bytes);
    ASSERT_EQ(out.units.size(), 2u);
    EXPECT_EQ(out.units[1].unit.pts, 14400);
    EXPECT_EQ(out.units[1].unit.dts, 7200);
}

/// Each packet of the film once.
TEST(Demuxer, WithAnyPacketMissingEveryPictureGivenIsWholeAndHasWhatItNeeds) {
    auto stream = film();
    for (std::uint8_t i = 5; i < 8; ++i)
        stream.pes(video_pid, 9000 + 3600 * i, std::nullopt, h264_picture(i == 6, 0x40 + i, 400));
    std::size_t holes = 0;
    for (std::size_t lost = 0; lost < stream.packets(); ++lost) {
        const auto out = demuxed(stream.without(lost));
        bool needs_key = true;
        std::uint8_t expected = 0;
        for (const auto& picture : out.payloads(video_track)) {
            const std::uint8_t number = picture.back() - 0x40;
            const bool is_key = number == 0 || number == 6;
            EXPECT_EQ(picture, h264_slice(is_key, picture.back(), 400)) << lost;
            needs_key = needs_key || number != expected;
            EXPECT_TRUE(is_key || !needs_key) << "picture " << +number << " without packet " << lost;
            needs_key = false;
            expected = number + 1;
        }
        holes += out.payloads(video_track).size() < 8;
        for (const auto& frame : out.payloads(audio_track)) EXPECT_EQ(frame, Bytes(20, frame[0])) << lost;
    }
    EXPECT_GT(holes, 20u);
}

TEST(Demuxer, WhatFollowsAHoleSaysSo) {
    auto stream = film();
    const auto at = stream.packets();
    stream.pes(video_pid, 30000, std::nullopt, h264_picture(false, 7));
    stream.pes(video_pid, 33600, std::nullopt, h264_picture(true, 8));
    Demuxer demuxer;
    Collected out;
    demuxer.push(stream.without(at), out);
    demuxer.finish(out);
    EXPECT_EQ(demuxer.counts().lost, 1u);
    ASSERT_EQ(out.payloads(video_track).size(), 5u) << "the last picture before the hole may be torn";
    EXPECT_EQ(out.units.back().unit.flags, TD_PACKET_KEY | TD_PACKET_DISCONTINUITY);
    EXPECT_EQ(demuxer.dropped_pictures(), 0u);
}

TEST(Demuxer, APacketThatComesTwiceCountsOnce) {
    const auto stream = film();
    Bytes doubled;
    for (std::size_t i = 0; i < stream.packets(); ++i) {
        const auto packet = ByteSpan(stream.bytes).subspan(i * packet_size, packet_size);
        for (int times = 0; times < 2; ++times) doubled.insert(doubled.end(), packet.begin(), packet.end());
    }
    const auto out = demuxed(doubled);
    EXPECT_EQ(out.payloads(video_track).size(), 5u);
    EXPECT_EQ(out.payloads(audio_track).size(), 5u);
}

TEST(Demuxer, TheTransportsWordForALossCostsWhatIsUnderWay) {
    auto stream = film();
    Demuxer demuxer;
    Collected out;
    demuxer.push(stream.bytes, out);
    demuxer.lose();
    const auto from = stream.bytes.size();
    stream.pes(video_pid, 40000, std::nullopt, h264_picture(false, 7))
        .pes(video_pid, 43600, std::nullopt, h264_picture(true, 8));
    demuxer.push(ByteSpan(stream.bytes).subspan(from), out);
    demuxer.finish(out);
    EXPECT_EQ(out.payloads(video_track).size(), 4u + 1u);
    EXPECT_EQ(demuxer.dropped_pictures(), 1u);
}

/// A packet of the video without payload: where `jumps`, its discontinuity_indicator lets the counter begin anew.
Bytes without_payload(std::uint8_t counter, bool jumps = false) {
    Bytes packet{0x47,
                 video_pid >> 8,
                 video_pid & 0xff,
                 static_cast<std::uint8_t>(0x20 | counter),
                 183,
                 jumps ? std::uint8_t{0x80} : std::uint8_t{0}};
    packet.resize(packet_size, 0xff);
    return packet;
}

TEST(Demuxer, ACounterThatSaysItJumpsLosesNothing) {
    auto stream = tables();
    stream.pes(video_pid, 0, std::nullopt, h264_picture(true, 1));
    auto next = Stream().pes(video_pid, 3600, std::nullopt, h264_picture(false, 2)).bytes;
    next[3] |= 9;
    for (const bool is_said : {true, false}) {
        Demuxer demuxer;
        Collected out;
        demuxer.push(stream.bytes + without_payload(8, is_said) + next, out);
        demuxer.finish(out);
        EXPECT_EQ(out.payloads(video_track).size(), is_said ? 2u : 0u);
        EXPECT_EQ(demuxer.counts().lost, is_said ? 0u : 1u);
    }
}

TEST(Demuxer, ALossIsSeenWhereAPacketWithoutPayloadComesNext) {
    auto stream = tables();
    const auto at = stream.packets();
    stream.pes(video_pid, 0, std::nullopt, h264_picture(true, 1, 400));  // three packets
    const auto clock = without_payload(1);
    auto bytes = stream.bytes;
    const auto second = bytes.begin() + static_cast<std::ptrdiff_t>((at + 1) * packet_size);
    std::ranges::copy(clock, second);
    EXPECT_TRUE(demuxed(bytes).payloads(video_track).empty()) << "its second packet was lost";
    bytes = stream.bytes;
    bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>((at + 2) * packet_size), clock.begin(), clock.end());
    EXPECT_EQ(demuxed(bytes).payloads(video_track).size(), 1u);
}

/// Of a long picture its first packet, which has a clock reference and no stuffing, or some bytes of that.
TEST(Demuxer, AtTheEndOnlyAPictureWhoseLastPacketIsFilledUpIsWhole) {
    const auto whole = Stream().pes(video_pid, 0, std::nullopt, h264_picture(true, 1, 160)).bytes;
    for (const std::uint8_t stuffing : {std::uint8_t{0}, std::uint8_t{1}, std::uint8_t{2}}) {
        const std::uint8_t length = 7 + stuffing;
        Bytes packet{0x47, 0x40 | video_pid >> 8, video_pid & 0xff, 0x30, length, 0x50};
        packet.resize(5u + length, 0xff);
        packet.insert(packet.end(), whole.begin() + 4, whole.begin() + 180 - stuffing);
        ASSERT_EQ(packet.size(), packet_size);
        EXPECT_EQ(demuxed(tables().bytes + packet).payloads(video_track).size(), stuffing == 0 ? 0u : 1u) << +stuffing;
    }
}

TEST(Demuxer, AnotherCodecUnderTheSamePidTakesItsPlace) {
    auto stream = film();
    stream.map(map_pid, 1, {{0x1b, video_pid}, {0x03, sound_pid}}, 1);
    stream.pes(sound_pid, 40000, std::nullopt, Bytes{0xff, 0xfb, 0x90, 0} + Bytes(413, 0), true);
    const auto out = demuxed(stream.bytes);
    EXPECT_EQ(out.tracks.back().track.codec, TD_CODEC_MP3);
    EXPECT_EQ(out.payloads(audio_track).size(), 6u);
    EXPECT_EQ(out.payloads(video_track).size(), 5u) << "the pictures go on";
}

TEST(Demuxer, AStreamUnderANewPidIsFollowedAndOneThatStaysGoesOn) {
    auto stream = film();
    stream.map(map_pid, 1, {{0x1b, 0x201}, {0x0f, sound_pid}}, 1);
    stream.pes(0x201, 40000, std::nullopt, h264_picture(true, 9));
    stream.pes(video_pid, 40000, std::nullopt, h264_picture(true, 10));
    stream.pes(sound_pid, 40000, std::nullopt, adts(Bytes(20, 9)), true);
    const auto out = demuxed(stream.bytes);
    const auto pictures = out.payloads(video_track);
    ASSERT_EQ(pictures.size(), 6u);
    EXPECT_EQ(pictures.back(), h264_slice(true, 9));
    EXPECT_EQ(out.payloads(audio_track).size(), 6u);
    EXPECT_EQ(out.tracks.size(), 3u) << "the sound was not announced again";
}

TEST(Demuxer, AProgramThatComesInPlaceOfAnotherIsTaken) {
    auto stream = film();
    stream.association({{7, 0x300}}, 1).map(0x300, 7, {{0x1b, 0x301}});
    stream.pes(0x301, 40000, std::nullopt, h264_picture(true, 9));
    EXPECT_EQ(demuxed(stream.bytes).payloads(video_track).back(), h264_slice(true, 9));
}

TEST(Demuxer, TakesTheProgramAskedForOrTheFirstThatHasSomething) {
    Stream stream;
    stream.association({{1, 0x100}, {2, 0x200}, {3, 0x300}});
    stream.map(0x100, 1, {{0x02, 0x101}}).map(0x200, 2, {{0x1b, 0x201}}).map(0x300, 3, {{0x1b, 0x301}});
    stream.pes(0x201, 0, std::nullopt, h264_picture(true, 2)).pes(0x301, 0, std::nullopt, h264_picture(true, 3));
    EXPECT_EQ(demuxed(stream.bytes).payloads(video_track), std::vector<Bytes>{h264_slice(true, 2)});
    EXPECT_EQ(demuxed(stream.bytes, Demuxer(3)).payloads(video_track), std::vector<Bytes>{h264_slice(true, 3)});
    Demuxer none(4);
    Collected out;
    none.push(stream.bytes, out);
    EXPECT_EQ(none.problem(), "no program 4: the stream has 1, 2, 3");
}

TEST(Demuxer, SaysWhyNothingComes) {
    const auto problem = [](const Bytes& bytes) {
        Demuxer demuxer;
        Collected out;
        demuxer.push(bytes, out);
        return demuxer.problem();
    };
    EXPECT_EQ(problem(Bytes(400, 3)), "what comes is no transport stream");
    EXPECT_EQ(problem(Stream().pes(0x101, 0, std::nullopt, Bytes(400)).bytes),
              "no program: its association table has not come");
    EXPECT_EQ(problem(Stream().association({{5, 0x100}}).bytes), "no program: the map of 5 has not come");
    EXPECT_EQ(
        problem(Stream().association({{5, 0x100}}).map(0x100, 5, {{0x02, 0x101}, {0x06, 0x102, {0x59, 0}}}).bytes),
        "no program with a known codec: there is MPEG-2 video, subtitles");
    EXPECT_EQ(problem(tables().pes(video_pid, 0, std::nullopt, h264_picture(false, 1), true).bytes),
              "H.264: no key picture with its parameter sets has come");
    EXPECT_EQ(problem(film().bytes), "");
}

TEST(Demuxer, ADamagedTableIsLeftOut) {
    auto stream = tables();
    const auto damaged = stream.bytes.size() + 20;
    stream.association({{1, map_pid}}, 1);
    stream.pes(video_pid, 0, std::nullopt, h264_picture(true, 1));
    auto bytes = stream.bytes;
    bytes[damaged] ^= 1;  // another program's number, or PID
    EXPECT_EQ(demuxed(bytes).payloads(video_track).size(), 1u);
    bytes[20] ^= 1;
    EXPECT_TRUE(demuxed(bytes).tracks.empty());
}

TEST(Timeline, AWrapOf33BitsLeavesNoTraceAndKeepsTracksTogether) {
    constexpr std::int64_t range = std::int64_t{1} << 33;
    Timeline line(90'000);
    std::int64_t at = range - 7200;
    line.place(0, at, at, 0);
    line.place(1, at + 100, at + 100, 0);
    for (int i = 1; i < 5; ++i) {
        const auto video = line.place(0, (at + 3600 * i + 1800) % range, (at + 3600 * i) % range, 3600 * i);
        EXPECT_EQ(video.dts, at + 3600 * i);
        EXPECT_EQ(video.pts - video.dts, 1800) << "also where the PTS has wrapped before the DTS";
        EXPECT_EQ(line.place(1, (at + 3600 * i + 100) % range, (at + 3600 * i + 100) % range, 3600 * i).dts,
                  video.dts + 100);
    }
    EXPECT_EQ(line.jumps(), 0u);
}

TEST(Timeline, ACompositionOffsetBeyondTenSecondsIsNone) {
    Timeline line(90'000);
    EXPECT_EQ(line.place(0, 900'100, 100, 0).pts, 900'100);
    const auto far = line.place(0, 900'101 + 3'700, 3'700, 3'600);
    EXPECT_EQ(far.pts, far.dts);
}

TEST(Timeline, AJumpBeyondTheLimitIsClosedOnceForAllTracks) {
    Timeline line(90'000);
    for (int i = 0; i < 3; ++i) {
        line.place(0, 3600 * i, 3600 * i, 3600 * i);
        line.place(1, 3600 * i + 50, 3600 * i + 50, 3600 * i);
    }
    constexpr std::int64_t jump = 5'000'000;
    EXPECT_EQ(line.place(0, 10800 + jump, 10800 + jump, 10800).dts, 10800);
    EXPECT_EQ(line.place(1, 10850 + jump, 10850 + jump, 10800).dts, 10850);
    EXPECT_EQ(line.place(0, 100, 100, 14400).dts, 14400) << "and back";
    EXPECT_EQ(line.jumps(), 2u);
    EXPECT_EQ(line.place(0, 100 + 360'000, 100 + 360'000, 14400 + 360'000).dts, 14400 + 360'000)
        << "a pause that arrival matches";
}

}  // namespace
}  // namespace tapedeck::mpegts::test
