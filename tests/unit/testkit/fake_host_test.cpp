// FakeHost offers what the header promises: settings, buffers, streams, routes, numbers.
#include "testkit/fake_host.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>

#include "tapedeck/http.hpp"
#include "tapedeck/plugin.hpp"

namespace tapedeck::testkit {
namespace {

using namespace std::chrono_literals;

constexpr auto port = Key::integer("port", "1935");
constexpr auto idle = Key::duration("idle", "1min");
constexpr auto delay = Key::duration("delay", "5").per("ms");
constexpr auto room = Key::bytes("room", "64k");
constexpr auto eager = Key::boolean("eager", "true");
constexpr auto folder = Key::path("folder", "records");
constexpr std::array declared{port, idle, delay, room, eager, folder};

TEST(FakeHost, ReadsDeclaredDefaultsAndWhatIsSet) {
    FakeHost host(declared);
    host.settings.home("/home/wcs");
    Context context(host.table(), host.context());
    EXPECT_EQ(context.integer(port), 1935);
    EXPECT_EQ(context.duration(idle), 1min);
    EXPECT_EQ(context.duration(delay), 5ms);
    EXPECT_EQ(context.integer(room), 65536);
    EXPECT_TRUE(context.boolean(eager));
    EXPECT_EQ(context.text(folder), "/home/wcs/records");
    EXPECT_FALSE(context.is_set(port));
    host.settings.set("port", "0");
    EXPECT_EQ(context.integer(port), 0);
    EXPECT_TRUE(context.is_set(port));
    const FakeSettings::Overrides own{{"port", "7"}};
    EXPECT_EQ(context.with(FakeSettings::options(own)).integer(port), 7);
    EXPECT_THROW(context.integer(Key::integer("other", "1")), Error) << "it is not declared";
    host.settings.set("port", "many");
    EXPECT_THROW(context.integer(port), Error);
}

TEST(FakeHost, CollectsLogLinesPortsAndNumbers) {
    FakeHost host;
    Context context(host.table(), host.context());
    context.warning("disk slow");
    EXPECT_EQ(host.logged("slow", TD_LOG_WARNING), 1u);
    EXPECT_EQ(host.logged("slow", TD_LOG_ERROR), 0u);
    EXPECT_TRUE(host.wait_for_log("disk"));
    context.listening("rtmp", 1935);
    EXPECT_EQ(host.port("rtmp"), 1935);
    const auto* metrics = context.service<td_metrics>(TD_METRICS);
    metrics->add(metrics->counter(to_text("packets"), to_text("kind=\"a\""), to_text("")), 3);
    EXPECT_EQ(FakeHost::metric("packets", "kind=\"a\""), 3);
    EXPECT_EQ(FakeHost::metric("packets"), 0);
    EXPECT_FALSE(context.cancelled());
    host.cancel();
    EXPECT_TRUE(context.cancelled());
    EXPECT_EQ(context.service<td_metrics>("tapedeck.none/1"), nullptr);
    host.without(TD_METRICS);
    EXPECT_EQ(context.service<td_metrics>(TD_METRICS), nullptr);
}

TEST(FakeHost, CountsBuffersThatAreNotGivenBack) {
    FakeHost host;
    const auto before = FakeHost::live_buffers();
    {
        const Buffer buffer(host.table(), 100);
        const Buffer shared = buffer;  // NOLINT(performance-unnecessary-copy-initialization): it is counted
        EXPECT_EQ(FakeHost::live_buffers(), before + 1);
        EXPECT_EQ(shared.capacity(), 100u);
    }
    EXPECT_EQ(FakeHost::live_buffers(), before);
}

/// What a publisher was told.
struct Publisher {
    static const td_publisher& table() {
        static constexpr td_publisher value{sizeof(td_publisher),
                                            0,
                                            [](void* self, td_sink* opened, const td_error* error) {
                                                of(self).sink = opened;
                                                if (error != nullptr) of(self).refused = error->text;
                                            },
                                            [](void* self, std::uint32_t track) { of(self).key_wanted = track; },
                                            [](void* self, std::int64_t delay_us) { of(self).delay = delay_us; },
                                            [](void* self, td_text reason) { of(self).kicked = string_of(reason); },
                                            [](void* self, const td_recording* recording) {
                                                ++of(self).released;
                                                if (recording != nullptr) of(self).named = string_of(recording->name);
                                            }};
        return value;
    }
    static Publisher& of(void* self) { return *static_cast<Publisher*>(self); }
    void publish(FakeHost& host, std::string_view name) {
        const auto* streams =
            static_cast<const td_streams*>(host.table()->service(host.context(), to_text(TD_STREAMS)));
        td_stream_info info{};
        info.size = sizeof info;
        info.name = to_text(name);
        streams->publish(host.context(), &info, &table(), this);
        host.drain();
    }

