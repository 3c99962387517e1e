#include "tapedeck/media/ticks.hpp"

#include <gtest/gtest.h>

namespace tapedeck {
namespace {

TEST(Ticks, AreScaledWithRounding) {
    EXPECT_EQ(to_us(1, {1, 90000}), 11);
    EXPECT_EQ(to_us(-1, {1, 90000}), -11);
    EXPECT_EQ(to_ticks(23'220, {1, 44100}), 1024);
    EXPECT_EQ(to_ticks(to_us(std::int64_t{1} << 40, {1, 90000}), {1, 90000}), std::int64_t{1} << 40);
    EXPECT_EQ(rescale(3003, {1, 90000}, {1, 48000}), 1602);
    EXPECT_EQ(rescale(TD_NO_TIME, {1, 90000}, {1, 48000}), TD_NO_TIME);
    EXPECT_EQ(to_us(TD_NO_TIME, {1, 1000}), TD_NO_TIME);
}

}  // namespace
}  // namespace tapedeck
