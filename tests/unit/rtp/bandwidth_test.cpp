#include "rtp/bandwidth.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace tapedeck::rtp {
namespace {

/// A line of some capacity with a queue before it, and a sender that sends what it is told, up to `most`.
struct Bottleneck {
    double capacity = 1e6, most = 5e6, noise_ms = 2;
    std::int64_t now_us = 1, free_us = 0;
    std::int64_t clock_us = 123'456'789;  // the sender's
    double carried = 0, waited_us = 0;
    int packets = 0;

    void run(Bandwidth& bandwidth, double seconds) {
        carried = waited_us = 0;
        packets = 0;
        const auto end = now_us + static_cast<std::int64_t>(seconds * 1e6);
        while (now_us < end) {
            const auto rate = std::min(bandwidth.rate(), most);
            now_us += std::llround(1200 * 8 * 1e6 / rate);
            free_us = std::max(free_us, now_us) + std::llround(1200 * 8 * 1e6 / capacity);
            const auto wobble = std::abs(std::sin(++packets * 12.9898)) * noise_ms * 1000;
            bandwidth.packet(clock_us + now_us, free_us + 20'000 + std::llround(wobble), 1200);
            carried += 1200 * 8;
            waited_us += static_cast<double>(free_us - now_us);
        }
        carried /= seconds;
        waited_us /= packets;
    }
};

TEST(Bandwidth, RisesToWhatTheSenderSendsWhereNothingHoldsItUp) {
    Bandwidth bandwidth({});
    Bottleneck line{.capacity = 50e6};
    line.run(bandwidth, 40);
    EXPECT_GT(bandwidth.rate(), 5e6);
    EXPECT_LE(bandwidth.rate(), 8e6);
}

TEST(Bandwidth, StaysBelowWhatTheLineCarriesAndFillsNoQueue) {
    Bandwidth bandwidth({});
    Bottleneck line{.capacity = 1.5e6};
    line.run(bandwidth, 20);
    line.run(bandwidth, 30);
    EXPECT_GT(line.carried, 0.7 * line.capacity);
    EXPECT_LT(line.waited_us, 100'000);

    line.capacity = 0.5e6;
    line.run(bandwidth, 3);
    EXPECT_LT(bandwidth.rate(), 0.55e6) << "a line that got narrow is noticed soon";
    line.run(bandwidth, 20);
    EXPECT_LT(line.waited_us, 150'000);

    line.capacity = 3e6;
    line.run(bandwidth, 40);
    EXPECT_GT(bandwidth.rate(), 1.5e6) << "and one that got wider is used";
}

TEST(Bandwidth, DoesNotRiseFarAboveWhatComes) {
    Bandwidth bandwidth({.least = 100'000, .start = 300'000, .most = 8'000'000});
    Bottleneck line{.capacity = 50e6, .most = 400'000};
    line.run(bandwidth, 60);
    EXPECT_LT(bandwidth.rate(), 0.65e6);
    EXPECT_GT(bandwidth.rate(), 0.5e6);
}

TEST(Bandwidth, LossOfOverATenthLowersItAndOver2PercentHoldsIt) {
    Bandwidth bandwidth({});
    Bottleneck line{.capacity = 50e6};
    line.run(bandwidth, 1);
    const auto before = bandwidth.rate();
    bandwidth.loss(13);
    line.run(bandwidth, 5);
    EXPECT_EQ(bandwidth.rate(), before);
    bandwidth.loss(64);
    EXPECT_DOUBLE_EQ(bandwidth.rate(), before * 0.875);
    bandwidth.loss(0);
    line.run(bandwidth, 5);
    EXPECT_GT(bandwidth.rate(), before);
    for (int i = 0; i < 100; ++i) bandwidth.loss(255);
    EXPECT_EQ(bandwidth.rate(), 100'000);
}

}  // namespace
}  // namespace tapedeck::rtp
