// Sample entries of the picture codecs, and what tells their samples from what never reached the disk.
#include "pictures.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "../media/hex.hpp"
#include "payload_check.hpp"
#include "tapedeck/stream.hpp"
#include "tracks.hpp"

namespace tapedeck::mp4 {
namespace {

constexpr std::string_view hvcc =
    "0101600000009000000000005df000fcfdf8f800000f03a00001001840010c01ffff01600000030090000003000003005d959409"
    "a10001002b42010101600000030090000003000003005da00280802d16595952930bc05a020000030002000003003210a20001000644"
    "01c073c189";
constexpr std::string_view av1c = "81000c000a0b000000043cffbcdaf90040";
constexpr std::string_view vpcc = "000a820101010000";

Track track_of(std::uint32_t codec, std::string_view config) {
    Track track(TD_VIDEO, codec, {1, 1000});
    track.config(hex(config));
    return track;
}

std::string text_at(const Bytes& bytes, std::size_t at) {
    return {bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.begin() + static_cast<std::ptrdiff_t>(at + 4)};
}

TEST(Pictures, EachCodecHasItsEntryWithSizeAndSetup) {
    struct Case {
        std::uint32_t codec;
        std::string_view config;
        const char *entry, *box;
        std::uint32_t width, height;
        std::size_t extra;  // of a full box
        bool nals;
    };
    for (const auto& [codec, config, entry, box, width, height, extra, nals] :
         {Case{TD_CODEC_H265, hvcc, "hvc1", "hvcC", 1280, 720, 0, true},
          Case{TD_CODEC_AV1, av1c, "av01", "av1C", 320, 240, 0, false},
          Case{TD_CODEC_VP9, vpcc, "vp09", "vpcC", 0, 0, 4, false}}) {
        const auto made = picture_entry(track_of(codec, config));
        EXPECT_EQ(text_at(made, 4), entry);
        EXPECT_EQ(text_at(made, 90), box);
        EXPECT_EQ(made[32] << 8 | made[33], static_cast<int>(width)) << entry;
        EXPECT_EQ(made[34] << 8 | made[35], static_cast<int>(height)) << entry;
        const auto setup = hex(config);
        ASSERT_EQ(made.size(), 94 + extra + setup.size());
        EXPECT_TRUE(std::ranges::equal(View(made).subspan(94 + extra), setup)) << entry;
        EXPECT_EQ(has_nal_units(made), nals) << entry;
    }
}

TEST(Pictures, NalLengthsAreFourBytesWhateverTheSourceHad) {
    auto setup = hex(hvcc);
    setup[21] &= 0xfc;
    Track track(TD_VIDEO, TD_CODEC_H265, {1, 1000});
    track.config(setup);
    EXPECT_EQ(picture_entry(track)[94 + 21] & 3, 3);
}

TEST(Pictures, ASetupThatCannotBeReadIsNamed) {
    for (const auto codec : {TD_CODEC_H265, TD_CODEC_AV1, TD_CODEC_VP9}) {
        try {
            make_head(track_of(codec, "00"), 1, true);
            FAIL() << codec;
        } catch (const Error& error) {
            EXPECT_EQ(error.status(), TD_MALFORMED);
            EXPECT_NE(std::string(error.what()).find("track 0"), std::string::npos);
        }
    }
}

TEST(Pictures, OnlyNalCodecsNeedTheirSetsInBand) {
    const auto sets = parameter_sets(track_of(TD_CODEC_H265, hvcc));
    EXPECT_EQ(sets.at(4), 0x40);  // the VPS
    EXPECT_EQ(parameter_sets_place(TD_CODEC_H265, hex("0000000346010000000003280100")), 7u);
    EXPECT_TRUE(parameter_sets(track_of(TD_CODEC_AV1, av1c)).empty());
    EXPECT_EQ(parameter_sets_place(TD_CODEC_AV1, hex("0a01ff")), std::nullopt);
}

TEST(Pictures, WhatNeverReachedTheDiskIsTold) {
    Bytes frame(3000, 7);
    EXPECT_TRUE(is_picture(frame));
    std::fill_n(frame.begin() + 1000, 511, std::uint8_t{0});
    EXPECT_TRUE(is_picture(frame));
    std::fill_n(frame.begin() + 1000, 512, std::uint8_t{0});
    EXPECT_FALSE(is_picture(frame));
    EXPECT_FALSE(is_picture({}));
}

}  // namespace
}  // namespace tapedeck::mp4
