#include "rtp/decode_times.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using tapedeck::rtp::DecodeTimes;
using ::testing::ElementsAre;

namespace {

std::vector<std::int64_t> all(DecodeTimes& times, std::initializer_list<std::int64_t> shown) {
    std::vector<std::int64_t> decoded;
    for (const auto pts : shown) decoded.push_back(times(pts));
    return decoded;
}

TEST(DecodeTimes, RiseBelowThoseOfPicturesThatAreReordered) {
    DecodeTimes times;
    times.depth(2);
    EXPECT_THAT(all(times, {0, 12000, 6000, 3000, 9000, 24000, 18000, 15000, 21000}),
                ElementsAre(-7200, -3600, 0, 3000, 6000, 9000, 12000, 15000, 18000));
}

TEST(DecodeTimes, AreThePicturesOwnWithoutReordering) {
    DecodeTimes times;
    EXPECT_THAT(all(times, {0, 3000, 6000}), ElementsAre(0, 3000, 6000));
}

TEST(DecodeTimes, LearnTheDepthThatNobodyToldThemOf) {
    DecodeTimes times;
    all(times, {0, 9000, 3000, 6000});
    EXPECT_EQ(times.depth(), 1u);
    EXPECT_THAT(all(times, {18000, 12000, 15000, 27000}), ElementsAre(9000, 12000, 15000, 18000));
}

TEST(DecodeTimes, FollowAClockThatJumps) {
    DecodeTimes times;
    times.depth(1);
    all(times, {0, 6000, 3000});
    EXPECT_THAT(all(times, {9'000'000, 9'006'000, 9'003'000}), ElementsAre(8'996'400, 9'000'000, 9'003'000));
}

}  // namespace
