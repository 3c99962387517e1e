// Pictures of byte streams: where they begin, which are left out, and their parameter sets.
#include "mpegts/picture.hpp"

#include <gtest/gtest.h>

#include "stream.hpp"
#include "tapedeck/media/h264.hpp"

namespace tapedeck::mpegts::test {
namespace {

const Bytes code{0, 0, 0, 1};

/// An I picture that is no IDR, behind a recovery point.
Bytes open_key(std::uint8_t mark) {
    Bytes slice(40, mark);
    slice[0] = 0x41;
    slice[1] = 0x88;
    return code + h264_sps + code + h264_pps + code + Bytes{0x06, 0x06, 0x01, 0xc4, 0x80} + code + slice;
}

TEST(Pictures, BeginAtAKeyPicture) {
    PictureReader reader(video_track, Coding::h264);
    Collected out;
    reader.push(h264_picture(false, 1), 0, 0, out);
    EXPECT_FALSE(reader.problem().empty());
    reader.push(h264_picture(true, 2), 3600, 3600, out);
    ASSERT_EQ(out.payloads(video_track), std::vector<Bytes>{h264_slice(true, 2)});
    EXPECT_EQ(reader.dropped(), 1u);
    EXPECT_TRUE(reader.problem().empty());
}

TEST(Pictures, AnOpenGroupBeginsWithoutTheLeadingPictures) {
    PictureReader reader(video_track, Coding::h264);
    Collected out;
    reader.push(open_key(1), 10800, 0, out);
    reader.push(h264_picture(false, 2), 3600, 3600, out);  // shown before, needs the group before
    reader.push(h264_picture(false, 3), 14400, 7200, out);
    reader.push(open_key(4), 25200, 10800, out);  // nothing was lost now
    reader.push(h264_picture(false, 5), 18000, 14400, out);
    std::vector<std::uint8_t> marks;
    for (const auto& payload : out.payloads(video_track)) marks.push_back(payload.back());
    EXPECT_EQ(marks, (std::vector<std::uint8_t>{1, 3, 4, 5}));
    EXPECT_EQ(out.units[2].unit.flags, std::uint32_t{TD_PACKET_KEY});
}

TEST(Pictures, SeveralInOnePacketAreSplitAtTheirDelimiters) {
    PictureReader reader(video_track, Coding::h264);
    Collected out;
    reader.push(h264_picture(true, 1), 0, 0, out);
    reader.push(h264_picture(false, 2), 1800, 1800, out);
    reader.push(h264_picture(false, 3) + h264_picture(false, 4), 3600, 3600, out);
    ASSERT_EQ(out.units.size(), 4u);
    EXPECT_EQ(out.units[3].payload, h264_slice(false, 4));
    EXPECT_EQ(out.units[3].unit.dts, 5400);
}

TEST(Pictures, OtherParameterSetsAreAnnouncedOnce) {
    PictureReader reader(video_track, Coding::h264);
    Collected out;
    for (int i = 0; i < 3; ++i) reader.push(h264_picture(true, 1), i * 3600, i * 3600, out);
    EXPECT_EQ(out.tracks.size(), 1u);
    auto other = h264_pps;
    other[3] ^= 0x10;
    reader.push(code + h264_sps + code + other + h264_picture(false, 1), 10800, 10800, out);
    ASSERT_EQ(out.tracks.size(), 2u);
    EXPECT_EQ(h264::parse_avcc(out.tracks[1].config()).pps.size(), 1u);
}

/// Made by x265: VPS, SPS and PPS of 320x240, Main.
TEST(Pictures, OfH265AreGivenWithTheirSetup) {
    const Bytes vps{0x40, 0x01, 0x0c, 0x01, 0xff, 0xff, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00,
                    0x90, 0x00, 0x00, 0x03, 0x00, 0x00, 0x03, 0x00, 0x3c, 0x95, 0x94, 0x09};
    const Bytes sps{0x42, 0x01, 0x01, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00,
                    0x00, 0x03, 0x00, 0x3c, 0xa0, 0x0a, 0x08, 0x0f, 0x16, 0x59, 0x59, 0x52, 0x93, 0x0b,
                    0xc0, 0x5a, 0x02, 0x00, 0x00, 0x03, 0x00, 0x02, 0x00, 0x00, 0x03, 0x00, 0x32, 0x10};
    const Bytes pps{0x44, 0x01, 0xc0, 0x73, 0xc1, 0x89}, idr{0x28, 0x01, 0xaf, 1, 2}, next{0x02, 0x01, 0xd0, 3};
    PictureReader reader(video_track, Coding::h265);
    Collected out;
    reader.push(code + vps + code + sps + code + pps + code + idr, 3600, 0, out);
    reader.push(code + Bytes{0x46, 0x01, 0x50} + code + next, 7200, 3600, out);
    ASSERT_EQ(out.tracks.size(), 1u);
    EXPECT_EQ(out.tracks[0].track.codec, TD_CODEC_H265);
    EXPECT_EQ(out.tracks[0].track.width, 320u);
    EXPECT_EQ(out.payloads(video_track), (std::vector{Bytes{0, 0, 0, 5} + idr, Bytes{0, 0, 0, 4} + next}));
    EXPECT_EQ(out.units[0].unit.flags, std::uint32_t{TD_PACKET_KEY});
}

}  // namespace
}  // namespace tapedeck::mpegts::test
