#include <gtest/gtest.h>

#include <array>

#include "rig.hpp"
#include "tapedeck/media/aac.hpp"

namespace tapedeck::audio {
namespace {

struct Source {
    const char* encoder;
    std::uint32_t codec;
    int rate, channels;
    std::int64_t bit_rate;
};
constexpr std::array sources{
    Source{"libopus", TD_CODEC_OPUS, 48000, 2, 64000},   Source{"pcm_alaw", TD_CODEC_PCMA, 8000, 1, 0},
    Source{"pcm_mulaw", TD_CODEC_PCMU, 8000, 1, 0},      Source{"g722", TD_CODEC_G722, 16000, 1, 0},
    Source{"libspeex", TD_CODEC_SPEEX, 16000, 1, 28000}, Source{"libmp3lame", TD_CODEC_MP3, 44100, 2, 128000},
    Source{"aac", TD_CODEC_AAC, 44100, 2, 128000},       Source{"mp2", TD_CODEC_MP2, 48000, 2, 192000},
    Source{"ac3", TD_CODEC_AC3, 48000, 2, 192000},
};

Encoded encode(const Source& source, const Sound& sound) {
    return encode(source.encoder, source.codec, sound, source.channels, source.bit_rate);
}

td_track sound_track(std::uint32_t codec) {
    td_track track{};
    track.size = sizeof track;
    track.kind = TD_AUDIO;
    track.codec = codec;
    track.time_base = {1, 1000};
    return track;
}

TEST(AudioTransform, TakesAllSoundForAacAndForOpusButLetsTheSameCodecPass) {
    Rig rig;
    for (const auto& source : sources) {
        const td_track in = sound_track(source.codec);
        EXPECT_EQ(rig.accepts(in, TD_CODEC_AAC), TD_TRANSFORM_CAN) << source.encoder;
        EXPECT_EQ(rig.accepts(in, TD_CODEC_OPUS), TD_TRANSFORM_CAN) << source.encoder;
        EXPECT_EQ(rig.accepts(in, TD_CODEC_PCMA), TD_TRANSFORM_NO) << source.encoder;
    }
    td_track video = sound_track(TD_CODEC_OPUS);
    video.kind = TD_VIDEO;
    EXPECT_EQ(rig.accepts(video, TD_CODEC_AAC), TD_TRANSFORM_NO);
    EXPECT_EQ(rig.accepts(sound_track(TD_CODEC('f', 'L', 'a', 'C')), TD_CODEC_AAC), TD_TRANSFORM_NO);
}

TEST(AudioTransform, EncodesAacAnewOnlyWhereASettingIsGivenAndDiffers) {
    const auto config = aac::build_config(2, 48000, 1);
    td_track in = sound_track(TD_CODEC_AAC);
    in.config = {config.data(), config.size()};
    for (const auto& [key, value, wanted] : {std::tuple{"sample_rate", "48000", false},
                                             {"sample_rate", "44100", true},
                                             {"channels", "1", false},
                                             {"channels", "2", true},
                                             {"aac_bitrate_mode", "2", false}}) {
        Rig rig;
        rig.host.settings.set(key, value);
        const auto answer = wanted ? TD_TRANSFORM_MUST : TD_TRANSFORM_CAN;
        EXPECT_EQ(rig.accepts(in, TD_CODEC_AAC), answer) << key << '=' << value;
        rig.host.settings.unset(key);
        const testkit::FakeSettings::Overrides own{{key, value}};
        EXPECT_EQ(rig.accepts(in, TD_CODEC_AAC, testkit::FakeSettings::options(own)), answer) << key << '=' << value;
    }
}

TEST(AudioTransform, ARecordingsOwnSettingStandsAboveTheServersForAacToo) {
    const auto config = aac::build_config(2, 48000, 1);
    td_track in = sound_track(TD_CODEC_AAC);
    in.config = {config.data(), config.size()};
    Rig rig;
    rig.host.settings.set("sample_rate", "44100");
    const testkit::FakeSettings::Overrides own{{"sample_rate", "48000"}};
    EXPECT_EQ(rig.accepts(in, TD_CODEC_AAC), TD_TRANSFORM_MUST);
    EXPECT_EQ(rig.accepts(in, TD_CODEC_AAC, testkit::FakeSettings::options(own)), TD_TRANSFORM_CAN);
}

TEST(AudioTransform, WhatJoinsAFileHasTheRateAndChannelsOfItsTrack) {
    const auto mono = tapedeck::audio::encode("aac", TD_CODEC_AAC, Sound::tone(32000, 1), 1, 96000);
    for (const std::uint32_t codec : {TD_CODEC_AAC, TD_CODEC_OPUS}) {
        td_track there = sound_track(codec);
        there.sample_rate = 48000;
        there.channels = 2;
        Rig rig;
        rig.host.settings.set("sample_rate", "22050");
        rig.host.settings.set("channels", "1");
        rig.open(mono.track, there);
        EXPECT_EQ(rig.track().track.sample_rate, 48000u);
        EXPECT_EQ(rig.track().track.channels, 2u);
    }
}

TEST(AudioTransform, WhatIsNotGivenKeepsIncomingAacsOwnRateAndChannels) {
    Rig rig;
    rig.host.settings.set("channels", "1");
    rig.run(tapedeck::audio::encode("aac", TD_CODEC_AAC, Sound::tone(32000, 1), 2, 96000), TD_CODEC_AAC);
    EXPECT_EQ(rig.track().track.sample_rate, 32000u);
    EXPECT_EQ(rig.track().track.channels, 1u);
}

TEST(AudioTransform, EveryCodecBecomesAacAndOpusOfTheSameLengthAndLoudness) {
    const double seconds = 3;
    for (const auto& source : sources)
        for (const std::uint32_t codec : {TD_CODEC_AAC, TD_CODEC_OPUS}) {
            if (source.codec == codec) continue;
            Rig rig;
            rig.run(encode(source, Sound::tone(source.rate, seconds)), codec);
            const auto label = std::string(source.encoder) + (codec == TD_CODEC_AAC ? " to AAC" : " to Opus");
            const auto track = rig.track();
            EXPECT_EQ(track.track.sample_rate, codec == TD_CODEC_AAC ? 44100u : 48000u) << label;
            EXPECT_EQ(track.track.index, 1u);
            EXPECT_EQ(track.track.time_base.den, static_cast<int>(track.track.sample_rate)) << label;
            EXPECT_FALSE(track.config.empty());
            const std::int64_t frame = codec == TD_CODEC_AAC ? 1024 : 960;
            std::int64_t next = rig.units().front().pts;
            EXPECT_LT(next, 0) << label;
            for (const auto& copy : rig.sink.packets()) {
                EXPECT_EQ(copy.packet.pts, next) << label;
                EXPECT_EQ(copy.packet.dts, next);
                EXPECT_EQ(copy.packet.duration, frame);
                EXPECT_TRUE(copy.is_key());
                next += frame;
            }
            const Sound heard = rig.heard();
            const auto source_frame = 0.03;  // the source's own encoder fills its last frame
            EXPECT_GE(static_cast<double>(next) / heard.rate, seconds - 1e-9) << label;
            EXPECT_LE(static_cast<double>(next) / heard.rate,
                      seconds + source_frame + 2. * static_cast<double>(frame) / heard.rate)
                << label;
            EXPECT_NEAR(20 * std::log10(heard.level(0.5, 2.5) / (0.3 / std::sqrt(2))), 0, 1) << label;
        }
    EXPECT_EQ(testkit::FakeHost::live_buffers(), 0);
}

TEST(AudioTransform, AClickStaysWithinAMillisecondOfItsTime) {
    for (const auto& source : sources)
        for (const std::uint32_t codec : {TD_CODEC_AAC, TD_CODEC_OPUS})
            for (const char* rate : {"44100", "48000"}) {
                if (source.codec == codec || (codec == TD_CODEC_OPUS && rate[1] == '8')) continue;
                Sound sound = Sound::silent(source.rate, 5);
                for (const double at : {0.1, 0.6, 3.0, 4.5}) sound.click(at);
                const Encoded made = encode(source, sound);
                // A Speex decoder delays by itself; where it puts the first click is the truth.
                const double delay =
                    source.codec != TD_CODEC_SPEEX
                        ? 0
                        : decode(made.track, {made.track.config().begin(), made.track.config().end()}, made.units)
                                  .click_near(0.1) -
                              0.1;
                Rig rig;
                rig.host.settings.set("sample_rate", rate);
                rig.run(made, codec);
                const Sound heard = rig.heard();
                for (const double at : {0.1, 0.6, 3.0, 4.5})
                    EXPECT_NEAR(heard.click_near(at) * 1000, (at + delay) * 1000, 1)
                        << source.encoder << ' ' << rate << " ms";
            }
}

}  // namespace
}  // namespace tapedeck::audio
