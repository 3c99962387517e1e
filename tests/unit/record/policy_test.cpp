#include "record/policy.hpp"

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

TEST(CodecName, IsWhatFileNamesAndRestShow) {
    EXPECT_EQ(codec_name(TD_CODEC_H264), "H264");
    EXPECT_EQ(codec_name(TD_CODEC_OPUS), "OPUS");
    EXPECT_EQ(codec_name(TD_CODEC('V', 'P', '6', 'F')), "VP6F");
}

}  // namespace
}  // namespace tapedeck::host
