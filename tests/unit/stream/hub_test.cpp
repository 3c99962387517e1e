#include "stream/hub.hpp"

#include <gtest/gtest.h>

#include <array>
#include <future>
#include <optional>

#include "packets.hpp"
#include "stream/keys.hpp"

namespace tapedeck::host {
namespace {

using std::chrono::seconds;

/// A publisher as a plugin is one; what it hears can be waited for.
struct FakePublisher {
    std::promise<td_sink*> opened;
    std::promise<std::string> refused, kicked;
    std::promise<bool> released;  // whether a recording came with it

    static FakePublisher& of(void* self) { return *static_cast<FakePublisher*>(self); }
    static const td_publisher table;
};

const td_publisher FakePublisher::table{
    sizeof(td_publisher),
    0,
    [](void* self, td_sink* sink, const td_error* error) {
        if (sink != nullptr) {
            of(self).opened.set_value(sink);
        } else {
            of(self).refused.set_value(error->text);
        }
    },
    [](void*, std::uint32_t) {},
    [](void*, std::int64_t) {},
    [](void* self, td_text reason) { of(self).kicked.set_value(std::string(view(reason))); },
    [](void* self, const td_recording* recording) { of(self).released.set_value(recording != nullptr); }};

template <class T>
T get(std::promise<T>& promise) {
    auto future = promise.get_future();
    if (future.wait_for(seconds(10)) != std::future_status::ready) throw Error("no answer came");
    return future.get();
}

class HubTest : public ::testing::Test {
protected:
    HubTest() { source_.declare("", "", stream_keys); }

    void publish(FakePublisher& publisher, std::string_view name) {
        td_stream_info info{};
        info.size = sizeof info;
        info.name = text_of(name);
        info.protocol = text_of("test");
        Hub::table()->publish(nullptr, &info, &FakePublisher::table, &publisher);
    }

