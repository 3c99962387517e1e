#include "tapedeck/media/h264.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string_view>

#include "hex.hpp"

namespace tapedeck {
namespace {

// Decoder setups as x264 writes them.
constexpr std::string_view high_720p =
    "0164001fffe1001a6764001facd9405005bb011000000300100000030320f183196001000668ebe3cb22c0fdf8f800";
constexpr std::string_view baseline_360p =
    "0142c01effe100196742c01ed900a02ff97011000003000100000300320f162e4801000568cb83cb20";
constexpr std::string_view high_1080p =
    "01640028ffe1001b67640028acd940780227e5c044000003000400000300c83c60c65801000668ebe3cb22c0fdf8f800";
constexpr std::string_view high444_odd =
    "01f4000dffe1001a67f4000d919b282a10f1f1f808800000030080000019078a14cb01000668ebe3c44844fff8f800";
constexpr std::string_view interlaced_576i =
    "0164001effe100186764001eacd940b424d8088000000300800000190f8a14cb01000668fba3cb22c0fdf8f800";

struct Picture {
    std::string_view avcc;
    std::uint32_t width, height;
    int profile, level;
    bool frames_only;
};

TEST(H264, ReadsSizeProfileAndLevelFromParameterSets) {
    for (const auto& [avcc, width, height, profile, level, frames_only] :
         {Picture{high_720p, 1280, 720, 100, 31, true}, Picture{baseline_360p, 640, 360, 66, 30, true},
          Picture{high_1080p, 1920, 1080, 100, 40, true}, Picture{high444_odd, 322, 242, 244, 13, true},
          Picture{interlaced_576i, 720, 576, 100, 30, false}}) {
        const auto bytes = hex(avcc);
        const auto config = h264::parse_avcc(bytes);
        ASSERT_EQ(config.sps.size(), 1u);
        ASSERT_EQ(config.pps.size(), 1u);
        EXPECT_EQ(config.length_size, 4u);
        const auto sps = h264::parse_sps(config.sps[0]);
        EXPECT_EQ(sps.width, width);
        EXPECT_EQ(sps.height, height);
        EXPECT_EQ(sps.profile, profile);
        EXPECT_EQ(sps.level, level);
        EXPECT_EQ(sps.frames_only, frames_only);
    }
}

TEST(H264, BuildsTheSameDecoderSetupAsTheEncoder) {
    for (const auto avcc : {high_720p, baseline_360p, high444_odd}) {
        const auto bytes = hex(avcc);
        const auto config = h264::parse_avcc(bytes);
        EXPECT_EQ(h264::build_avcc(config.sps, config.pps), bytes);
    }
}

TEST(H264, RefusesDecoderSetupsCutAnywhere) {
    const auto bytes = hex(high_720p);
    // Without what follows the parameter sets it is whole; without PPS it is read as having none.
    const std::size_t without_pps = 8 + 0x1a, end_of_pps = bytes.size() - 4;
    for (std::size_t size = 0; size < end_of_pps; ++size) {
        if (size == without_pps) continue;
        EXPECT_THROW(h264::parse_avcc(ByteSpan(bytes).first(size)), Malformed) << size;
    }
    EXPECT_NO_THROW(h264::parse_avcc(ByteSpan(bytes).first(end_of_pps)));
}

TEST(H264, RefusesParameterSetsWithoutAPicture) {
    EXPECT_THROW(h264::parse_sps(hex("67")), Malformed);
    EXPECT_THROW(h264::parse_sps(hex("68ebe3cb22c0")), Malformed);  // a PPS
    EXPECT_THROW(h264::parse_sps(hex("6742001e00000000000000000000")), Malformed);
    EXPECT_THROW(h264::build_avcc({}, {}), Malformed);
}

std::vector<std::vector<std::uint8_t>> split(const std::vector<std::uint8_t>& bytes, std::size_t length_size) {
    std::vector<std::vector<std::uint8_t>> units;
    const auto keep = [&](ByteSpan nal) { units.emplace_back(nal.begin(), nal.end()); };
    if (length_size == 0)
        h264::for_each_nal_annexb(bytes, keep);
    else
        h264::for_each_nal(bytes, length_size, keep);
    return units;
}

TEST(H264, SplitsAccessUnitsByLengthAndByStartCode) {
    using Units = std::vector<std::vector<std::uint8_t>>;
    const Units expected{{0x67, 1}, {0x65, 2, 3}};
    EXPECT_EQ(split(hex("00000002 6701 00000003 650203"), 4), expected);
    EXPECT_EQ(split(hex("0002 6701 0000 0003 650203"), 2), expected) << "an empty unit is left out";
    EXPECT_EQ(split(hex("02 6701 03 650203"), 1), expected);
    EXPECT_EQ(split(hex("00000001 6701 000001 650203 0000"), 0), expected);
    EXPECT_EQ(split(hex("6701"), 0), Units{}) << "no start code, no unit";
    EXPECT_EQ(split({}, 0), Units{});
    EXPECT_THROW(split(hex("00000009 6701"), 4), Malformed);
}

TEST(H264, FindsStartCodesWhateverZerosAndOnesStandAroundThem) {
    // All byte streams of up to eight zeros, ones and twos, beside the rule read off byte by byte.
    for (std::size_t size = 0, count = 1; size <= 8; ++size, count *= 3) {
        for (std::size_t number = 0; number < count; ++number) {
            std::vector<std::uint8_t> bytes;
            for (auto rest = number; bytes.size() < size; rest /= 3)
                bytes.push_back(static_cast<std::uint8_t>(rest % 3));
            std::vector<std::vector<std::uint8_t>> expected;
            bool is_open = false;
            const auto close = [&] {
                while (!expected.empty() && !expected.back().empty() && expected.back().back() == 0)
                    expected.back().pop_back();
                if (is_open && expected.back().empty()) expected.pop_back();
            };
            for (std::size_t at = 0; at < size; ++at) {
                if (at >= 2 && bytes[at] == 1 && bytes[at - 1] == 0 && bytes[at - 2] == 0) {
                    close();
                    is_open = true;
                    expected.emplace_back();
                } else if (is_open) {
                    expected.back().push_back(bytes[at]);
                }
            }
            close();
            ASSERT_EQ(split(bytes, 0), expected) << "stream " << number << " of " << size << " bytes";
        }
    }
}

TEST(H264, JoinsUnitsBehindTheirLengths) {
    std::vector<std::uint8_t> joined;
    h264::append_nal(joined, hex("6701"));
    h264::append_nal(joined, hex("650203"));
    EXPECT_EQ(joined, hex("00000002 6701 00000003 650203"));
}

TEST(H264, KnowsWhereDecodingCanStart) {
    for (const auto& [unit, key] : {std::pair{"00000002 0910 00000002 6588", true},  // delimiter, IDR slice
                                    {"00000002 6588", true},
                                    {"00000002 419a", false},
                                    {"00000002 0605 00000002 419a 00000002 6588", false},  // SEI, then a P slice
                                    {"00000063 0605 6588", false},                         // a broken length
                                    {"00000000", false},
                                    {"", false}})
        EXPECT_EQ(h264::is_key(hex(unit)), key) << unit;
}

}  // namespace
}  // namespace tapedeck
