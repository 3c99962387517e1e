#include "stream/viewer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <future>
#include <optional>

#include "packets.hpp"
#include "stream/hub.hpp"
#include "stream/keys.hpp"

namespace tapedeck::host {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// What a plugin was told, in order, with the times.
class Told {
public:
    void add(std::string what) {
        const std::lock_guard lock(mutex_);
        all_.push_back(std::move(what));
        times_.push_back(steady_clock::now());
        changed_.notify_all();  // with the lock: whoever waits may end this object
    }
    /// Waits for so many of them.
    std::vector<std::string> wait(std::size_t count) {
        std::unique_lock lock(mutex_);
        if (!changed_.wait_for(lock, seconds(10), [&] { return all_.size() >= count; })) all_.emplace_back("too late");
        return all_;
    }
    void until(std::string_view what) {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, seconds(10), [&] { return !all_.empty() && all_.back() == what; });
    }
    std::vector<std::string> now() {
        const std::lock_guard lock(mutex_);
        return all_;
    }
    steady_clock::duration between(std::size_t first, std::size_t second) {
        const std::lock_guard lock(mutex_);
        return times_.at(second) - times_.at(first);
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::string> all_;
    std::vector<steady_clock::time_point> times_;
};

struct Publisher {
    Told told;  ///< opened, key, demand <us>, kick, released
    td_sink* sink = nullptr;

    static Publisher& of(void* self) { return *static_cast<Publisher*>(self); }
    static const td_publisher table;
};

const td_publisher Publisher::table{
    sizeof(td_publisher),
    0,
    [](void* self, td_sink* opened, const td_error*) {
        of(self).sink = opened;
        of(self).told.add("opened");
    },
    [](void* self, std::uint32_t) { of(self).told.add("key"); },
    [](void* self, std::int64_t delay) { of(self).told.add("demand " + std::to_string(delay)); },
    [](void* self, td_text) { of(self).told.add("kick"); },
    [](void* self, const td_recording*) { of(self).told.add("released"); }};

struct Subscriber {
    Told told;   ///< opened or why not, ended, released
    Told ready;  ///< each time
    td_subscription* subscription = nullptr;

    std::vector<td_packet> read() {
        const td_packet* const* batch = nullptr;
        const std::size_t count = subscription->table->read(subscription, &batch);
        std::vector<td_packet> packets;
        for (std::size_t i = 0; i < count; ++i) packets.push_back(*batch[i]);
        return packets;
    }
    std::vector<std::int64_t> times() {
        std::vector<std::int64_t> times;
        for (const td_packet& packet : read()) times.push_back(packet.dts);
        return times;
    }
    void request_key() { subscription->table->request_key(subscription, 0); }
    void close() {
        subscription->table->close(subscription);
        told.until("released");
    }

    static Subscriber& of(void* self) { return *static_cast<Subscriber*>(self); }
    static const td_subscriber table;
};

const td_subscriber Subscriber::table{sizeof(td_subscriber),
                                      0,
                                      [](void* self, td_subscription* opened, const td_error* error) {
                                          of(self).subscription = opened;
                                          of(self).told.add(error == nullptr ? "opened" : error->text);
                                      },
                                      [](void* self) { of(self).ready.add("ready"); },
                                      [](void* self, td_text reason) { of(self).told.add(std::string(view(reason))); },
                                      [](void* self) { of(self).told.add("released"); }};

class ViewerTest : public ::testing::Test {
protected:
    ViewerTest() { source_.declare("", "", stream_keys); }
    ~ViewerTest() override {
        if (publisher_.sink != nullptr) leave();
    }

    void publish(std::uint32_t flags = 0) {
        td_stream_info info = info_of("cam");
        info.media_session = text_of("published");
        info.flags = flags;
        Hub::table()->publish(nullptr, &info, &Publisher::table, &publisher_);
        publisher_.told.wait(1);
        ASSERT_NE(publisher_.sink, nullptr);
        for (const TrackSpec* spec : {&video_, &audio_}) {
            ASSERT_EQ(publisher_.sink->table->track(publisher_.sink, &spec->track, nullptr), TD_OK);
        }
    }
    void leave() {
        publisher_.sink->table->close(std::exchange(publisher_.sink, nullptr), text_of("done"));
        publisher_.told.until("released");
    }
    td_status push(const Packet& packet) {
        const td_packet* batch[] = {&packet.view};
        return publisher_.sink->table->packets(publisher_.sink, batch, 1, nullptr);
    }
    void picture(std::int64_t time, std::uint32_t size = 100) { push(test::packet(video_, time, 0, size)); }
    void key(std::int64_t time, std::uint32_t size = 100) { push(test::packet(video_, time, TD_PACKET_KEY, size)); }
    void sound(std::int64_t time) { push(test::packet(audio_, time)); }

