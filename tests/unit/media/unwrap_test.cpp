#include "tapedeck/media/unwrap.hpp"

#include <gtest/gtest.h>

namespace tapedeck {
namespace {

TEST(Unwrapper, CountsOnWhenTheCounterWraps) {
    Unwrapper<32> unwrap;
    EXPECT_EQ(unwrap(0xfffffff0), 0xfffffff0);
    EXPECT_EQ(unwrap(0x10), 0x100000010);
    EXPECT_EQ(unwrap(0xfffffff8), 0xfffffff8) << "a late value from before the wrap";
    EXPECT_EQ(unwrap(0x20), 0x100000020);
}

TEST(Unwrapper, FollowsStepsBackAndForwardBelowHalfTheRange) {
    Unwrapper<32> unwrap;
    EXPECT_EQ(unwrap(1000), 1000);
    EXPECT_EQ(unwrap(0), 0);
    EXPECT_EQ(unwrap(0x7fffffff), 0x7fffffff);
    EXPECT_EQ(unwrap(0xffffffff), 0xffffffff - 0x100000000) << "half the range is a step back";
}

TEST(Unwrapper, WrapsManyTimesWithOtherWidths) {
    Unwrapper<33> unwrap;
    std::int64_t expected = 0;
    for (int i = 0; i < 100; ++i, expected += 1'000'000'000)
        ASSERT_EQ(unwrap(static_cast<std::uint64_t>(expected)), expected);
}

}  // namespace
}  // namespace tapedeck
