// Sizes out of the headers of VP9 and AV1.
#include <gtest/gtest.h>

#include "hex.hpp"
#include "tapedeck/media/av1.hpp"
#include "tapedeck/media/vp9.hpp"

namespace tapedeck {
namespace {

TEST(Vp9, AKeyFrameSaysItsSize) {
    const auto frame = hex("824983420013f00ef60638241c184a00");  // as libvpx writes it
    const auto size = vp9::picture_size(frame);
    ASSERT_TRUE(size);
    EXPECT_EQ(size->width, 320u);
    EXPECT_EQ(size->height, 240u);
    for (std::size_t bytes = 0; bytes < 8; ++bytes) EXPECT_FALSE(vp9::picture_size(ByteSpan(frame).first(bytes)));
    EXPECT_FALSE(vp9::picture_size(hex("86000000000000000000")));  // no key frame
}

TEST(Av1, TheDecoderSetupSaysTheSize) {
    const auto setup = hex("81000c000a0b000000043cffbcdaf90040");  // as libaom writes it
    const auto size = av1::picture_size(setup);
    ASSERT_TRUE(size);
    EXPECT_EQ(size->width, 320u);
    EXPECT_EQ(size->height, 240u);
    EXPECT_FALSE(av1::picture_size(hex("81000c00")));
    EXPECT_THROW(av1::picture_size(hex("01000c00")), Malformed);
    EXPECT_THROW(av1::picture_size(hex("81000c000a0b0000")), Malformed);
    EXPECT_THROW(av1::picture_size(hex("81000c000a0200ff")), Malformed);
    EXPECT_THROW(av1::picture_size(hex("81000c000affffffffff0f")), Malformed);
}

TEST(Av1, AFilesTemporalUnitHasNoDelimiter) {
    EXPECT_EQ(av1::without_delimiter(hex("12000a01ff")).size(), 3u);
    EXPECT_EQ(av1::without_delimiter(hex("0a01ff")).size(), 3u);
    EXPECT_EQ(av1::without_delimiter(hex("1200")).size(), 2u);
}

}  // namespace
}  // namespace tapedeck
