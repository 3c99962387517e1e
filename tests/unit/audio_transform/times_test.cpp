// What holes, wrong clocks, bad packets and changed parameters do to the sound.
#include <gtest/gtest.h>

#include <random>

#include "rig.hpp"

namespace tapedeck::audio {
namespace {

Encoded opus(const Sound& sound) {
    return encode("libopus", TD_CODEC_OPUS, sound, 1, 32000);
}
Encoded pcma(const Sound& sound) {
    return encode("pcm_alaw", TD_CODEC_PCMA, sound);
}

void expect_contiguous(const Rig& rig) {
    const auto packets = rig.sink.packets();
    for (std::size_t i = 1; i < packets.size(); ++i)
        ASSERT_EQ(packets[i].packet.pts, packets[i - 1].packet.pts + packets[i - 1].packet.duration) << i;
}

TEST(AudioTimes, LostPacketsBecomeSilenceAndTheRestStaysInItsPlace) {
    for (const bool is_flagged : {true, false})
        for (const int lost : {1, 10, 100}) {
            Rig rig;
            const auto source = opus(Sound::tone(48000, 6, 300).click(5));
            rig.open(source.track, TD_CODEC_AAC);
            bool missing = false;
            for (std::size_t i = 0; i < source.units.size(); ++i) {
                const bool is_lost = i >= 100 && i < 100 + static_cast<std::size_t>(lost);
                if (!is_lost)
                    rig.push(source.units[i].pts, source.units[i].payload,
                             missing && is_flagged ? TD_PACKET_DISCONTINUITY : 0);
                missing = is_lost;
            }
            rig.flush();
            expect_contiguous(rig);
            const Sound heard = rig.heard();
            EXPECT_NEAR(heard.click_near(5), 5, 0.001) << lost;
            const double begin = 2 - 312. / 48000, end = begin + 0.02 * lost;
            EXPECT_GT(heard.level(begin - 0.3, begin - 0.01), 0.2);
            EXPECT_GT(heard.level(end + 0.01, end + 0.3), 0.2);
            if (lost > 1) {
                EXPECT_LT(heard.level(begin + 0.03, end - 0.03), 0.001) << lost;
            }
        }
}

TEST(AudioTimes, ALongPauseIsSilenceThatCostsNoEncoding) {
    Rig rig;
    const auto source = pcma(Sound::tone(8000, 1).click(0.5));
    rig.open(source.track, TD_CODEC_AAC);
    for (const Unit& unit : source.units) rig.push(unit.pts, unit.payload);
    const auto before = rig.sink.packet_count();
    for (const Unit& unit : source.units) rig.push(unit.pts + 31 * 8000, unit.payload);
    rig.flush();
    EXPECT_NEAR(static_cast<double>(rig.sink.packet_count() - before), 31 * 44100 / 1024., 5);
    expect_contiguous(rig);
    const Sound heard = rig.heard();
    EXPECT_NEAR(heard.click_near(0.5), 0.5, 0.001);
    EXPECT_NEAR(heard.click_near(31.5), 31.5, 0.001);
    EXPECT_LT(heard.level(1.1, 30.9), 0.0001);
    EXPECT_GT(heard.level(31.1, 31.4), 0.1);
}

TEST(AudioTimes, APauseOfMoreThanAMinuteStaysAHole) {
    for (const std::uint32_t codec : {TD_CODEC_AAC, TD_CODEC_OPUS}) {
        Rig rig;
        const auto source = pcma(Sound::tone(8000, 1).click(0.5));
        rig.open(source.track, codec);
        for (const Unit& unit : source.units) rig.push(unit.pts, unit.payload);
        for (const Unit& unit : source.units) rig.push(unit.pts + std::int64_t{8000} * 3600, unit.payload);
        rig.flush();
        EXPECT_LT(rig.sink.packet_count(), 150u);
        std::size_t holes = 0;
        for (const auto& copy : rig.sink.packets()) holes += (copy.packet.flags & TD_PACKET_DISCONTINUITY) != 0;
        EXPECT_EQ(holes, 1u);
        const auto last = rig.sink.packets().back().packet;
        EXPECT_NEAR(static_cast<double>(last.pts + last.duration) / rig.track().track.time_base.den, 3601, 0.05);
    }
}

TEST(AudioTimes, AClockThatRunsWrongIsFollowedForTenMinutes) {
    for (const double error : {0.0005, -0.0005}) {
        Rig rig;
        rig.host.settings.set("sample_rate", "8000");
        rig.host.settings.set("channels", "1");
        Sound sound = Sound::silent(8000, 600);
        for (int at = 1; at < 600; at += 20) sound.click(at);
        auto source = pcma(sound);
        rig.open(source.track, TD_CODEC_AAC);
        for (const Unit& unit : source.units)
            rig.push(std::llround(static_cast<double>(unit.pts) * (1 + error)), unit.payload);
        rig.flush();
        expect_contiguous(rig);
        const Sound heard = rig.heard();
        for (int at = 1; at < 600; at += 20) {
            const double wanted = at * (1 + error);
            EXPECT_NEAR(heard.click_near(wanted) * 1000, wanted * 1000, 5) << at;
        }
    }
}

TEST(AudioTimes, WithoutResamplingAWrongClockIsFollowedToo) {
    Rig rig;
    rig.host.settings.set("sample_rate", "48000");
    rig.host.settings.set("channels", "1");
    const double error = 0.001;
    Sound sound = Sound::silent(48000, 60);
    for (int at = 5; at < 60; at += 5) sound.click(at);
    const auto source = opus(sound);
    rig.open(source.track, TD_CODEC_AAC);
    for (const Unit& unit : source.units)
        rig.push(std::llround(static_cast<double>(unit.pts) * (1 + error)), unit.payload);
    rig.flush();
    const Sound heard = rig.heard();
    for (int at = 5; at < 60; at += 5)
        EXPECT_NEAR(heard.click_near(at * (1 + error)) * 1000, at * (1 + error) * 1000, 5) << at;
}

TEST(AudioTimes, TimesInMillisecondsChangeNotASample) {
    const auto source = opus(Sound::tone(48000, 20).click(19));
    Rig exact;
    exact.run(source, TD_CODEC_AAC);
    Rig rig;
    Encoded coarse = source;
    coarse.track.track.time_base = {1, 1000};
    for (Unit& unit : coarse.units)
        unit.pts = static_cast<std::int64_t>(std::floor(static_cast<double>(unit.pts) / 48));
    rig.run(coarse, TD_CODEC_AAC);
    ASSERT_EQ(rig.units().size(), exact.units().size());
    EXPECT_NEAR(rig.heard().click_near(19), 19, 0.001);
    for (std::size_t i = 0; i < rig.units().size(); ++i)
        ASSERT_EQ(rig.units()[i].payload, exact.units()[i].payload) << i;
}

TEST(AudioTimes, BadPacketsBecomeSilenceAreCountedAndSpoilNothingElse) {
    Rig rig;
    const auto source =
        encode("libmp3lame", TD_CODEC_MP3, Sound::tone(44100, 6).click(5.3), 2, 128000);  // far from bad ones
    rig.open(source.track, TD_CODEC_AAC);
    std::mt19937 random(1);
    std::int64_t bad = 0;
    for (std::size_t i = 0; i < source.units.size(); ++i) {
        auto payload = source.units[i].payload;
        if (i % 40 == 20) {
            for (auto& byte : payload) byte = static_cast<std::uint8_t>(random() & 0x7f);
            ++bad;
        }
        if (i % 40 == 30) {
            payload.clear();
            ++bad;
        }
        EXPECT_EQ(rig.push(source.units[i].pts, payload), TD_OK);
    }
    rig.flush();
    EXPECT_EQ(rig.metric("tapedeck_audio_undecodable_packets_total"), bad);
    expect_contiguous(rig);
    EXPECT_NEAR(rig.heard().click_near(5.3), 5.3, 0.001);
    const auto last = rig.sink.packets().back().packet;
    EXPECT_NEAR(static_cast<double>(last.pts + last.duration) / 44100, 6, 0.08);
}

TEST(AudioTimes, RandomBytesOfAnyCodecAndAnyTimesDoNoHarm) {
    std::mt19937 random(7);
    for (const std::uint32_t codec :
         {TD_CODEC_OPUS, TD_CODEC_PCMA, TD_CODEC_PCMU, TD_CODEC_G722, TD_CODEC_SPEEX, TD_CODEC_MP3, TD_CODEC_AAC})
        for (int round = 0; round < 3; ++round) {
            Rig rig;
            Track track(TD_AUDIO, codec, {1, 1000}, 1);
            std::vector<std::uint8_t> config(random() % 40);
            for (auto& byte : config) byte = static_cast<std::uint8_t>(random());
            if (round > 0) track.config(config);
            rig.open(track, codec == TD_CODEC_AAC ? TD_CODEC_OPUS : TD_CODEC_AAC);
            for (int i = 0; i < 200; ++i) {
                std::vector<std::uint8_t> payload(random() % 300);
                for (auto& byte : payload) byte = static_cast<std::uint8_t>(random());
                std::int64_t pts = i * 20;
                if (i % 50 == 49) pts = std::uniform_int_distribution<std::int64_t>(INT64_MIN, INT64_MAX)(random);
                EXPECT_EQ(rig.push(pts, payload), TD_OK);
            }
            rig.flush();
            const auto packets = rig.sink.packets();
            for (std::size_t i = 1; i < packets.size(); ++i)
                ASSERT_GE(packets[i].packet.pts, packets[i - 1].packet.pts + packets[i - 1].packet.duration);
            rig.close();
        }
    EXPECT_EQ(testkit::FakeHost::live_buffers(), 0);
}

TEST(AudioTimes, ChangedParametersGoOnInTheSameTrack) {
    Rig rig;
    const auto first = pcma(Sound::tone(8000, 2).click(1));
    const auto second = encode("libopus", TD_CODEC_OPUS, Sound::tone(48000, 2).click(1), 2, 64000);
    const auto third = encode("pcm_alaw", TD_CODEC_PCMA, Sound::tone(16000, 2).click(1), 2);
    rig.open(first.track, TD_CODEC_AAC);
    for (const Unit& unit : first.units) rig.push(unit.pts, unit.payload);
    const auto go_on = [&](const Encoded& with, double from) {
        const td_track& changed = with.track;
        for (std::size_t i = 0; i < with.units.size(); ++i)
            rig.push(with.units[i].pts + std::llround(from * changed.time_base.den), with.units[i].payload, 0,
                     i == 0 ? &changed : nullptr);
    };
    go_on(second, 2);
    go_on(third, 4);
    rig.flush();
    EXPECT_EQ(rig.sink.tracks().size(), 1u);
    expect_contiguous(rig);
    const Sound heard = rig.heard();
    for (const double at : {1., 3., 5.}) EXPECT_NEAR(heard.click_near(at), at, 0.001);
    for (const double at : {0.5, 2.5, 4.5}) EXPECT_NEAR(heard.level(at, at + 0.3), 0.3 / std::sqrt(2), 0.03) << at;
}

TEST(AudioTimes, SoundThatBeginsLateBeginsLate) {
    Rig rig;
    auto source = opus(Sound::silent(48000, 1).click(0.5));
    for (Unit& unit : source.units) unit.pts += 48000 * 100;
    rig.run(source, TD_CODEC_AAC);
    EXPECT_EQ(rig.units().front().pts, 44100 * 100 - 1024);
    EXPECT_NEAR(rig.heard().click_near(100.5), 100.5, 0.001);
}

TEST(AudioTimes, TheSendersClockGoesWithTheSound) {
    Rig rig;
    const auto source = opus(Sound::silent(48000, 1));
    rig.open(source.track, TD_CODEC_AAC);
    for (const Unit& unit : source.units)
        rig.push(unit.pts, unit.payload, 0, nullptr, 5'000'000'000 + unit.pts * 1'000'000 / 48000);
    rig.flush();
    for (const auto& copy : rig.sink.packets())
        EXPECT_NEAR(static_cast<double>(copy.packet.wallclock_us),
                    5e9 + static_cast<double>(copy.packet.pts) * 1e6 / 44100, 60);
}

TEST(AudioTimes, NothingInIsNothingOut) {
    Rig rig;
    rig.open(pcma(Sound::silent(8000, 1)).track, TD_CODEC_AAC);
    rig.flush();
    EXPECT_EQ(rig.sink.packet_count(), 0u);
    EXPECT_EQ(rig.sink.tracks().size(), 1u);
}

TEST(AudioTimes, WhatTheSinkRefusesIsToldAndNothingIsKept) {
    Rig rig;
    const auto source = pcma(Sound::silent(8000, 1));
    rig.open(source.track, TD_CODEC_AAC);
    rig.sink.answer(TD_CANCELLED);
    td_status worst = TD_OK;
    for (const Unit& unit : source.units) worst = std::min(worst, rig.push(unit.pts, unit.payload));
    EXPECT_EQ(worst, TD_CANCELLED);
    rig.close();
    EXPECT_EQ(testkit::FakeHost::live_buffers(), 0);
}

}  // namespace
}  // namespace tapedeck::audio