    SettingsSource source_{"/nowhere", std::string_view()};
    Loop loop_{"test"};
    std::optional<std::string> denial_;
    Hub hub_{source_, loop_, [this](int, const StreamInfo&, const std::function<void(const Error*)>& done) {
                 const Error denied(denial_.value_or(""), TD_DENIED);
                 done(denial_ ? &denied : nullptr);
             }};
};

TEST_F(HubTest, OpensAStreamThatIsFoundByItsSession) {
    FakePublisher one;
    publish(one, "cam");
    td_sink* sink = get(one.opened);
    const auto streams = hub_.streams();
    ASSERT_EQ(streams.size(), 1u);
    const StreamInfo& info = streams[0]->info();
    EXPECT_EQ(info.media_session.size(), 36u);
    EXPECT_EQ(info.login.size(), 26u);
    EXPECT_EQ(hub_.find_session(info.media_session), streams[0]);
    EXPECT_FALSE(streams[0]->is_publishing()) << "PENDING until the first packet";
    const td_track video = test::video();
    td_error error{};
    ASSERT_EQ(sink->table->track(sink, &video, &error), TD_OK);
    const TrackSpec spec(video);
    const Packet packet = test::packet(spec, 0);
    const td_packet* batch[] = {&packet.view};
    ASSERT_EQ(sink->table->packets(sink, batch, 1, &error), TD_OK) << error.text;
    EXPECT_TRUE(streams[0]->is_publishing());
    sink->table->close(sink, text_of("done"));
    EXPECT_FALSE(get(one.released));
    EXPECT_TRUE(hub_.streams().empty());
}

TEST_F(HubTest, ATrackMayChangeToWhatItWasAsOftenAsItLikes) {
    FakePublisher one;
    publish(one, "cam");
    td_sink* sink = get(one.opened);
    const auto stream = hub_.streams().at(0);
    td_track video = test::video();
    std::array<std::uint8_t, 2> config{1, 0};
    video.config = {config.data(), config.size()};
    td_error error{};
    for (int i = 0; i < 5000; ++i) {
        config[1] = static_cast<std::uint8_t>(i % 3);
        ASSERT_EQ(sink->table->track(sink, &video, &error), TD_OK) << i << ": " << error.text;
        ASSERT_EQ(stream->tracks().at(0)->config[1], config[1]);
    }
    video.width = 2;
    config[1] = 0;
    ASSERT_EQ(sink->table->track(sink, &video, &error), TD_OK);
    EXPECT_EQ(stream->tracks().at(0)->track.width, 2u) << "not quite what it was";

    const std::vector<std::uint8_t> large(65537);
    video.config = {large.data(), large.size()};
    EXPECT_EQ(sink->table->track(sink, &video, &error), TD_MALFORMED);
    EXPECT_NE(std::string_view(error.text).find("65537 bytes"), std::string_view::npos) << error.text;
}

TEST_F(HubTest, RefusesANameInUseInTheWordsOfWcs) {
    FakePublisher one, two, three;
    publish(one, "cam");
    td_sink* sink = get(one.opened);
    publish(two, "cam");
    EXPECT_EQ(get(two.refused), "Stream name is already in use");
    EXPECT_FALSE(get(two.released));
    sink->table->close(sink, {});
    get(one.released);
    publish(three, "cam");
    sink = get(three.opened);
    sink->table->close(sink, {});
    get(three.released);
}

TEST_F(HubTest, RefusesWhomAdmissionDenies) {
    denial_ = "not you";
    FakePublisher one;
    publish(one, "cam");
    EXPECT_EQ(get(one.refused), "not you");
    EXPECT_TRUE(hub_.streams().empty());
}

TEST_F(HubTest, RefusesPacketsOfTracksThatNobodyAnnounced) {
    FakePublisher one;
    publish(one, "cam");
    td_sink* sink = get(one.opened);
    const TrackSpec spec(test::video());
    const Packet packet = test::packet(spec, 0);
    const td_packet* batch[] = {&packet.view};
    td_error error{};
    EXPECT_EQ(sink->table->packets(sink, batch, 1, &error), TD_MALFORMED);
    sink->table->close(sink, {});
    get(one.released);
}

TEST_F(HubTest, KicksWithTheReasonAndRefusesFurtherPackets) {
    FakePublisher one;
    publish(one, "cam");
    td_sink* sink = get(one.opened);
    hub_.streams()[0]->kick("Stopped by rest /terminate");
    EXPECT_EQ(get(one.kicked), "Stopped by rest /terminate");
    td_error error{};
    const TrackSpec spec(test::video());
    const Packet packet = test::packet(spec, 0);
    const td_packet* batch[] = {&packet.view};
    EXPECT_EQ(sink->table->packets(sink, batch, 1, &error), TD_CANCELLED);
    sink->table->close(sink, {});
    get(one.released);
}

TEST_F(HubTest, ASourceAheadOfRealTimeWaitsUntilItsRecordingCaughtUp) {
    FakePublisher one;
    publish(one, "cam");
    td_sink* sink = get(one.opened);
    const td_track video = test::video();
    td_error error{};
    ASSERT_EQ(sink->table->track(sink, &video, &error), TD_OK);
    const auto feed = hub_.streams()[0]->subscribe({}, [](Feed::Urgency) {});
    const TrackSpec spec(video);
    td_status status = TD_OK;
    for (std::int64_t time = 0; time < 4000; time += 400) {
        const Packet packet = test::packet(spec, time, TD_PACKET_KEY, 512u << 10);
        const td_packet* batch[] = {&packet.view};
        status = sink->table->packets(sink, batch, 1, &error);
    }
    EXPECT_EQ(status, TD_AGAIN) << "four seconds came at once, and nobody took them";
    EXPECT_EQ(sink->table->packets(sink, nullptr, 0, &error), TD_AGAIN);
    std::vector<Packet> taken;
    feed->take(taken);
    EXPECT_EQ(taken.size(), 10u);
    EXPECT_EQ(sink->table->packets(sink, nullptr, 0, &error), TD_OK);
    sink->table->close(sink, {});
    get(one.released);
}

TEST_F(HubTest, RefusesEverybodyOnceItIsShut) {
    hub_.shut("the server is stopping");
    FakePublisher one;
    publish(one, "cam");
    EXPECT_EQ(get(one.refused), "the server is stopping");
    get(one.released);
}

/// What a late reader of a stream finds.
std::vector<Packet> late(const std::shared_ptr<Stream>& stream) {
    const auto feed = stream->subscribe({}, [](Feed::Urgency) {});
    std::vector<Packet> packets;
    feed->take(packets);
    stream->unsubscribe(feed);
    return packets;
}

TEST_F(HubTest, KeepsTheCurrentGopForARecordingOnDemand) {
    FakePublisher one;
    publish(one, "cam");
    td_sink* sink = get(one.opened);
    const auto stream = hub_.streams()[0];
    const td_track video = test::video();
    td_error error{};
    sink->table->track(sink, &video, &error);
    const TrackSpec spec(video);
    std::vector<Packet> packets;
    packets.reserve(10);
    for (int i = 0; i < 10; ++i)
        packets.push_back(test::packet(spec, i * 40, i % 4 == 0 ? std::uint32_t{TD_PACKET_KEY} : 0u));
    for (const Packet& packet : packets) {
        const td_packet* batch[] = {&packet.view};
        sink->table->packets(sink, batch, 1, &error);
    }
    const auto kept = late(stream);
    ASSERT_EQ(kept.size(), 2u) << "packets 8 and 9";
    EXPECT_TRUE(kept[0].is_video_key());
    EXPECT_EQ(kept[0].view.dts, 320);
    sink->table->close(sink, {});
    get(one.released);
}

}  // namespace
}  // namespace tapedeck::host
