#include "tapedeck/media/bytes.hpp"

#include <gtest/gtest.h>

#include "hex.hpp"

namespace tapedeck {
namespace {

TEST(ByteReader, ReadsBigEndianNumbersUpToTheLastByte) {
    const auto bytes = hex("01 0203 040506 0708090a 0b0c0d0e0f101112");
    ByteReader reader(bytes);
    EXPECT_EQ(reader.u8(), 0x01);
    EXPECT_EQ(reader.u16(), 0x0203);
    EXPECT_EQ(reader.u24(), 0x040506u);
    EXPECT_EQ(reader.u32(), 0x0708090au);
    EXPECT_EQ(reader.u64(), 0x0b0c0d0e0f101112u);
    EXPECT_TRUE(reader.empty());
    EXPECT_THROW(reader.u8(), Malformed);
}

TEST(ByteReader, KeepsItsPlaceWhenTooMuchIsAskedFor) {
    const auto bytes = hex("0102");
    ByteReader reader(bytes);
    EXPECT_THROW(reader.take(3), Malformed);
    EXPECT_EQ(reader.u16(), 0x0102);
}

TEST(BitReader, ReadsExponentialGolombNumbers) {
    // 1, 010, 011, 00100, 00101: the codes of ue(v) 0 to 4.
    const auto bytes = hex("a64280");
    BitReader bits(bytes);
    for (std::uint32_t expected = 0; expected <= 4; ++expected) EXPECT_EQ(bits.golomb(), expected);
    BitReader again(bytes);
    for (const std::int32_t expected : {0, 1, -1, 2, -2}) EXPECT_EQ(again.signed_golomb(), expected);
}

TEST(BitReader, EndsByAnErrorInsteadOfReadingOn) {
    const auto zeros = hex("0000000000");
    BitReader bits(zeros);
    EXPECT_THROW(bits.golomb(), Malformed);
    const auto one = hex("ff");
    BitReader short_bits(one);
    EXPECT_THROW(short_bits.bits(9), Malformed);
    EXPECT_EQ(short_bits.bits(8), 0xffu);
}

}  // namespace
}  // namespace tapedeck
