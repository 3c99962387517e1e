#include "rtmp/timed_reads.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <vector>

namespace tapedeck::rtmp {
namespace {

using namespace std::chrono_literals;
using std::chrono::microseconds;

constexpr std::size_t kilobyte = 1024;

TEST(NextInterval, GrowsWhileLittleComesUpToTheLongest) {
    EXPECT_EQ(next_interval(25ms, 200ms, 0), 50ms);
    EXPECT_EQ(next_interval(100ms, 200ms, 40 * kilobyte), 200ms);
    EXPECT_EQ(next_interval(200ms, 200ms, 40 * kilobyte), 200ms);
}

TEST(NextInterval, ShrinksWhileMuchComes) {
    EXPECT_EQ(next_interval(200ms, 200ms, 300 * kilobyte), 100ms);
    EXPECT_EQ(next_interval(100ms, 200ms, 100 * kilobyte), 100ms) << "neither much nor little";
    microseconds interval = 200ms;
    for (int i = 0; i < 100; ++i) interval = next_interval(interval, 200ms, 4096 * kilobyte);
    EXPECT_EQ(interval, 1562us) << "but not without end";
    EXPECT_GT(next_interval(1us, 1us, 4096 * kilobyte), 0us);
}

TEST(NextInterval, SettlesWhereEachReadBringsSome) {
    for (const double megabits : {1.6, 8.0, 20.0, 100.0}) {
        microseconds interval = 25ms;
        for (int i = 0; i < 50; ++i) {
            const auto bytes = static_cast<std::size_t>(megabits / 8 * static_cast<double>(interval.count()));
            interval = next_interval(interval, 200ms, bytes);
        }
        const auto bytes = megabits / 8 * static_cast<double>(interval.count());
        EXPECT_LE(bytes, 192.0 * kilobyte) << megabits;
        if (megabits > 4) {
            EXPECT_GE(bytes, 32.0 * kilobyte) << megabits;
        }
    }
}

TEST(NextTime, IsTheSameForReadersOfEqualInterval) {
    const std::chrono::steady_clock::time_point origin{};
    EXPECT_EQ(next_time(origin + 401ms, 200ms), origin + 600ms);
    EXPECT_EQ(next_time(origin + 599ms, 200ms), origin + 600ms);
    EXPECT_EQ(next_time(origin + 600ms, 200ms), origin + 800ms);
    EXPECT_EQ(next_time(origin + 599ms, 25ms), origin + 600ms) << "short intervals meet the long ones";
}

struct Reader : TimedReader {
    std::size_t timed_read() override {
        ++reads;
        if (on_read) on_read();
        return 0;
    }
    int reads = 0;
    std::function<void()> on_read;
};

TEST(TimedReads, ReadsUntilRemovedAlsoFromInsideARead) {
    boost::asio::io_context context;
    TimedReads reads(context);
    auto first = std::make_shared<Reader>(), second = std::make_shared<Reader>(), late = std::make_shared<Reader>();
    first->on_read = [&] {
        if (first->reads < 3) return;
        reads.remove(*first);
        reads.add(late, 1ms);
    };
    second->on_read = [&] {
        if (late->reads > 0) reads.remove(*second);
    };
    late->on_read = [&] {
        if (second->reads > 0 && late->reads > 2) reads.stop();
    };
    reads.add(first, 1ms);
    reads.add(second, 1ms);
    context.run();
    EXPECT_EQ(first->reads, 3);
    EXPECT_GE(second->reads, 1);
    EXPECT_EQ(late->reads, 3);
}

}  // namespace
}  // namespace tapedeck::rtmp
