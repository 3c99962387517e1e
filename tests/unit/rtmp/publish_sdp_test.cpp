#include "rtmp/publish_sdp.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tapedeck/context.hpp"

namespace tapedeck::rtmp {
namespace {

constexpr std::string_view audio_only =
    "v=0\r\no=- 1988962254 1988962254 IN IP4 0.0.0.0\r\nt=0 0\r\nm=audio 0 RTP/AVP 97 8 0 102\r\n"
    "a=rtpmap:97 SPEEX/16000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n"
    "a=rtpmap:102 mpeg4-generic/48000/1\r\na=sendonly\r\n";

TEST(PublishSdp, AllowsWhatItNamesAndNothingElse) {
    const auto sdp = PublishSdp::parse(audio_only);
    EXPECT_TRUE(sdp.allows(TD_AUDIO));
    EXPECT_FALSE(sdp.allows(TD_VIDEO));
    for (const auto codec : {TD_CODEC_SPEEX, TD_CODEC_PCMA, TD_CODEC_PCMU, TD_CODEC_AAC})
        EXPECT_TRUE(sdp.allows(TD_AUDIO, codec)) << codec;
    EXPECT_FALSE(sdp.allows(TD_AUDIO, TD_CODEC_MP3));
    EXPECT_FALSE(sdp.allows(TD_VIDEO, TD_CODEC_H264));
}

TEST(PublishSdp, ComparesNamesWithoutCaseAndWithoutRates) {
    const auto sdp = PublishSdp::parse(
        "m=video 0 RTP/AVP 112\na=rtpmap:112 h264/90000\nm=audio 0 RTP/AVP 96\n"
        "a=rtpmap:96 MPEG4-GENERIC/8000/1\n");
    EXPECT_TRUE(sdp.allows(TD_VIDEO, TD_CODEC_H264));
    EXPECT_TRUE(sdp.allows(TD_AUDIO, TD_CODEC_AAC));
    EXPECT_FALSE(sdp.allows(TD_VIDEO, TD_CODEC_H265));
}

TEST(PublishSdp, TakesAMediaLineWithoutCodecsForAllOfThem) {
    const auto sdp = PublishSdp::parse("m=audio 0 RTP/AVP\nm=application 0 x\na=rtpmap:1 H264/1\n");
    EXPECT_TRUE(sdp.allows(TD_AUDIO, TD_CODEC_OPUS));
    EXPECT_FALSE(sdp.allows(TD_VIDEO, TD_CODEC_H264)) << "codecs of other media are not taken";
}

TEST(PublishSdp, KnowsTypesWithAFixedMeaning) {
    const auto sdp = PublishSdp::parse("m=audio 0 RTP/AVP 8\n");
    EXPECT_TRUE(sdp.allows(TD_AUDIO, TD_CODEC_PCMA));
    EXPECT_FALSE(sdp.allows(TD_AUDIO, TD_CODEC_PCMU));
}

TEST(PublishSdp, AllowsEverythingWithoutAFile) {
    for (const auto* file : {"", "/nonexistent/flash_handler_publish.sdp"}) {
        const auto sdp = PublishSdp::load(file);
        EXPECT_TRUE(sdp.allows(TD_VIDEO, 12345));
        EXPECT_TRUE(sdp.allows(TD_AUDIO));
    }
}

TEST(PublishSdp, ReadsAFileAndRefusesOneThatWouldRefuseEverything) {
    const auto file = std::filesystem::temp_directory_path() / ("publish_sdp_test." + std::to_string(::getpid()));
    std::ofstream(file) << audio_only;
    EXPECT_FALSE(PublishSdp::load(file).allows(TD_VIDEO));
    std::ofstream(file) << "v=0\n";
    EXPECT_THROW(PublishSdp::load(file), Error);
    std::filesystem::remove(file);
}

TEST(PublishSdp, OffersTheProfilesItNamesOrAll) {
    const auto sdp = PublishSdp::parse(
        "m=video 0 RTP/AVP 112 113\na=rtpmap:112 H264/90000\na=fmtp:112 profile-level-id=42e01f;packetization-mode=1\n"
        "a=fmtp:113 packetization-mode=1; profile-level-id=4D0020\na=fmtp:114 profile-level-id=zz\n");
    for (const auto& [profile, offered] : {std::pair{0x42, true}, {0x4d, true}, {0x64, false}, {0, false}})
        EXPECT_EQ(sdp.offers_profile(static_cast<std::uint8_t>(profile)), offered) << profile;
    EXPECT_TRUE(PublishSdp::parse(audio_only).offers_profile(0x64));
    EXPECT_TRUE(PublishSdp().offers_profile(0x64));
}

}  // namespace
}  // namespace tapedeck::rtmp
