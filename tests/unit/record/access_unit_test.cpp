#include "record/access_unit.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "tapedeck/abi.h"

namespace tapedeck::host {
namespace {

using Bytes = std::vector<std::uint8_t>;

TEST(AccessUnit, OfH264IsFilledByItsNalUnits) {
    EXPECT_TRUE(is_access_unit(TD_CODEC_H264, Bytes{0, 0, 0, 2, 0x65, 1, 0, 0, 0, 1, 0x41}, true));
    EXPECT_FALSE(is_access_unit(TD_CODEC_H264, Bytes{0, 0, 0, 3, 0x65, 1}, true)) << "the unit is cut";
    EXPECT_FALSE(is_access_unit(TD_CODEC_H264, Bytes{0, 0, 0, 1, 0x65, 1}, true)) << "a byte is left";
    EXPECT_FALSE(is_access_unit(TD_CODEC_H264, Bytes{0, 0, 0, 0, 0, 0, 0, 0}, false)) << "units of nothing";
    EXPECT_TRUE(is_access_unit(TD_CODEC_H264, Bytes{0, 0, 0, 0, 0, 0, 0, 1, 0x41, 0, 0}, false)) << "padding";
    EXPECT_FALSE(is_access_unit(TD_CODEC_H265, Bytes{0xff, 0xff, 0xff, 0xff, 1, 1, 1}, false));
}

TEST(AccessUnit, OfVp8HasItsHeader) {
    const Bytes key{0x10, 0, 0, 0x9d, 0x01, 0x2a, 64, 0, 64, 0, 7};
    EXPECT_TRUE(is_access_unit(TD_CODEC_VP8, key, true));
    EXPECT_FALSE(is_access_unit(TD_CODEC_VP8, key, false)) << "it says that it is a key frame";
    Bytes broken = key;
    broken[4] = 0;
    EXPECT_FALSE(is_access_unit(TD_CODEC_VP8, broken, true));
    EXPECT_TRUE(is_access_unit(TD_CODEC_VP8, Bytes{0x11, 0, 0, 9}, false));
    EXPECT_FALSE(is_access_unit(TD_CODEC_VP8, Bytes{0x11, 0}, false));
}

TEST(AccessUnit, OfAnUnknownCodecIsTakenAsItIs) {
    EXPECT_TRUE(is_access_unit(TD_CODEC_AV1, Bytes{1}, false));
}

}  // namespace
}  // namespace tapedeck::host
