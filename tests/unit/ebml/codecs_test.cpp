// What the file says of each codec.
#include "codecs.hpp"

#include <gtest/gtest.h>

#include "pictures.hpp"
#include "session.hpp"
#include "tapedeck/media/h264.hpp"

namespace tapedeck::ebml::test {
namespace {

Track sound(std::uint32_t codec, std::int32_t clock, std::uint32_t rate, std::uint32_t channels) {
    Track track(TD_AUDIO, codec, {1, clock});
    track.track.sample_rate = rate;
    track.track.channels = channels;
    return track;
}

TEST(Codecs, TelephoneCodecsGoInAsWaveFormats) {
    const auto pcma = codec_setup(sound(TD_CODEC_PCMA, 8000, 8000, 1));
    EXPECT_STREQ(pcma.id, "A_MS/ACM");
    EXPECT_EQ(pcma.codec_private, (Data{6, 0, 1, 0, 0x40, 0x1f, 0, 0, 0x40, 0x1f, 0, 0, 1, 0, 8, 0, 0, 0}));
    EXPECT_EQ(codec_setup(sound(TD_CODEC_PCMU, 8000, 8000, 1)).codec_private[0], 7);
    const auto g722 = codec_setup(sound(TD_CODEC_G722, 8000, 16000, 1));
    EXPECT_EQ(g722.sample_rate, 16000) << "its clock counts 8000, its samples are 16000";
    EXPECT_EQ(g722.codec_private, (Data{0x8f, 2, 1, 0, 0x80, 0x3e, 0, 0, 0x40, 0x1f, 0, 0, 1, 0, 4, 0, 0, 0}));
}

TEST(Codecs, AMissingHeaderOfSpeexOrOpusIsMadeUp) {
    const auto speex = codec_setup(sound(TD_CODEC_SPEEX, 16000, 16000, 1)).codec_private;
    ASSERT_EQ(speex.size(), 18u + 80u);
    EXPECT_EQ(std::string(speex.begin() + 18, speex.begin() + 26), "Speex   ");
    EXPECT_EQ(speex[18 + 40], 1) << "wide band";
    const auto opus_setup = codec_setup(sound(TD_CODEC_OPUS, 48000, 48000, 2));
    ASSERT_EQ(opus_setup.codec_private.size(), 19u);
    EXPECT_EQ(opus_setup.codec_private[9], 2);
    EXPECT_EQ(opus_setup.delay_ns, 0u);
}

TEST(Codecs, AacSaysBothRatesWhereTheyDiffer) {
    Track track = sound(TD_CODEC_AAC, 44100, 44100, 2);
    track.config(Data{0x12, 0x10});
    EXPECT_EQ(codec_setup(track).sample_rate, 44100);
    EXPECT_EQ(codec_setup(track).output_rate, 0);
    track.config(Data{0x2b, 0x92, 0x08, 0x00});  // HE-AAC: 22050 doubled
    EXPECT_EQ(codec_setup(track).sample_rate, 22050);
    EXPECT_EQ(codec_setup(track).output_rate, 44100);
}

TEST(Codecs, SoundOfBroadcastsGoesInUnderItsName) {
    EXPECT_STREQ(codec_setup(sound(TD_CODEC_MP2, 90'000, 48000, 2)).id, "A_MPEG/L2");
    EXPECT_STREQ(codec_setup(sound(TD_CODEC_MP3, 90'000, 48000, 2)).id, "A_MPEG/L3");
    EXPECT_STREQ(codec_setup(sound(TD_CODEC_AC3, 90'000, 48000, 6)).id, "A_AC3");
}

TEST(Codecs, WhatHasNoSetupOrNoNameIsRefused) {
    for (const std::uint32_t codec :
         {TD_CODEC_H264, TD_CODEC_H265, TD_CODEC_AV1, TD_CODEC_AAC, TD_CODEC('n', 'o', 'n', 'e')}) {
        try {
            codec_setup(Track(TD_VIDEO, codec, {1, 1000}));
            ADD_FAILURE() << codec;
        } catch (const Error& e) {
            EXPECT_EQ(e.status(), TD_UNSUPPORTED);
        }
    }
    Track broken = sound(TD_CODEC_OPUS, 48000, 48000, 2);
    broken.config(Data{'O', 'p', 'u', 's'});
    EXPECT_THROW(codec_setup(broken), Error);
}

TEST(Codecs, TheSizeOfAPictureIsReadFromItsKeyFrame) {
    const auto vp8_size = picture_size(TD_CODEC_VP8, {}, vp8_key(0, 20));
    ASSERT_TRUE(vp8_size);
    EXPECT_EQ(vp8_size->width, 320u);
    EXPECT_EQ(vp8_size->height, 180u);
    EXPECT_FALSE(picture_size(TD_CODEC_VP8, {}, payload(0, 0, 20)));
    EXPECT_FALSE(picture_size(TD_CODEC_VP8, {}, Data{1, 2}));
    // frame_marker 2, profile 0, key frame; sync code; color space 1, range 0; 1279 x 719.
    const Data vp9{0x82, 0x49, 0x83, 0x42, 0x20, 0x4f, 0xf0, 0x2c, 0xf0};
    const auto vp9_size = picture_size(TD_CODEC_VP9, {}, vp9);
    ASSERT_TRUE(vp9_size);
    EXPECT_EQ(vp9_size->width, 1280u);
    EXPECT_EQ(vp9_size->height, 720u);
    for (std::size_t length = 0; length < vp9.size(); ++length)
        EXPECT_FALSE(picture_size(TD_CODEC_VP9, {}, View(vp9).first(length)));
}

TEST(Codecs, ParameterSetsBelongBehindTheDelimiter) {
    const Data delimiter{0, 0, 0, 2, 0x09, 0xf0}, slice{0, 0, 0, 2, 0x65, 1}, sps{0, 0, 0, 2, 0x67, 1};
    const auto joined = [](std::initializer_list<Data> parts) {
        Data all;
        for (const Data& part : parts) all.insert(all.end(), part.begin(), part.end());
        return all;
    };
    EXPECT_EQ(h264::parameter_sets_place(slice), 0u);
    EXPECT_EQ(h264::parameter_sets_place(joined({delimiter, slice})), 6u);
    EXPECT_FALSE(h264::parameter_sets_place(joined({delimiter, sps, slice})));
    EXPECT_FALSE(h264::parameter_sets_place(Data{0, 0, 0, 9, 0x65}));
}

}  // namespace
}  // namespace tapedeck::ebml::test
