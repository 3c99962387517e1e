#include "record/opening.hpp"

#include <gtest/gtest.h>

#include "../stream/packets.hpp"

namespace tapedeck::host {
namespace {

class OpeningTest : public ::testing::Test {
protected:
    /// A frame of `ms` milliseconds.
    Interleaver::Timed timed(const TrackSpec& spec, std::int64_t at, std::uint32_t flags, std::int64_t ms) const {
        return {test::packet(spec, at, flags), {1, 1000}, at * 1000, at * 1000, ms * 1000, false};
    }
    std::optional<Opening::Beginning> audio(std::int64_t at) {
        return opening_.take(timed(audio_, at, 1, 23), outlook_);
    }
    std::optional<Opening::Beginning> key(std::int64_t at) { return opening_.take(timed(video_, at, 1, 40), outlook_); }
    std::optional<Opening::Beginning> picture(std::int64_t at) {
        return opening_.take(timed(video_, at, 0, 40), outlook_);
    }
    static std::vector<std::int64_t> times(const std::optional<Opening::Beginning>& beginning) {
        std::vector<std::int64_t> all;
        if (beginning) {
            for (const auto& packet : beginning->packets) all.push_back(packet.pts_us / 1000);
        }
        return all;
    }

    const TrackSpec video_{test::video()}, audio_{test::aac()};
    Opening opening_;
    Opening::Outlook outlook_{.video_comes = true, .only_audio_comes = false, .most_audio = 100};
};

TEST_F(OpeningTest, BeginsWithTheFirstSoundWhenThePictureFollowsAtOnce) {
    EXPECT_FALSE(audio(0));
    EXPECT_FALSE(audio(23));
    const auto beginning = key(40);
    EXPECT_EQ(times(beginning), (std::vector<std::int64_t>{0, 23, 40}));
    EXPECT_EQ(beginning->origin_us, 0);
}

TEST_F(OpeningTest, MessagesBeforeTheFirstPictureAreSaidWithIt) {
    const TrackSpec messages(test::messages());
    EXPECT_FALSE(opening_.take(timed(messages, 5, 1, 0), outlook_));
    EXPECT_FALSE(opening_.take(timed(messages, 900, 1, 0), outlook_));
    const auto beginning = key(1000);
    ASSERT_EQ(times(beginning), (std::vector<std::int64_t>{1000, 1000, 1000}));
    EXPECT_TRUE(beginning->packets[0].packet.is_video());
    EXPECT_EQ(beginning->packets[1].packet.view.dts, 1000);
    EXPECT_EQ(beginning->packets[2].packet.view.dts, 1001) << "dts rises";
    outlook_.video_comes = false;
    outlook_.only_audio_comes = true;
    Opening other;
    EXPECT_FALSE(other.take(timed(messages, 5, 1, 0), outlook_)) << "they make no file by themselves";
    EXPECT_FALSE(other.end(outlook_));
}

TEST_F(OpeningTest, LeavesOutSoundLongBeforeTheFirstPicture) {
    for (std::int64_t at = 0; at < 2000; at += 23) audio(at);
    const auto beginning = key(2000);
    ASSERT_TRUE(beginning);
    EXPECT_EQ(times(beginning).front(), 1886) << "heard in the last 0.1 s";
    EXPECT_EQ(beginning->origin_us, 1'886'000);
}

TEST_F(OpeningTest, BeginsAtTheKeyFrameInTheMidstOfAStream) {
    EXPECT_FALSE(picture(0));
    EXPECT_TRUE(opening_.skips_video());
    audio(10);
    audio(33);
    audio(56);
    const auto beginning = key(70);
    EXPECT_EQ(times(beginning), (std::vector<std::int64_t>{56, 70})) << "the frame that is heard across it stays";
    EXPECT_EQ(beginning->origin_us, 70'000);
}

TEST_F(OpeningTest, KeepsNoMoreSoundThanItMay) {
    outlook_.most_audio = 2;
    for (std::int64_t at : {0, 23, 46, 69}) audio(at);
    EXPECT_EQ(times(key(92)), (std::vector<std::int64_t>{92})) << "both kept ones end before the picture";
}

TEST_F(OpeningTest, WaitsASecondBeforeItCallsAStreamAudioOnly) {
    outlook_.video_comes = false;
    for (std::int64_t at = 0; at < 1000; at += 23) EXPECT_FALSE(audio(at)) << at;
    const auto beginning = audio(1012);
    EXPECT_EQ(times(beginning).size(), 45u);
    EXPECT_EQ(beginning->origin_us, 0);
}

TEST_F(OpeningTest, BeginsAtOnceWhenThePublisherSaysThatOnlySoundComes) {
    outlook_ = {.video_comes = false, .only_audio_comes = true, .most_audio = 100};
    EXPECT_EQ(times(audio(500)), (std::vector<std::int64_t>{500}));
}

TEST_F(OpeningTest, KeepsAShortStreamOfSoundAtItsEnd) {
    outlook_.video_comes = false;
    audio(0);
    EXPECT_EQ(times(opening_.end(outlook_)), (std::vector<std::int64_t>{0}));
    outlook_.video_comes = true;
    audio(23);
    EXPECT_FALSE(opening_.end(outlook_)) << "a picture was announced and none came";
}

}  // namespace
}  // namespace tapedeck::host
