#include "stream/feed.hpp"

#include <gtest/gtest.h>

#include "packets.hpp"

namespace tapedeck::host {
namespace {

using std::chrono::milliseconds;

class FeedTest : public ::testing::Test {
protected:
    std::unique_ptr<Feed> feed(Feed::Limits limits) {
        return std::make_unique<Feed>(limits, [this](Feed::Urgency urgency) {
            ++wakes_;
            urgent_ = urgency == Feed::Urgency::Now;
        });
    }
    std::vector<Packet> of(std::size_t count, std::uint32_t size, std::uint32_t flags = 0) {
        std::vector<Packet> batch;
        for (std::size_t i = 0; i < count; ++i) batch.push_back(test::packet(spec_, clock_++, flags, size));
        return batch;
    }
    static Feed::Arrival at(Feed::TimePoint now, bool is_ahead = false) {
        return {.has_video = true, .is_ahead = is_ahead, .now = now};
    }
    static std::vector<Packet> take(Feed& feed) {
        std::vector<Packet> all;
        feed.take(all);
        return all;
    }

    const TrackSpec spec_{test::video()};
    std::int64_t clock_ = 1;
    int wakes_ = 0;
    bool urgent_ = false;
    const Feed::TimePoint start_ = std::chrono::steady_clock::now();
};

TEST_F(FeedTest, WakesOnceWhenTheDelayIsOver) {
    auto one = feed({.delay = milliseconds(500)});
    take(*one);  // the delay counts from here
    one->push(of(1, 100), at(start_ + milliseconds(100)));
    EXPECT_EQ(wakes_, 0);
    one->push(of(1, 100), at(start_ + milliseconds(700)));
    EXPECT_EQ(wakes_, 1);
    EXPECT_FALSE(urgent_);
    one->push(of(1, 100), at(start_ + milliseconds(1400)));
    EXPECT_EQ(wakes_, 1) << "it has not taken anything yet";
    EXPECT_EQ(take(*one).size(), 3u);
}

TEST_F(FeedTest, WakesAtOnceWhenMuchWaits) {
    auto one = feed({.due_bytes = 1000, .delay = milliseconds(500)});
    take(*one);
    one->push(of(10, 100), at(start_));
    EXPECT_EQ(wakes_, 1);
    EXPECT_TRUE(urgent_);
}

TEST_F(FeedTest, ASourceAheadOfRealTimeIsTakenInLargePiecesAndWaitsForThem) {
    auto one = feed({.due_bytes = 500, .large_due_bytes = 1000, .behind_bytes = 2000, .delay = milliseconds(500)});
    take(*one);
    one->push(of(9, 100), at(start_, true));
    EXPECT_EQ(wakes_, 0);
    one->push(of(1, 100), at(start_, true));
    EXPECT_EQ(wakes_, 1);
    one->push(of(10, 100), at(start_, true));
    EXPECT_FALSE(one->is_behind());
    one->push(of(1, 100), at(start_, true));
    EXPECT_TRUE(one->is_behind());
    take(*one);
    EXPECT_FALSE(one->is_behind());
}

TEST_F(FeedTest, AShortQueueIsNotFilledBeforeAnybodyIsTold) {
    auto one = feed({.queue_bytes = 4000, .delay = milliseconds(500)});
    take(*one);
    one->push(of(10, 100), at(start_, true));
    EXPECT_EQ(wakes_, 1);
    one->push(of(11, 100), at(start_, true));
    EXPECT_TRUE(one->is_behind());
    EXPECT_EQ(one->dropped(), 0u);
}

TEST_F(FeedTest, WakesByTheTickWhenTheSourceFallsSilent) {
    auto one = feed({.delay = milliseconds(500)});
    take(*one);
    one->tick(start_ + milliseconds(5000));
    EXPECT_EQ(wakes_, 0) << "nothing waits";
    one->push(of(1, 100), at(start_));
    one->tick(start_ + milliseconds(5000));
    EXPECT_EQ(wakes_, 1);
}

TEST_F(FeedTest, DropsUpToAKeyPacketWhenTheConsumerCannotFollow) {
    auto one = feed({.queue_bytes = 1000, .due_bytes = 1u << 20, .delay = milliseconds(500)});
    one->push(of(12, 100), at(start_));
    EXPECT_EQ(one->dropped(), 2u);
    EXPECT_EQ(take(*one).size(), 10u) << "what was queued is not lost";
    one->push(of(3, 100), at(start_));
    EXPECT_TRUE(take(*one).empty()) << "no key packet yet";
    one->push(of(1, 100, TD_PACKET_KEY), at(start_));
    one->push(of(1, 100), at(start_));
    const auto resumed = take(*one);
    ASSERT_EQ(resumed.size(), 2u);
    EXPECT_NE(resumed[0].view.flags & TD_PACKET_DISCONTINUITY, 0u);
    EXPECT_EQ(resumed[1].view.flags & TD_PACKET_DISCONTINUITY, 0u);
    EXPECT_EQ(one->dropped(), 5u);
}

TEST_F(FeedTest, TellsItsEndAfterTheLastPacket) {
    auto one = feed({});
    one->push(of(2, 100), at(start_));
    one->end("gone");
    std::vector<Packet> all;
    EXPECT_TRUE(one->take(all));
    EXPECT_EQ(all.size(), 2u);
    EXPECT_EQ(one->end_reason(), "gone");
}

}  // namespace
}  // namespace tapedeck::host
