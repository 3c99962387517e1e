// Sound for viewers: made once for all of them, while there are any.
#include "record/live_sound.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>

#include "../store/doubles.hpp"
#include "../stream/packets.hpp"
#include "film.hpp"
#include "record/keys.hpp"

namespace tapedeck::host {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;
using ::testing::ElementsAre;

struct Booth : test::Server {
    explicit Booth(const test::fs::path& home) : Server(home, "") {
        settings().declare("", "", record_keys);
        settings().declare_family("prefer.", "");
        add<doubles::LateSound>("transform");
    }
};

class LiveSoundTest : public ::testing::Test {
protected:
    LiveSoundTest() {
        const td_track opus = test::track(TD_AUDIO, TD_CODEC_OPUS, 1);
        stream_->table->track(stream_.get(), &opus, nullptr);
    }
    ~LiveSoundTest() override { loop_.stop(); }

    /// As a viewer's queue is.
    std::shared_ptr<Feed> listener() {
        return std::make_shared<Feed>(Feed::Limits{.delay = std::chrono::milliseconds(0), .is_viewer = true},
                                      [this](Feed::Urgency) {
                                          {
                                              const std::lock_guard lock(mutex_);
                                              woken_ = true;
                                          }
                                          changed_.notify_all();
                                      });
    }
    void send(int from_ms, int to_ms) {
        for (int ms = from_ms; ms < to_ms; ms += 20) {
            const auto payload = doubles::payload_of(TD_AUDIO, ms);
            td_packet packet{};
            packet.size = sizeof packet;
            packet.track = 1;
            packet.flags = TD_PACKET_KEY;
            packet.pts = packet.dts = ms;
            packet.duration = packet.wallclock_us = TD_NO_TIME;
            packet.data = payload.data();
            packet.data_size = static_cast<std::uint32_t>(payload.size());
            const td_packet* batch[] = {&packet};
            ASSERT_EQ(stream_->table->packets(stream_.get(), batch, 1, nullptr), TD_OK);
        }
        stream_->tick(steady_clock::now() + seconds(1));  // what waits is due
    }
    /// Takes until there are so many.
    std::vector<Packet> take(Feed& feed, std::size_t count) {
        std::vector<Packet> all;
        const auto limit = steady_clock::now() + seconds(10);
        std::unique_lock lock(mutex_);
        for (;;) {
            woken_ = false;
            lock.unlock();
            feed.take(all);
            lock.lock();
            if (all.size() >= count || !changed_.wait_until(lock, limit, [&] { return woken_; })) return all;
        }
    }
    void demanded(std::int64_t delay_us) {
        {
            const std::lock_guard lock(mutex_);
            demands_.push_back(delay_us);
        }
        changed_.notify_all();
    }

    static StreamInfo info() {
        td_stream_info info{};
        info.size = sizeof info;
        info.name = text_of("cam");
        return StreamInfo(info);
    }
    static const td_publisher publisher;

    const test::TemporaryFolder folder_;
    Booth server_{folder_.path};
    RecordRules rules_{server_.settings()};
    Policy policy_{server_.settings(), [this](std::string_view kind) { return server_.all(kind); }, rules_};
    std::mutex mutex_;
    std::condition_variable changed_;
    bool woken_ = false;
    std::vector<std::int64_t> demands_;
    Loop loop_{"test"};
    const TrackSpec opus_{test::track(TD_AUDIO, TD_CODEC_OPUS, 1)};
    std::shared_ptr<Stream> stream_ =
        std::make_shared<Stream>(info(), &publisher, this, loop_, Stream::Limits{}, [](Stream&) {});
    MediaPool pool_{2};
    LiveSounds sounds_{policy_, pool_};
};

const td_publisher LiveSoundTest::publisher{
    sizeof(td_publisher),
    0,
    nullptr,
    [](void*, std::uint32_t) {},
    [](void* self, std::int64_t delay_us) { static_cast<LiveSoundTest*>(self)->demanded(delay_us); },
    [](void*, td_text) {},
    [](void*, const td_recording*) {}};

TEST_F(LiveSoundTest, TakesTheFirstCodecThatCanBeMade) {
    const std::uint32_t both[] = {TD_CODEC_PCMA, TD_CODEC_AAC};
    EXPECT_EQ(sounds_.codec_for(opus_, both), TD_CODEC_AAC);
    EXPECT_EQ(sounds_.codec_for(opus_, std::span(both).first(1)), 0u);
    EXPECT_EQ(sounds_.of(stream_, opus_, TD_CODEC_PCMA), nullptr);
}

TEST_F(LiveSoundTest, IsMadeOnceForAllWhoNeedIt) {
    const auto sound = sounds_.of(stream_, opus_, TD_CODEC_AAC);
    EXPECT_EQ(sounds_.of(stream_, opus_, TD_CODEC_AAC), sound);
    const auto one = listener(), two = listener();
    sound->join(one);
    sound->join(two);
    send(0, 400);
    const auto first = take(*one, 10), second = take(*two, 10);
    ASSERT_GE(first.size(), 10u);
    ASSERT_GE(second.size(), 10u);
    std::int64_t before = INT64_MIN;
    for (std::size_t n = 0; n < 10; ++n) {
        EXPECT_EQ(first[n].view.buffer, second[n].view.buffer) << "one payload for both";
        EXPECT_EQ(first[n].spec->track.codec, TD_CODEC_AAC);
        EXPECT_EQ(first[n].view.track, 1u) << "in place of the source's track";
        EXPECT_GT(first[n].view.pts, before);
        before = first[n].view.pts;
    }
    EXPECT_EQ(first[9].spec->track.time_base.den, 48000);
    EXPECT_EQ((first[9].pts_us() - first[4].pts_us()) / 1000, 100);
    sound->leave(one);
    send(400, 600);
    EXPECT_GE(take(*two, 5).size(), 5u);
    sound->leave(two);
}

TEST_F(LiveSoundTest, JoinsTheStreamOnlyWhileSomebodyListens) {
    const auto sound = sounds_.of(stream_, opus_, TD_CODEC_AAC);
    const auto one = listener(), two = listener();
    sound->join(one);
    sound->join(two);
    sound->leave(one);
    sound->leave(two);
    sound->join(one);
    sound->leave(one);
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, seconds(10), [&] { return demands_.size() >= 4; });
    EXPECT_THAT(demands_, ElementsAre(20'000, TD_RECORD_DELAY_US, 20'000, TD_RECORD_DELAY_US));
}

}  // namespace
}  // namespace tapedeck::host
