// What operators set, and what they see of it.
#include <gtest/gtest.h>

#include <cstdlib>

#include "rig.hpp"

namespace tapedeck::audio {
namespace {

TEST(AudioSettings, RateAndChannelsAreAsSet) {
    const auto source = encode("libopus", TD_CODEC_OPUS, Sound::tone(48000, 1), 2, 64000);
    for (const char* rate : {"8000", "44100", "48000", "96000"})
        for (const char* channels : {"1", "2"}) {
            Rig rig;
            rig.host.settings.set("sample_rate", rate);
            rig.host.settings.set("channels", channels);
            rig.run(source, TD_CODEC_AAC);
            EXPECT_EQ(rig.track().track.sample_rate, static_cast<unsigned>(std::atoi(rate)));
            EXPECT_EQ(rig.track().track.channels, static_cast<unsigned>(std::atoi(channels)));
            EXPECT_NEAR(rig.heard().level(0.2, 0.8), 0.3 / std::sqrt(2), 0.02) << rate << ' ' << channels;
        }
}

TEST(AudioSettings, ARecordingsOwnSettingsStandAboveThem) {
    Rig rig;
    const auto source = encode("pcm_alaw", TD_CODEC_PCMA, Sound::tone(8000, 1));
    const testkit::FakeSettings::Overrides own{{"channels", "1"}};
    rig.open(source.track, TD_CODEC_AAC, testkit::FakeSettings::options(own));
    EXPECT_EQ(rig.track().track.channels, 1u);
    EXPECT_EQ(rig.track().track.sample_rate, 44100u);
}

TEST(AudioSettings, OpusHasNoMoreChannelsThanTheTrack) {
    for (const int channels : {1, 2}) {
        Rig rig;
        rig.run(encode("aac", TD_CODEC_AAC, Sound::tone(44100, 1), channels, 96000), TD_CODEC_OPUS);
        EXPECT_EQ(rig.track().track.channels, static_cast<unsigned>(channels));
        EXPECT_EQ(rig.track().config.size(), 19u);
    }
}

TEST(AudioSettings, EachBitrateModeCostsMoreThanTheOneBefore) {
    Sound sound = Sound::tone(48000, 4, 220, 0.2);
    for (std::size_t i = 0; i < sound.samples.size(); ++i)  // a chord with noise that comes and goes
        sound.samples[i] += static_cast<float>(0.2 * std::sin(0.0431 * static_cast<double>(i)) +
                                               0.05 * (i / 6000 % 2 == 0 ? std::rand() / (RAND_MAX + 1.) - 0.5 : 0));
    const auto source = encode("libopus", TD_CODEC_OPUS, sound, 2, 96000);
    std::size_t before = 0;
    for (const char* mode : {"1", "2", "3", "4", "5"}) {
        Rig rig;
        rig.host.settings.set("aac_bitrate_mode", mode);
        rig.run(source, TD_CODEC_AAC);
        std::size_t bytes = 0;
        for (const Unit& unit : rig.units()) bytes += unit.payload.size();
        EXPECT_GT(bytes, before) << mode;
        before = bytes;
    }
    EXPECT_LT(before, 4 * 150'000 / 8u);
    Rig constant;
    constant.host.settings.set("aac_bitrate_mode", "0");
    constant.run(source, TD_CODEC_AAC);
    std::size_t bytes = 0;
    for (const Unit& unit : constant.units()) bytes += unit.payload.size();
    EXPECT_NEAR(static_cast<double>(bytes) * 8 / 4, 112'000, 12'000);
}

TEST(AudioSettings, LoadIsShown) {
    Rig rig;
    rig.run(encode("pcm_alaw", TD_CODEC_PCMA, Sound::tone(8000, 10)), TD_CODEC_AAC);
    EXPECT_EQ(rig.metric("tapedeck_audio_encoders"), 1);
    EXPECT_GT(rig.metric("tapedeck_audio_encode_cpu_microseconds_total"), 1000);
    rig.close();
    EXPECT_EQ(rig.metric("tapedeck_audio_encoders"), 0);
}

TEST(AudioSettings, AHostWithoutMetricsIsFine) {
    Rig rig;
    rig.host.without(TD_METRICS);
    rig.run(encode("pcm_alaw", TD_CODEC_PCMA, Sound::tone(8000, 1)), TD_CODEC_AAC);
    EXPECT_GT(rig.sink.packet_count(), 40u);
}

}  // namespace
}  // namespace tapedeck::audio
