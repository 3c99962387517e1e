#include "tapedeck/media/h265.hpp"

#include <gtest/gtest.h>

#include <string_view>

#include "hex.hpp"

namespace tapedeck {
namespace {

// Decoder setups as x265 and ffmpeg write them, without SEI.
constexpr std::string_view main_720p =
    "0101600000009000000000005df000fcfdf8f800000f03a00001001840010c01ffff01600000030090000003000003005d95"
    "9409a10001002b42010101600000030090000003000003005da00280802d16595952930bc05a020000030002000003003210"
    "a2000100064401c073c189";
constexpr std::string_view main_1080p =
    "01016000000090000000000078f000fcfdf8f800000f03a00001001840010c01ffff01600000030090000003000003007895"
    "9409a10001002b420101016000000300900000030000030078a003c0801107cb965654a4c2f0168080000003008000000c84"
    "a2000100064401c073c189";
constexpr std::string_view main_odd =
    "0101600000009000000000003cf000fcfdf8f800000f03a00001001840010c01ffff01600000030090000003000003003c95"
    "9409a10001002b42010101600000030090000003000003003ca00a8804071111965654a4c2f0168080000003008000000c84"
    "a2000100064401c073c189";
constexpr std::string_view rext_444_10bit =
    "0104080000009c08000000003ff000fcfffafa00000f03a00001001740010c01ffff0408000003009c0800000300003f9594"
    "09a10001002c4201010408000003009c0800000300003f9000a0402e3e25b2caca94985e02d0100000030010000003019080"
    "a2000100084401c07318301890";

struct Stream {
    std::string_view hvcc;
    std::uint32_t width, height, chroma_format, bit_depth;
};

TEST(H265, ReadsSizeAndFormatFromParameterSets) {
    for (const auto& [hvcc, width, height, chroma_format, bit_depth] :
         {Stream{main_720p, 1280, 720, 1, 8}, Stream{main_1080p, 1920, 1080, 1, 8}, Stream{main_odd, 322, 242, 1, 8},
          Stream{rext_444_10bit, 640, 360, 3, 10}}) {
        const auto bytes = hex(hvcc);
        const auto config = h265::parse_hvcc(bytes);
        ASSERT_EQ(config.vps.size(), 1u);
        ASSERT_EQ(config.sps.size(), 1u);
        ASSERT_EQ(config.pps.size(), 1u);
        EXPECT_EQ(config.length_size, 4u);
        const auto sps = h265::parse_sps(config.sps[0]);
        EXPECT_EQ(sps.width, width);
        EXPECT_EQ(sps.height, height);
        EXPECT_EQ(sps.chroma_format, chroma_format);
        EXPECT_EQ(sps.bit_depth_luma, bit_depth);
        EXPECT_EQ(sps.bit_depth_chroma, bit_depth);
    }
}

TEST(H265, BuildsTheSameDecoderSetupAsTheEncoder) {
    for (const auto hvcc : {main_720p, main_1080p, main_odd, rext_444_10bit}) {
        const auto bytes = hex(hvcc);
        const auto config = h265::parse_hvcc(bytes);
        EXPECT_EQ(h265::build_hvcc(config.vps, config.sps, config.pps), bytes);
    }
    const auto bytes = hex(main_720p);
    const auto config = h265::parse_hvcc(bytes);
    EXPECT_THROW(h265::build_hvcc({}, config.sps, config.pps), Malformed);
    EXPECT_THROW(h265::build_hvcc(config.vps, config.pps, config.pps), Malformed);
}

TEST(H265, RefusesDecoderSetupsCutAnywhere) {
    const auto bytes = hex(main_720p);
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_THROW(h265::parse_hvcc(ByteSpan(bytes).first(size)), Malformed) << size;
    const auto config = h265::parse_hvcc(bytes);
    for (std::size_t size = 0; size < 24; ++size)
        EXPECT_THROW(h265::parse_sps(config.sps[0].first(size)), Malformed) << size;
    EXPECT_THROW(h265::parse_sps(config.pps[0]), Malformed);
}

TEST(H265, AKeyPictureBeginsWithASliceOfARandomAccessPoint) {
    EXPECT_TRUE(h265::is_key(hex("0000000346010000000003280100")));  // delimiter, IDR_N_LP
    EXPECT_TRUE(h265::is_key(hex("000000022a01")));                  // CRA
    EXPECT_FALSE(h265::is_key(hex("0000000202010000000226 01")));    // TRAIL_R first
    EXPECT_FALSE(h265::is_key(hex("00000002460100000002 4001")));    // no slice
    EXPECT_FALSE(h265::is_key(hex("000000ff0201")));
    EXPECT_FALSE(h265::is_key({}));
}

TEST(H265, ParameterSetsGoBehindTheDelimiter) {
    const auto config = hex(main_720p);
    const auto sets = h265::parameter_sets(config);
    EXPECT_EQ(h265::nal_type(ByteSpan(sets).subspan(4)), h265::nal_vps);
    EXPECT_EQ(h265::parameter_sets_place(hex("0000000346010000000003280100")), 7u);
    EXPECT_EQ(h265::parameter_sets_place(hex("00000003280100")), 0u);
    EXPECT_EQ(h265::parameter_sets_place(hex("000000024201 00000003280100")), std::nullopt);
    EXPECT_EQ(h265::parameter_sets_place(hex("000000ff2801")), std::nullopt);
}

}  // namespace
}  // namespace tapedeck