    static td_stream_info info_of(std::string_view name) {
        td_stream_info info{};
        info.size = sizeof info;
        info.name = text_of(name);
        info.protocol = text_of("test");
        return info;
    }
    static void subscribe(Subscriber& viewer, const td_stream_info& info) {
        Hub::table()->subscribe(nullptr, &info, &Subscriber::table, &viewer);
        viewer.told.wait(1);
    }
    /// Plays the stream, and comes back when it has joined.
    void watch(Subscriber& viewer, std::int64_t delay_us = 0) {
        td_stream_info info = info_of("cam");
        info.delay_us = delay_us;
        subscribe(viewer, info);
        settle();
        ASSERT_NE(viewer.subscription, nullptr) << viewer.told.now().front();
    }
    /// Until everything posted so far has run.
    void settle() {
        std::promise<void> reached;
        loop_.post([&] { reached.set_value(); });
        reached.get_future().wait();
    }
    std::shared_ptr<Stream> stream() { return hub_.find_session("published"); }

    const TrackSpec video_{test::video()}, audio_{test::aac()};
    SettingsSource source_{"/nowhere", "stream.play_queue = 64k"};
    Loop loop_{"test"};
    std::optional<std::string> denial_;
    Hub hub_{source_, loop_, [this](int action, const StreamInfo&, const std::function<void(const Error*)>& done) {
                 const Error denied(denial_.value_or(""), TD_DENIED);
                 done(denial_ && action == TD_PLAY ? &denied : nullptr);
             }};
    Publisher publisher_;
};

TEST_F(ViewerTest, BeginsAtTheLastKeyPacketAndIsToldOfTracksOnce) {
    publish();
    key(0);
    key(40);
    picture(80);
    Subscriber one, two;
    watch(one);
    const auto first = one.read();
    ASSERT_EQ(first.size(), 2u);
    EXPECT_EQ(first[0].dts, 40);
    ASSERT_NE(first[0].changed, nullptr);
    EXPECT_EQ(first[0].changed->codec, TD_CODEC_H264);
    EXPECT_NE(first[0].flags & TD_PACKET_CONFIG_CHANGED, 0u);
    EXPECT_EQ(first[1].changed, nullptr);
    picture(120);
    EXPECT_THAT(one.times(), ElementsAre(120));
    watch(two);
    EXPECT_THAT(two.times(), ElementsAre(40, 80, 120)) << "it is kept for the next viewer too";
    td_track other = test::video();
    const std::uint8_t config[] = {1, 2, 3};
    other.config = {config, sizeof config};
    publisher_.sink->table->track(publisher_.sink, &other, nullptr);
    key(160);
    const auto changed = one.read();
    ASSERT_EQ(changed.size(), 1u);
    ASSERT_NE(changed[0].changed, nullptr);
    EXPECT_EQ(changed[0].changed->config.size, 3u);
    one.close();
    two.close();
}

TEST_F(ViewerTest, IsToldOnceUntilItReads) {
    publish();
    Subscriber viewer;
    watch(viewer);
    EXPECT_THAT(viewer.ready.now(), IsEmpty());
    key(0);
    picture(40);
    picture(80);
    EXPECT_EQ(viewer.ready.now().size(), 1u);
    EXPECT_EQ(viewer.read().size(), 3u);
    EXPECT_EQ(viewer.read().size(), 0u);
    picture(120);
    EXPECT_EQ(viewer.ready.now().size(), 2u);
    viewer.close();
}

TEST_F(ViewerTest, IsToldOfTheKeptPacketsWithoutWaitingForAnother) {
    publish();
    key(0);
    Subscriber viewer;
    watch(viewer, 100'000);
    EXPECT_EQ(viewer.ready.now().size(), 1u);
    viewer.close();
}

TEST_F(ViewerTest, PayloadsAreReferencedNotCopied) {
    publish();
    Subscriber viewer;
    watch(viewer);
    const Packet sent = test::packet(video_, 0);
    push(sent);
    const auto packets = viewer.read();
    ASSERT_EQ(packets.size(), 1u);
    EXPECT_EQ(packets[0].data, sent.view.data);
    EXPECT_EQ(packets[0].buffer, sent.view.buffer);
    viewer.close();
}

TEST_F(ViewerTest, AsksForAKeyFrameWhereTheSourceMakesThem) {
    publish(TD_STREAM_KEYS_ON_REQUEST);
    key(0);
    picture(40);
    Subscriber viewer;
    watch(viewer);
    const auto told = publisher_.told.wait(3);
    EXPECT_THAT(told, ElementsAre("opened", "demand 0", "key"));
    EXPECT_THAT(viewer.times(), IsEmpty()) << "nothing of the past";
    picture(80);
    sound(80);
    key(120);
    picture(160);
    EXPECT_THAT(viewer.times(), ElementsAre(80, 120, 160)) << "sound at once, pictures from the key frame on";
    viewer.close();
}

TEST_F(ViewerTest, RequestsForKeyFramesAreGathered) {
    publish();
    Subscriber one, two;
    watch(one);  // asks, because nothing is kept yet
    watch(two);
    one.request_key();
    two.request_key();
    one.request_key();
    const auto told = publisher_.told.wait(4);
    EXPECT_THAT(told, ElementsAre("opened", "demand 0", "key", "key"));
    EXPECT_GE(publisher_.told.between(2, 3), milliseconds(450));
    one.close();
    two.close();
}

TEST_F(ViewerTest, ASlowOneMissesPacketsUpToAKeyFrameAndHoldsUpNobody) {
    publish();
    Subscriber slow, quick;
    watch(slow);
    watch(quick);
    key(0, 20'000);
    for (int i = 1; i < 10; ++i) {
        push(test::packet(video_, i * 1000, 0, 20'000));  // a source that could wait
        EXPECT_EQ(quick.times().back(), i * 1000);
    }
    EXPECT_EQ(publisher_.sink->table->packets(publisher_.sink, nullptr, 0, nullptr), TD_OK);
    EXPECT_THAT(slow.times(), ElementsAre(0, 1000, 2000));
    picture(10'000);
    EXPECT_THAT(slow.times(), IsEmpty());
    key(10'040);
    const auto resumed = slow.read();
    ASSERT_EQ(resumed.size(), 1u);
    EXPECT_NE(resumed[0].flags & TD_PACKET_DISCONTINUITY, 0u);
    slow.close();
    quick.close();
}

TEST_F(ViewerTest, TheSmallestDelayIsDemanded) {
    publish();
    const auto recording = stream()->subscribe({}, [](Feed::Urgency) {});
    Subscriber relaxed, live;
    watch(relaxed, 200'000);
    watch(live);
    live.close();
    relaxed.close();
    settle();
    stream()->unsubscribe(recording);
    settle();
    auto told = publisher_.told.now();
    std::erase(told, "key");
    EXPECT_THAT(told, ElementsAre("opened", "demand 200000", "demand 0", "demand 200000", "demand 500000"));
}

TEST_F(ViewerTest, EndsWithItsPublisher) {
    publish();
    Subscriber viewer;
    watch(viewer);
    key(0);
    leave();
    EXPECT_THAT(viewer.told.wait(2), ElementsAre("opened", "Stopped by publisher stop"));
    EXPECT_THAT(viewer.times(), ElementsAre(0)) << "what came before can still be read";
    EXPECT_EQ(hub_.viewers().size(), 1u);
    viewer.close();
    EXPECT_THAT(viewer.told.now(), ElementsAre("opened", "Stopped by publisher stop", "released"));
    EXPECT_THAT(hub_.viewers(), IsEmpty());
}

TEST_F(ViewerTest, IsFoundAndEndedByItsSession) {
    publish();
    Subscriber viewer;
    td_stream_info info = info_of("cam");
    info.media_session = text_of("played");
    subscribe(viewer, info);
    settle();
    auto found = hub_.find_viewer("played");
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->info().name, "cam");
    key(0);
    found->kick("Stopped by rest /terminate");
    found->kick("again");
    picture(40);
    EXPECT_THAT(viewer.told.wait(2), ElementsAre("opened", "Stopped by rest /terminate"));
    EXPECT_THAT(viewer.times(), ElementsAre(0)) << "nothing comes after the end";
    viewer.subscription->table->close(viewer.subscription);
    settle();
    EXPECT_EQ(viewer.told.now().size(), 2u) << "whoever still holds it puts off the release";
    found.reset();
    viewer.told.until("released");
}

TEST_F(ViewerTest, GetsOnlyTheCodecsThatItCanTake) {
    publish();
    Subscriber viewer, none;
    td_stream_info info = info_of("cam");
    const std::uint32_t wanted[] = {TD_CODEC_OPUS, TD_CODEC_AAC};
    info.codecs = wanted;
    info.codec_count = 2;
    subscribe(viewer, info);
    settle();
    key(0);
    sound(10);
    EXPECT_THAT(viewer.times(), ElementsAre(10));
    EXPECT_EQ(hub_.viewers()[0]->tracks().size(), 1u);
    info.codec_count = 1;
    subscribe(none, info);
    EXPECT_THAT(none.told.wait(2), ElementsAre("No common codecs", "released"));
    viewer.close();
}

/// Turns any sound into Opus, which the test pushes.
struct OpusSounds : Sounds, Sound {
    void join(const std::shared_ptr<Feed>& feed) override { listener = feed; }
    void leave(const std::shared_ptr<Feed>& feed) override {
        if (listener == feed) listener.reset();
    }
    std::uint32_t codec_for(const TrackSpec&, std::span<const std::uint32_t> codecs) const override {
        return codecs.front() == TD_CODEC_OPUS ? TD_CODEC_OPUS : 0;
    }
    std::shared_ptr<Sound> of(const std::shared_ptr<Stream>&, const TrackSpec&, std::uint32_t) override {
        ++asked;
        return {std::shared_ptr<Sound>(), this};
    }
    std::shared_ptr<Feed> listener;
    int asked = 0;
};

TEST_F(ViewerTest, HearsConvertedSoundInPlaceOfWhatItCannotTake) {
    OpusSounds sounds;
    hub_.convert(sounds);
    publish();
    Subscriber viewer;
    td_stream_info info = info_of("cam");
    const std::uint32_t wanted[] = {TD_CODEC_OPUS};
    info.codecs = wanted;
    info.codec_count = 1;
    subscribe(viewer, info);
    settle();
    sound(0);
    sound(20);
    EXPECT_THAT(viewer.times(), IsEmpty());
    sound(40);
    EXPECT_THAT(viewer.times(), IsEmpty());
    EXPECT_EQ(sounds.asked, 1);
    ASSERT_NE(sounds.listener, nullptr);
    EXPECT_EQ(hub_.viewers()[0]->sound_codec(), TD_CODEC_OPUS);
    const TrackSpec opus(test::track(TD_AUDIO, TD_CODEC_OPUS, 1));
    sounds.listener->push(std::vector{test::packet(opus, 33)}, {.now = steady_clock::now()});
    const auto heard = viewer.read();
    ASSERT_EQ(heard.size(), 1u);
    ASSERT_NE(heard[0].changed, nullptr);
    EXPECT_EQ(heard[0].changed->codec, TD_CODEC_OPUS);
    viewer.close();
    EXPECT_EQ(sounds.listener, nullptr);
}

TEST_F(ViewerTest, RefusalsAreInTheWordsOfWcs) {
    Subscriber unknown, denied, twice, late;
    subscribe(unknown, info_of("cam"));
    EXPECT_THAT(unknown.told.wait(2), ElementsAre("Stream not found", "released"));
    publish();
    td_stream_info info = info_of("cam");
    info.media_session = text_of("published");
    subscribe(twice, info);
    EXPECT_THAT(twice.told.wait(2), ElementsAre("MediaSessionId is already in use", "released"));
    denial_ = "not you";
    subscribe(denied, info_of("cam"));
    EXPECT_THAT(denied.told.wait(2), ElementsAre("not you", "released"));
    denial_.reset();
    hub_.shut("the server is stopping");
    subscribe(late, info_of("cam"));
    EXPECT_THAT(late.told.wait(2), ElementsAre("the server is stopping", "released"));
}

TEST_F(ViewerTest, StreamsAreFoundByName) {
    EXPECT_EQ(Hub::table()->find(nullptr, text_of("cam")), TD_NOT_FOUND);
    publish();
    EXPECT_EQ(Hub::table()->find(nullptr, text_of("cam")), TD_AGAIN);
    key(0);
    EXPECT_EQ(Hub::table()->find(nullptr, text_of("cam")), TD_OK);
}

TEST_F(ViewerTest, ARecordedStreamThatNobodyWatchesKeepsNoGop) {
    publish();
    const auto recording = stream()->subscribe({}, [](Feed::Urgency) {});
    Subscriber viewer;
    key(0);
    watch(viewer);
    EXPECT_THAT(viewer.times(), IsEmpty());
    viewer.close();
    stream()->unsubscribe(recording);
}

}  // namespace
}  // namespace tapedeck::host
