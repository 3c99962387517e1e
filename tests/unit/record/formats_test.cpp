#include "record/formats.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace tapedeck::host {
namespace {

TEST(Formats, ArePairsInAnyCaseWithSpaces) {
    const Formats formats = parse_formats(" H264-MP4,vp8 - webm ,, h265-mkv");
    ASSERT_EQ(formats.pairs.size(), 3u);
    EXPECT_EQ(formats.pairs[0].codec, std::uint32_t{TD_CODEC_H264});
    EXPECT_EQ(formats.pairs[0].container, "mp4");
    EXPECT_EQ(formats.pairs[1].container, "webm");
    EXPECT_EQ(formats.pairs[2].codec, std::uint32_t{TD_CODEC_H265});
    EXPECT_TRUE(formats.problems.empty());
}

TEST(Formats, NameWhatIsNoPair) {
    const Formats formats = parse_formats("h264, xyz-mp4, vp8-, vp8-webm");
    EXPECT_EQ(formats.pairs.size(), 1u);
    ASSERT_EQ(formats.problems.size(), 3u);
    EXPECT_NE(formats.problems[0].find("'h264'"), std::string::npos);
    EXPECT_NE(formats.problems[1].find("'xyz-mp4'"), std::string::npos);
}

TEST(CodecName, IsWhatFileNamesAndRestShow) {
    EXPECT_EQ(codec_name(TD_CODEC_H264), "H264");
    EXPECT_EQ(codec_name(TD_CODEC_OPUS), "OPUS");
    EXPECT_EQ(codec_name(TD_CODEC('V', 'P', '6', 'F')), "VP6F");
}

}  // namespace
}  // namespace tapedeck::host