    td_sink* sink = nullptr;
    std::string refused, kicked, named;
    std::uint32_t key_wanted = 0;
    std::int64_t delay = 0;
    int released = 0;
};

TEST(FakeHost, RecordsWhatIsPublished) {
    Publisher publisher;
    FakeHost host;
    publisher.publish(host, "cam1");
    ASSERT_NE(publisher.sink, nullptr);
    auto* stream = host.streams.wait();
    ASSERT_NE(stream, nullptr);
    EXPECT_EQ(stream->facts.name, "cam1");
    td_error error{};
    const std::array<std::uint8_t, 3> config{1, 2, 3};
    td_track track{};
    track.size = sizeof track;
    track.kind = TD_VIDEO;
    track.config = {config.data(), config.size()};
    EXPECT_EQ(publisher.sink->table->track(publisher.sink, &track, &error), TD_OK);
    EXPECT_EQ(stream->tracks().at(0).config, std::vector<std::uint8_t>(config.begin(), config.end()));
    Context context(host.table(), host.context());
    const OwnedPacket packet(context, 0, config, 40);
    const std::array<const td_packet*, 2> batch{&packet.packet, &packet.packet};
    EXPECT_EQ(publisher.sink->table->packets(publisher.sink, batch.data(), batch.size(), &error), TD_OK);
    EXPECT_TRUE(stream->wait([&] { return stream->packet_count() == 2; }));
    EXPECT_EQ(stream->packets(0).at(1).packet.pts, 40);
    EXPECT_EQ(stream->packets(0).at(1).data.size(), 3u);
    EXPECT_TRUE(stream->packets(1).empty());
    publisher.sink->table->set(publisher.sink, to_text("title"), to_text("t"));
    EXPECT_EQ(stream->shown().at("title"), "t");

    stream->request_key(4);
    stream->demand(0);
    stream->kick("stop it");
    host.drain();
    EXPECT_EQ(publisher.key_wanted, 4u);
    EXPECT_EQ(publisher.kicked, "stop it");
    EXPECT_EQ(publisher.sink->table->packets(publisher.sink, batch.data(), batch.size(), &error), TD_CANCELLED);
    EXPECT_EQ(publisher.released, 0);
    stream->releases_at_close = false;
    publisher.sink->table->close(publisher.sink, to_text("bye"));
    EXPECT_EQ(stream->closed(), "bye");
    stream->release("cam1.mp4");
    stream->release("again.mp4");
    host.drain();
    EXPECT_EQ(publisher.released, 1);
    EXPECT_EQ(publisher.named, "cam1.mp4");
    EXPECT_EQ(publisher.sink->table->packets(publisher.sink, batch.data(), batch.size(), &error), TD_FAILED);
}

TEST(FakeHost, RefusesWhomTheTestRefuses) {
    Publisher publisher;
    FakeHost host;
    host.streams.refuse([](std::int32_t action, const StreamFacts& facts) -> std::optional<Refusal> {
        if (action == TD_PUBLISH && facts.name == "taken") return Refusal{TD_EXISTS, "in use"};
        return std::nullopt;
    });
    publisher.publish(host, "taken");
    EXPECT_EQ(publisher.sink, nullptr);
    EXPECT_EQ(publisher.refused, "in use");
    EXPECT_EQ(publisher.released, 1);
}

/// As a plugin's is.
struct Viewer : Subscriber {
    void opened(Subscription given) override { subscription = given; }
    void refused(const tapedeck::Error& why) override { told = why.what(); }
    void ready() override { ++ready_count; }
    void ended(std::string_view why) override { told = why; }
    void released() override { is_released = true; }
    Subscription subscription;
    std::string told;
    int ready_count = 0;
    bool is_released = false;
};

TEST(FakeHost, PlaysWhatTheTestPushes) {
    FakeHost host;
    const Context context(host.table(), host.context());
    const auto before = FakeHost::live_buffers();
    const auto viewer = std::make_shared<Viewer>();
    td_stream_info info = stream_info("cam1", "test");
    const std::array<std::uint32_t, 1> codecs{TD_CODEC_OPUS};
    info.codecs = codecs.data();
    info.codec_count = codecs.size();
    subscribe(context, info, viewer);
    FakeViewer* fake = host.streams.wait_viewer();
    ASSERT_NE(fake, nullptr);
    EXPECT_EQ(fake->facts.codecs, std::vector<std::uint32_t>{TD_CODEC_OPUS});
    host.drain();
    ASSERT_TRUE(viewer->subscription);
    const Track track(TD_AUDIO, TD_CODEC_OPUS, {1, 48000}, 3);
    const std::array<std::uint8_t, 3> payload{1, 2, 3};
    fake->push(track, payload, 960);
    fake->push(track, payload, 1920);
    host.drain();
    EXPECT_EQ(viewer->ready_count, 1);
    const auto batch = viewer->subscription.read();
    ASSERT_EQ(batch.size(), 2u);
    ASSERT_NE(batch[0]->changed, nullptr);
    EXPECT_EQ(batch[0]->changed->index, 3u);
    EXPECT_EQ(batch[0]->data[2], 3);
    EXPECT_EQ(batch[1]->changed, nullptr);
    EXPECT_EQ(batch[1]->pts, 1920);
    EXPECT_TRUE(viewer->subscription.read().empty());
    fake->push(track, payload, 2880);
    viewer->subscription.request_key(7);
    EXPECT_EQ(fake->keys_wanted(), std::vector<std::uint32_t>{7});
    fake->end("Stopped by publisher stop");
    host.drain();
    EXPECT_EQ(viewer->ready_count, 2);
    EXPECT_EQ(viewer->told, "Stopped by publisher stop");
    EXPECT_FALSE(viewer->is_released);
    viewer->subscription.close();
    host.drain();
    EXPECT_TRUE(fake->is_closed());
    EXPECT_TRUE(viewer->is_released);
    EXPECT_EQ(FakeHost::live_buffers(), before);
    EXPECT_FALSE(is_published(context, "cam1"));
}

TEST(FakeHost, RefusesViewers) {
    FakeHost host;
    host.streams.refuse([](std::int32_t action, const StreamFacts&) -> std::optional<Refusal> {
        if (action == TD_PLAY) return Refusal{TD_NOT_FOUND, "Stream not found"};
        return std::nullopt;
    });
    const auto viewer = std::make_shared<Viewer>();
    subscribe(Context(host.table(), host.context()), stream_info("cam1", "test"), viewer);
    host.drain();
    EXPECT_EQ(viewer->told, "Stream not found");
    EXPECT_TRUE(viewer->is_released);
}

TEST(FakeHost, ReleasesEverybodyAtItsEnd) {
    Publisher publisher;
    {
        FakeHost host;
        publisher.publish(host, "cam1");
    }
    EXPECT_EQ(publisher.released, 1);
}

TEST(FakeHost, CallsRoutes) {
    FakeHost host;
    const auto* http = static_cast<const td_http*>(host.table()->service(host.context(), to_text(TD_HTTP)));
    const auto echo = [](void*, const td_http_request* request, td_http_exchange* exchange) {
        const td_attribute place{to_text("Location"), request->path};
        const td_http_answer answer{sizeof(td_http_answer), 201, to_text("text/plain"), request->body, &place, 1};
        FakeHttp::respond(exchange, &answer);
    };
    td_error error{};
    EXPECT_EQ(http->route(host.context(), to_text("POST"), to_text("/x"), echo, nullptr, &error), TD_OK);
    EXPECT_EQ(http->route(host.context(), to_text("POST"), to_text("/x"), echo, nullptr, &error), TD_EXISTS);
    const auto answer = host.http.call("POST", "/x", "body");
    EXPECT_EQ(answer.status, 201);
    EXPECT_EQ(answer.body, "body");
    EXPECT_EQ(answer.headers.at("Location"), "/x");
    EXPECT_EQ(http->route(host.context(), to_text("DELETE"), to_text("/x/*"), echo, nullptr, &error), TD_OK);
    EXPECT_EQ(host.http.call("DELETE", "/x/1").headers.at("Location"), "/x/1");
    EXPECT_THROW(host.http.call("GET", "/x"), std::runtime_error);
    EXPECT_EQ(host.http.routes().size(), 2u);
}

TEST(FakeHost, CarriesWebSocketsThroughTheCxxLayer) {
    struct Echo : WebSocketClient {
        explicit Echo(WebSocket given) : socket(std::move(given)) {}
        void message(std::string_view text) override {
            if (text == "bye") return socket.hang_up(TD_WEBSOCKET_POLICY, "bye");
            socket.send(std::string("echo ").append(text));
        }
        void closed(std::string_view) override { socket.send("nobody hears this"); }
        WebSocket socket;
    };
    FakeHost host;
    Http http(Context(host.table(), host.context()));
    http.websocket("/*", [](const HttpRequest& request, WebSocket socket) -> std::unique_ptr<WebSocketClient> {
        if (request.header("origin") == "http://evil.example") throw Error(TD_DENIED, "not from there");
        return std::make_unique<Echo>(std::move(socket));
    });
    EXPECT_THROW(http.websocket("/*", {}), Error);
    EXPECT_THROW(host.http.connect("/*", {{"origin", "http://evil.example"}}), std::runtime_error);
    const auto socket = host.http.connect("/*");
    host.http.say(socket, "hi");
    EXPECT_EQ(socket->receive(), "echo hi");
    host.http.say(socket, "bye");
    EXPECT_EQ(socket->hung_up(), TD_WEBSOCKET_POLICY);
    host.http.close(socket);
}

TEST(FakeHost, AnswersRequestsThroughTheCxxLayer) {
    FakeHost host;
    Http http(Context(host.table(), host.context()));
    http.route("POST", "/whip/*", [](const HttpRequest& request, HttpExchange exchange) {
        if (request.header("authorization") != "Bearer t") throw Error(TD_DENIED, "a token is wanted");
        exchange.respond(201, "application/sdp", "answer", {{"Location", "/whip/1"}});
    });
    EXPECT_EQ(host.http.call("POST", "/whip/cam").status, 500) << "an exchange that is thrown away is answered";
    const auto answer = host.http.call("POST", "/whip/cam", "offer", {}, {{"authorization", "Bearer t"}});
    EXPECT_EQ(answer.status, 201);
    EXPECT_EQ(answer.headers.at("Location"), "/whip/1");
}

}  // namespace
}  // namespace tapedeck::testkit
