#include "tapedeck/media/aac.hpp"

#include <gtest/gtest.h>

#include <string_view>

#include "hex.hpp"

namespace tapedeck {
namespace {

TEST(Aac, ReadsAudioSpecificConfigs) {
    struct Row {
        std::string_view bytes;
        aac::Config expected;
    };
    for (const auto& [bytes, expected] : {
             Row{"1210", {2, 44100, 2, 1024, false, false, 44100}},
             Row{"1190", {2, 48000, 2, 1024, false, false, 48000}}, Row{"1588", {2, 8000, 1, 1024, false, false, 8000}},
             Row{"1194", {2, 48000, 2, 960, false, false, 48000}},
             Row{"1780562210", {2, 44100, 2, 1024, false, false, 44100}},    // index 15: the rate in 24 bits
             Row{"11b8", {2, 48000, 8, 1024, false, false, 48000}},          // channel configuration 7
             Row{"2b920800", {2, 22050, 2, 1024, true, false, 44100}},       // SBR, hierarchical
             Row{"eb8a0800", {2, 22050, 1, 1024, true, true, 44100}},        // SBR and PS, hierarchical
             Row{"139056e5a0", {2, 22050, 2, 1024, true, false, 44100}},     // SBR, behind the core's config
             Row{"138856e5a54880", {2, 22050, 1, 1024, true, true, 44100}},  // and PS
             Row{"121056e500", {2, 44100, 2, 1024, false, false, 44100}},    // says that there is no SBR
         })
        EXPECT_EQ(aac::parse_config(hex(bytes)), expected) << bytes;
}

TEST(Aac, RefusesConfigsThatSayNothing) {
    for (const auto bytes : {"", "12", "1700", "1690", "178000000010"}) {
        EXPECT_THROW(aac::parse_config(hex(bytes)), Malformed) << bytes;
    }
}

TEST(Aac, BuildsWhatItReads) {
    EXPECT_EQ(aac::build_config(2, 44100, 2), hex("1210"));
    EXPECT_EQ(aac::build_config(2, 48000, 8), hex("11b8"));
    const auto odd = aac::parse_config(aac::build_config(2, 12345, 1));
    EXPECT_EQ(odd.sample_rate, 12345u);
    EXPECT_EQ(odd.channels, 1u);
}

}  // namespace
}  // namespace tapedeck
