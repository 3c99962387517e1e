#include "record/converter.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "../stream/packets.hpp"
#include "base/error.hpp"
#include "tapedeck/media/aac.hpp"
#include "tapedeck/plugin.hpp"

namespace tapedeck::host {
namespace {

using Timed = Interleaver::Timed;

/// As an encoder is: what goes in comes out 40 ms later, in ticks of 1/48000, and the first packet is priming.
class Late : public tapedeck::Transform {
public:
    static constexpr const char* id = "late";
    static constexpr const char* doc = "For tests";
    static std::int32_t accepts(Context, const td_track& in, std::uint32_t codec) {
        return in.codec == TD_CODEC_OPUS && codec == TD_CODEC_AAC ? TD_TRANSFORM_CAN : TD_TRANSFORM_NO;
    }
    Late(Context, const td_track& in, const td_track& wanted, Sink out) : in_(in), out_(out) {
        if (in.channels == 99) throw tapedeck::Error(TD_UNSUPPORTED, "99 channels");
        const auto rate = wanted.sample_rate == 0 ? 48000 : wanted.sample_rate;
        const auto config = aac::build_config(2, rate, wanted.channels == 0 ? 1 : wanted.channels);
        Track track(TD_AUDIO, TD_CODEC_AAC, {1, 48000}, 7);
        track.config(config);
        out_.track(track);
    }
    void push(const td_packet& packet) override {
        if (packet.changed != nullptr) ++changes;
        if (packet.data_size == 13) throw tapedeck::Error(TD_MALFORMED, "unlucky");
        if (held_.empty()) give(packet.pts - 40, 'p');
        held_.push_back(packet.pts);
        while (packet.pts - held_.front() >= 40) {
            give(held_.front(), 'o');
            held_.erase(held_.begin());
        }
    }
    void flush() {
        for (const std::int64_t pts : held_) give(pts, 'f');
        held_.clear();
    }
    static inline int changes = 0;

private:
    void give(std::int64_t pts, char what) {
        td_packet packet{};
        const auto byte = static_cast<std::uint8_t>(what);
        packet.size = sizeof packet;
        packet.flags = TD_PACKET_KEY;
        packet.data = &byte;
        packet.data_size = 1;
        packet.pts = packet.dts = rescale(pts, in_.time_base, {1, 48000});
        packet.duration = 960;
        packet.wallclock_us = TD_NO_TIME;
        out_.packet(packet);
    }
    td_track in_;
    Sink out_;
    std::vector<std::int64_t> held_;
};

class ConverterTest : public ::testing::Test {
protected:
    ConverterTest() {
        extension_.kind = "transform";
        extension_.id = "late";
        extension_.declared = &declared_;
        extension_.context = reinterpret_cast<const td_context*>(this);
    }
    static Timed timed(const TrackSpec& spec, std::int64_t ms, std::uint32_t size = 10) {
        return {test::packet(spec, ms, TD_PACKET_KEY, size), spec.track.time_base, ms * 1000, ms * 1000, 20'000, false};
    }
    void adopt(const TrackSpec& audio) { converter_.adopt(tracks(audio), nullptr, failed_); }
    std::vector<Rendition> tracks(const TrackSpec& audio) const {
        return {{&video_, TD_CODEC_H264, nullptr}, {&audio, TD_CODEC_AAC, &extension_}};
    }
    void push(Timed one) { converter_.push(std::move(one), out_); }

    static td_track opus() {
        td_track track = test::aac();
        track.codec = TD_CODEC_OPUS;
        return track;
    }

    const td_extension declared_ = tapedeck::detail::Extension<Late>::value;
    Extension extension_;
    const TrackSpec video_{test::video()}, opus_{opus()};
    Converter converter_;
    std::vector<std::string> failed_;
    std::vector<Timed> out_;
};

TEST_F(ConverterTest, PassesEverythingWhereNothingIsToBeConverted) {
    EXPECT_TRUE(converter_.is_idle());
    push(timed(video_, 0));
    ASSERT_EQ(out_.size(), 1u);
    EXPECT_EQ(out_[0].packet.spec, &video_);
}

TEST_F(ConverterTest, PutsWhatComesLaterIntoOrder) {
    adopt(opus_);
    EXPECT_FALSE(converter_.is_idle());
    for (int ms = 0; ms < 400; ms += 20) {
        push(timed(opus_, ms));
        if (ms % 40 == 0) push(timed(video_, ms));
    }
    converter_.finish(out_);
    EXPECT_EQ(out_.size(), 20u + 10u + 1u);
    EXPECT_EQ(out_[0].pts_us, -40'000) << "priming";
    for (std::size_t i = 1; i < out_.size(); ++i) EXPECT_LE(out_[i - 1].order_us, out_[i].order_us);
    const TrackSpec* spec = out_[0].packet.spec;
    EXPECT_EQ(spec->track.codec, TD_CODEC_AAC);
    EXPECT_EQ(spec->track.index, opus_.track.index);
    EXPECT_EQ(out_[0].source, &opus_);
    EXPECT_EQ(std::ranges::count(out_, nullptr, &Timed::source), 10) << "the pictures";
    EXPECT_EQ(out_[0].duration_us, 20'000);
    EXPECT_TRUE(converter_.is_idle());
}

TEST_F(ConverterTest, WaitsForASilentTrackOnlyAWhile) {
    adopt(opus_);
    for (int ms = 0; ms < 1000; ms += 40) push(timed(video_, ms));
    EXPECT_EQ(out_.back().order_us, 640'000);
}

TEST_F(ConverterTest, GoesOnAcrossACutAndBeginsAnewWhereTheCodecChanged) {
    adopt(opus_);
    push(timed(opus_, 0));
    const TrackSpec* before = converter_.output(opus_.track.index);
    adopt(opus_);
    EXPECT_EQ(converter_.output(opus_.track.index), before);
    const TrackSpec other{test::aac()};
    EXPECT_TRUE(converter_.fits(timed(opus_, 20)));
    EXPECT_FALSE(converter_.fits(timed(other, 20)));
    EXPECT_TRUE(converter_.suits(tracks(opus_)));
    EXPECT_FALSE(converter_.suits(tracks(other)));
    adopt(other);
    EXPECT_EQ(converter_.output(opus_.track.index), before) << "the same parameters: the file goes on";
}

TEST_F(ConverterTest, TellsTheTransformOfNewParameters) {
    adopt(opus_);
    const int before = Late::changes;
    td_track mono = opus();
    mono.channels = 1;
    const TrackSpec changed(mono);
    push(timed(opus_, 0));
    push(timed(changed, 20));
    push(timed(changed, 40));
    EXPECT_EQ(Late::changes - before, 1);
}

TEST_F(ConverterTest, OneBadPacketIsAnErrorAndTheNextGoesOn) {
    adopt(opus_);
    push(timed(opus_, 0));
    EXPECT_THROW(push(timed(opus_, 20, 13)), Error);
    push(timed(opus_, 40));
    converter_.finish(out_);
    EXPECT_EQ(out_.size(), 3u);
}

TEST_F(ConverterTest, EndsAtAnInstantBeforeWhichSoundIsMadeAndAfterWhichItIsAsItCame) {
    adopt(opus_);
    for (int ms = 0; ms < 400; ms += 20) {
        if (ms < 260) push(timed(opus_, ms));
        push(timed(video_, ms));
    }
    out_.clear();
    std::vector<Timed> made, rest;
    converter_.end(250'000, made, rest);
    ASSERT_FALSE(made.empty());
    for (std::size_t i = 0; i < made.size(); ++i) EXPECT_EQ(made[i].pts_us, 240'000 - 20'000 * (made.size() - 1 - i));
    std::vector<std::int64_t> sound;
    for (const Timed& one : rest) {
        EXPECT_EQ(one.source, nullptr);
        if (one.packet.spec == &opus_) sound.push_back(one.pts_us);
    }
    EXPECT_EQ(sound, std::vector<std::int64_t>{240'000}) << "it is heard across the instant";
    EXPECT_TRUE(converter_.is_idle());
}

TEST_F(ConverterTest, KeepsOnlyWhatMayStillBeNeededOfWhatCameIn) {
    adopt(opus_);
    for (int ms = 0; ms < 60'000; ms += 20) push(timed(opus_, ms));
    std::vector<Timed> made, rest;
    converter_.end(0, made, rest);
    EXPECT_LE(rest.size(), 4u) << "from before the newest that came out on";
}

TEST_F(ConverterTest, WhatJoinsAFileComesOutAsItsTrackAndWithoutPriming) {
    const TrackSpec there{test::aac()};
    ASSERT_TRUE(converter_.join({&opus_, TD_CODEC_AAC, &extension_}, nullptr, there));
    EXPECT_EQ(converter_.output(opus_.track.index), &there);
    for (int ms = 1000; ms < 1200; ms += 20) push(timed(opus_, ms));
    ASSERT_FALSE(out_.empty());
    EXPECT_EQ(out_[0].packet.spec, &there);
    EXPECT_EQ(out_[0].source, &opus_);
    EXPECT_EQ(out_[0].pts_us / 1000, 1000);
    EXPECT_EQ(out_[0].time_base.den, 44100);
    EXPECT_FALSE(converter_.suits(tracks(opus_))) << "the next file has sound as the settings say";
}

TEST_F(ConverterTest, WhatADecoderWouldNotPlayDoesNotJoin) {
    td_track high = test::aac();
    const std::uint8_t he_aac[] = {0x2b, 0x92, 0x08, 0x00};
    high.config = {he_aac, sizeof he_aac};
    EXPECT_FALSE(converter_.join({&opus_, TD_CODEC_AAC, &extension_}, nullptr, TrackSpec(high)));
    high.config = {};
    EXPECT_FALSE(converter_.join({&opus_, TD_CODEC_AAC, &extension_}, nullptr, TrackSpec(high))) << "it says nothing";
    EXPECT_TRUE(converter_.is_idle());
}

TEST_F(ConverterTest, ATrackWhoseTransformCannotBeginIsLeftOut) {
    td_track odd = opus();
    odd.channels = 99;
    const TrackSpec spec(odd);
    adopt(spec);
    ASSERT_EQ(failed_.size(), 1u);
    EXPECT_NE(failed_[0].find("99 channels"), std::string::npos);
    EXPECT_FALSE(converter_.converts(odd.index));
}

}  // namespace
}  // namespace tapedeck::host
