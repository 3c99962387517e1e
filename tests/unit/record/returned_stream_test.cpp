#include "record/returned_stream.hpp"

#include <gtest/gtest.h>

#include <array>

#include "../stream/packets.hpp"

namespace tapedeck::host::test {
namespace {

TEST(ReturnedStreamTest, BeginsWithItsEarliestPacketWhereItIsToldTo) {
    const TrackSpec picture(video()), sound(aac());
    ReturnedStream returned;
    returned.begin(12'000'000);
    std::array batch{packet(picture, 500, TD_PACKET_KEY, 100, 80), packet(sound, 480)};
    returned.place(batch);
    EXPECT_EQ(batch[1].view.dts, 12'000);
    EXPECT_EQ(batch[0].view.dts, 12'020);
    EXPECT_EQ(batch[0].view.pts, 12'100);
    std::array later{packet(sound, 503)};
    returned.place(later);
    EXPECT_EQ(later[0].view.pts, 12'023);
    returned.begin(60'000'000);
    std::array again{packet(picture, 0)};
    returned.place(again);
    EXPECT_EQ(again[0].view.dts, 60'000);
}

TEST(ReturnedStreamTest, GivesTracksThatAreTheSameAsBeforeTheSameObject) {
    const TrackSpec picture(video()), sound(aac()), same_picture(video()), same_sound(aac());
    ReturnedStream returned;
    returned.know(&picture);
    returned.know(&sound);
    returned.begin(0);
    std::array batch{packet(same_picture, 0), packet(same_sound, 0)};
    returned.place(batch);
    EXPECT_EQ(batch[0].spec, &picture);
    EXPECT_EQ(batch[1].spec, &sound);
}

TEST(ReturnedStreamTest, KeepsANewTrackItself) {
    const TrackSpec picture(video());
    td_track wide = video();
    const std::array<std::uint8_t, 2> config{1, 2};
    wide.config = {config.data(), config.size()};
    ReturnedStream returned;
    returned.know(&picture);
    const TrackSpec* kept = nullptr;
    {
        const TrackSpec other(wide);
        kept = returned.own(&other);
        EXPECT_NE(kept, &picture);
        EXPECT_NE(kept, &other) << "the stream may go";
        EXPECT_EQ(kept, returned.own(&other));
    }
    EXPECT_EQ(kept->config, std::vector<std::uint8_t>(config.begin(), config.end()));
    returned.begin(0);
    const TrackSpec once_more(wide);
    EXPECT_EQ(returned.own(&once_more), kept);
    EXPECT_EQ(returned.own(&picture), &picture);
}

}  // namespace
}  // namespace tapedeck::host::test
