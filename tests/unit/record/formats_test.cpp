#include "record/formats.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace tapedeck::host {
namespace {

TEST(Rotation, IsSecondsOrASizeOrOff) {
    for (const auto& [text, seconds, bytes] : {std::tuple{"20", 20, 0ull},
                                               {"10M", 0, 10ull << 20},
                                               {"10m", 0, 10ull << 20},
                                               {" 3 k ", 0, 3ull << 10},
                                               {"1G", 0, 1ull << 30},
                                               {"", 0, 0ull},
                                               {"0", 0, 0ull},
                                               {"disabled", 0, 0ull},
                                               {"Disabled", 0, 0ull}}) {
        const Rotation rotation = parse_rotation(text);
        EXPECT_EQ(rotation.duration_us, seconds * 1'000'000ll) << text;
        EXPECT_EQ(rotation.bytes, bytes) << text;
    }
}

TEST(Rotation, RefusesAnythingElseByName) {
    for (const char* text : {"abc", "10X", "-5", "10MM", "M", "99999999999999999999"}) {
        EXPECT_THROW(
            {
                try {
                    parse_rotation(text);
                } catch (const Error& e) {
                    EXPECT_NE(std::string(e.what()).find(text), std::string::npos) << e.what();
                    throw;
                }
            },
            Error)
            << text;
    }
}

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
