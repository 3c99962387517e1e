// Clients of the WebSDK over the host's WebSockets, and REST over them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <set>

#include "fake_sessions.hpp"
#include "tapedeck/stream.hpp"
#include "testkit/fake_host.hpp"
#include "webrtc/signalling/connections.hpp"

namespace tapedeck::webrtc {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;
using testkit::StreamFacts;
namespace json = boost::json;
using Socket = std::shared_ptr<testkit::FakeWebSocket>;

class ConnectionTest : public ::testing::Test {
protected:
    ConnectionTest() { connections_.serve(http_); }
    ~ConnectionTest() override {
        while (!sockets_.empty()) close(*sockets_.begin());
    }

    /// The fake knows paths only as they were registered; the host sends every path to this one.
    /// The fake knows paths only as they are registered; the host sends every path to this one.
    Socket connect() { return *sockets_.insert(host_.http.connect("/*")).first; }
    void close(const Socket& socket) {
        host_.http.close(socket);
        sockets_.erase(socket);
    }
    void say(const Socket& socket, std::string_view name, json::object argument = {}) {
        host_.http.say(socket, json::serialize(json::object{{"message", json::string_view(name.data(), name.size())},
                                                            {"data", json::array{std::move(argument)}}}));
    }
    /// The next message, which must be of this name; its first argument.
    static json::value hear(const Socket& socket, std::string_view name) {
        const auto frame = json::parse(socket->receive()).as_object();
        EXPECT_EQ(std::string(frame.at("message").as_string()), name) << json::serialize(frame);
        return frame.at("data").as_array().at(0);
    }
    static json::object hear_status(const Socket& socket, std::string_view status) {
        auto event = hear(socket, "notifyStreamStatusEvent").as_object();
        EXPECT_EQ(std::string(event.at("status").as_string()), status) << json::serialize(event);
        return event;
    }
    /// Nothing was sent: what comes next is the answer to a ping.
    void hear_nothing(const Socket& socket) {
        say(socket, "ping");
        hear(socket, "pong");
    }
    Socket established(json::object connection = {}) {
        auto socket = connect();
        say(socket, "connection", std::move(connection));
        hear(socket, "getUserData");
        return socket;
    }
    static json::object stream(std::string_view id, std::string_view name = "cam", bool record = false) {
        return {{"mediaSessionId", json::string_view(id.data(), id.size())},
                {"name", json::string_view(name.data(), name.size())},
                {"hasVideo", true},
                {"record", record},
                {"sdp", "v=0 offer"}};
    }
    /// The session that these words open.
    const FakeSessions::Opened& open(const Socket& socket, std::string_view name, json::object argument) {
        const auto number = sessions_.count();
        say(socket, name, std::move(argument));
        host_.drain();
        return sessions_.at(number);
    }
    testkit::HttpAnswer rest(const std::string& call, const std::string& body = "", const char* method = "POST") {
        return host_.http.call(method, "/rest-api/connection/" + call, body);
    }
    void tick(std::chrono::milliseconds at) { connections_.tick(Connection::Time(at)); }
    static std::string text(const json::object& from, const char* name) {
        const auto* found = from.if_contains(name);
        return found == nullptr ? "(none)" : std::string(found->as_string());
    }

    testkit::FakeHost host_{signalling_keys};
    FakeSessions sessions_;
    Http http_{Context(host_.table(), host_.context())};
    Connections connections_{Context(host_.table(), host_.context()), sessions_};
    std::set<Socket> sockets_;
};

TEST_F(ConnectionTest, IsEstablishedOnceItIsAdmitted) {
    const auto socket = connect();
    say(socket, "connection", {{"appKey", "app"}, {"custom", {{"login", "ann"}, {"token", "t"}}}});
    const auto data = hear(socket, "getUserData").as_object();
    EXPECT_EQ(text(data, "status"), "ESTABLISHED");
    EXPECT_EQ(text(data, "authToken").size(), 36U);

    const auto asked = host_.streams.admissions();
    ASSERT_EQ(asked.size(), 1U);
    const auto& [action, facts] = asked[0];
    EXPECT_EQ(action, TD_CONNECT);
    EXPECT_EQ(facts.protocol, "webrtc");
    EXPECT_EQ(facts.application, "app");
    EXPECT_EQ(facts.login, "ann");
    EXPECT_EQ(facts.session, text(data, "sessionId"));
    EXPECT_EQ(facts.remote, "127.0.0.1");
    EXPECT_EQ(facts.attributes.at("token"), "t");

    say(socket, "connection", {{"appKey", "other"}});
    hear_nothing(socket);
    EXPECT_EQ(host_.streams.admissions().size(), 1U) << "one connection for each socket";
}

TEST_F(ConnectionTest, IsToldWhyItIsRefusedAndClosed) {
    host_.streams.refuse([](auto, const StreamFacts&) { return testkit::Refusal{TD_DENIED, "not today"}; });
    const auto socket = connect();
    say(socket, "connection", {{"appKey", "app\n"}});
    const auto failure = hear(socket, "fail").as_object();
    EXPECT_EQ(text(failure, "apiMethod"), "ConnectionStatusEvent");
    EXPECT_EQ(text(failure, "status"), "FAILED");
    EXPECT_EQ(text(failure, "info"), "not today");
    EXPECT_EQ(socket->hung_up(), TD_WEBSOCKET_POLICY);
    EXPECT_EQ(host_.logged(R"(may not connect to "app\n": not today)"), 1U);
    EXPECT_EQ(rest("find_all").status, 404);
}

TEST_F(ConnectionTest, NothingIsOpenedBeforeItIsEstablished) {
    const auto socket = connect();
    say(socket, "publishStream", stream("a"));
    say(socket, "sendData", {{"operationId", "o"}});
    say(socket, "availableStream", {{"mediaSessionId", "a"}, {"name", "cam"}});
    hear_nothing(socket);
    EXPECT_EQ(sessions_.count(), 0U);
}

TEST_F(ConnectionTest, PublishesFromTheOfferToTheNameOfTheFile) {
    const auto socket = established({{"appKey", "app"}, {"custom", {{"login", "ann"}, {"token", "t"}, {"k", "1"}}}});
    auto wanted = stream("a-1", "cam", true);
    wanted["custom"] = json::object{{"k", "2"}};
    const auto& [request, events] = open(socket, "publishStream", wanted);
    EXPECT_TRUE(request.publishes);
    EXPECT_EQ(request.media_session, "a-1");
    EXPECT_EQ(request.name, "cam");
    EXPECT_EQ(request.offer, "v=0 offer");
    EXPECT_EQ(request.login, "ann");
    EXPECT_EQ(request.application, "app");
    EXPECT_EQ(request.remote, "127.0.0.1");
    EXPECT_EQ(request.session, host_.streams.admissions()[0].second.session);
    EXPECT_EQ(request.record, TD_RECORD_YES);
    EXPECT_THAT(request.attributes,
                ElementsAre(Pair("k", "2"), Pair("login", "ann"), Pair("token", "t"), Pair("k", "1")))
        << "the stream's own come first";

    events->answered("v=0 answer");
    const auto answer = json::parse(socket->receive()).as_object();
    EXPECT_EQ(answer, (json::object{{"message", "setRemoteSDP"}, {"data", {"a-1", "v=0 answer"}}}));
    events->started();
    const auto publishing = hear_status(socket, "PUBLISHING");
    EXPECT_EQ(text(publishing, "mediaSessionId"), "a-1");
    EXPECT_EQ(text(publishing, "name"), "cam");
    EXPECT_TRUE(publishing.at("record").as_bool());
    EXPECT_FALSE(publishing.contains("recordName"));

    say(socket, "unPublishStream", {{"mediaSessionId", "a-1"}, {"record", false}});
    say(socket, "unPublishStream", {{"mediaSessionId", "a-1"}});
    hear_nothing(socket);
    EXPECT_THAT(sessions_.closed(), ElementsAre(Pair("a-1", "Stopped by user"))) << "once";
    events->ended(false, "Stopped by user", "stream-a-1.webm");
    const auto end = hear_status(socket, "UNPUBLISHED");
    EXPECT_EQ(text(end, "info"), "Stopped by user");
    EXPECT_EQ(text(end, "recordName"), "stream-a-1.webm");
    hear_nothing(socket);
}

TEST_F(ConnectionTest, RecordsOnlyWhereTheClientAsks) {
    const auto socket = established();
    const auto& [request, events] = open(socket, "publishStream", stream("a", "cam", false));
    EXPECT_EQ(request.record, TD_RECORD_NO);
    events->ended(false, "Stopped by rest /terminate", "");
    const auto end = hear_status(socket, "UNPUBLISHED");
    EXPECT_EQ(text(end, "info"), "Stopped by rest /terminate");
    EXPECT_FALSE(end.contains("recordName"));
}

TEST_F(ConnectionTest, PlaysUntilThePublisherStops) {
    const auto socket = established();
    const auto& [request, events] = open(socket, "playStream", stream("p", "cam", true));
    EXPECT_FALSE(request.publishes);
    EXPECT_EQ(request.record, TD_RECORD_BY_RULES);
    events->answered("v=0 answer");
    hear(socket, "setRemoteSDP");
    events->started();
    EXPECT_FALSE(hear_status(socket, "PLAYING").at("published").as_bool());
    events->ended(false, "Stopped by publisher stop", "");
    EXPECT_EQ(text(hear_status(socket, "STOPPED"), "info"), "Stopped by publisher stop");
    say(socket, "stopStream", {{"mediaSessionId", "p"}});
    hear_nothing(socket);
    EXPECT_THAT(sessions_.closed(), IsEmpty()) << "it is over already";
}

TEST_F(ConnectionTest, FailuresKeepTheirWording) {
    const auto socket = established();
    open(socket, "publishStream", stream("a")).events->ended(true, "Stream name is already in use", "");
    EXPECT_EQ(text(hear_status(socket, "FAILED"), "info"), "Stream name is already in use");
    open(socket, "publishStream", stream("b", "cam", true)).events->ended(true, "Failed by RTP activity", "b.mp4");
    const auto lost = hear_status(socket, "FAILED");
    EXPECT_EQ(text(lost, "info"), "Failed by RTP activity");
    EXPECT_EQ(text(lost, "recordName"), "b.mp4");
}

TEST_F(ConnectionTest, ARequestThatIsNotWholeFailsAtOnce) {
    const auto socket = established();
    for (const auto* member : {"name", "sdp"}) {
        auto wanted = stream("a");
        wanted.erase(member);
        say(socket, "publishStream", wanted);
        EXPECT_EQ(text(hear_status(socket, "FAILED"), "info"), "Failed by error");
    }
    auto nameless = stream("a");
    nameless.erase("mediaSessionId");
    say(socket, "playStream", nameless);
    hear_nothing(socket);
    EXPECT_EQ(sessions_.count(), 0U);
}

TEST_F(ConnectionTest, AMediaSessionIsUsedOnceAtATime) {
    const auto first = established(), second = established();
    const auto events = open(first, "publishStream", stream("a")).events;
    for (const auto& socket : {first, second}) {
        say(socket, "playStream", stream("a"));
        EXPECT_EQ(text(hear_status(socket, "FAILED"), "info"), "MediaSessionId is already in use");
    }
    EXPECT_EQ(sessions_.count(), 1U);
    events->ended(false, "Stopped by user", "");
    hear_status(first, "UNPUBLISHED");
    EXPECT_EQ(open(second, "playStream", stream("a")).request.media_session, "a");
}

TEST_F(ConnectionTest, AStopThatLooksLikeAFailureIsAStop) {
    const auto socket = established();
    const auto& events = open(socket, "publishStream", stream("a", "cam", true)).events;
    say(socket, "unPublishStream", {{"mediaSessionId", "a"}});
    host_.drain();
    events->answered("late");
    events->started();
    events->ended(true, "Failed by DTLS error", "a.webm");
    const auto end = hear_status(socket, "UNPUBLISHED");
    EXPECT_EQ(text(end, "info"), "Stopped by user");
    EXPECT_EQ(text(end, "recordName"), "a.webm");
}

TEST_F(ConnectionTest, AClosedSocketEndsAllItsSessions) {
    const auto socket = established(), other = established();
    const auto events = open(socket, "publishStream", stream("a")).events;
    open(socket, "playStream", stream("b"));
    open(socket, "playStream", stream("c"));
    open(other, "playStream", stream("d"));
    say(socket, "stopStream", {{"mediaSessionId", "c"}});
    close(socket);
    EXPECT_THAT(sessions_.closed(),
                UnorderedElementsAre(Pair("a", "Stopped by session disconnect"),
                                     Pair("b", "Stopped by session disconnect"), Pair("c", "Stopped by user")));
    say(other, "publishStream", stream("a"));
    EXPECT_EQ(text(hear_status(other, "FAILED"), "info"), "MediaSessionId is already in use") << "until its end";
    events->ended(false, "Stopped by session disconnect", "a.webm");
    EXPECT_EQ(open(other, "publishStream", stream("a")).request.media_session, "a");
}

TEST_F(ConnectionTest, ASocketThatClosesBeforeItsAdmissionIsForgotten) {
    const auto socket = connect();
    say(socket, "connection");
    close(socket);
    host_.drain();
    EXPECT_EQ(rest("find_all").status, 404);
}

TEST_F(ConnectionTest, TellsWhetherAStreamIsThere) {
    const auto socket = established();
    const Context context(host_.table(), host_.context());
    const auto sink = publish(context, "cam", "test");
    sink.track(Track(TD_AUDIO, TD_CODEC_PCMA, {1, 8000}));
    const std::vector<std::uint8_t> sound(160);
    sink.packet(OwnedPacket(context, 0, sound, 0).packet);
    for (const auto& [name, status] : {std::pair{"cam", "true"}, {"dog", "false"}}) {
        say(socket, "availableStream", {{"mediaSessionId", "x"}, {"name", name}});
        const auto answer = hear(socket, "availableStream").as_object();
        EXPECT_EQ(text(answer, "id"), "x");
        EXPECT_EQ(text(answer, "status"), status) << "a text";
        EXPECT_EQ(text(answer, "info"), status == std::string("true") ? "(none)" : "Stream not found");
    }
    sink.close("done");
}

TEST_F(ConnectionTest, EventsOfAPublisherReachItsPlayers) {
    const auto publisher = established(), player = established(), other = established();
    open(publisher, "publishStream", stream("a", "cam"));
    const auto events = open(player, "playStream", stream("p", "cam")).events;
    open(other, "playStream", stream("q", "dog"));
    say(publisher, "sendStreamEvent", {{"mediaSessionId", "a"}, {"type", "audioMuted"}});
    EXPECT_EQ(hear(player, "notifyStreamEvent"),
              (json::object{{"mediaSessionId", "p"}, {"type", "audioMuted"}, {"payload", json::object()}}));
    say(publisher, "sendStreamEvent", {{"mediaSessionId", "a"}, {"type", "data"}, {"payload", {{"count", 23}}}});
    EXPECT_EQ(hear(player, "notifyStreamEvent"),
              (json::object{{"mediaSessionId", "p"}, {"type", "data"}, {"payload", {{"count", 23}}}}));

    say(publisher, "sendStreamEvent", {{"mediaSessionId", "a"}, {"type", "notEnoughBandwidth"}});
    say(player, "sendStreamEvent", {{"mediaSessionId", "p"}, {"type", "data"}});
    hear_nothing(publisher);
    events->ended(false, "Stopped by user", "");
    hear_status(player, "STOPPED");
    say(publisher, "sendStreamEvent", {{"mediaSessionId", "a"}, {"type", "data"}});
    hear_nothing(publisher);
    hear_nothing(player);
    hear_nothing(other);
}

TEST_F(ConnectionTest, SendDataIsAnsweredOnce) {
    const auto plain = established(), room = established({{"appKey", "roomApp"}});
    for (const auto& [socket, status] : {std::pair{plain, "ACCEPTED"}, {room, "FAILED"}}) {
        say(socket, "sendData", {{"operationId", "o-1"}, {"payload", {{"command", "join"}}}});
        const auto answer = hear(socket, "DataStatusEvent").as_object();
        EXPECT_EQ(text(answer, "operationId"), "o-1");
        EXPECT_EQ(text(answer, "status"), status);
        hear_nothing(socket);
    }
}

TEST_F(ConnectionTest, WhatIsNotKnownIsIgnored) {
    const auto socket = established();
    for (const auto* frame : {"", "not JSON", "[]", R"({"data":[null]})", R"({"message":"pushLogs","data":[{}]})",
                              R"({"message":"snapshot","data":[{"name":"cam"}]})", R"({"message":"connection"})"}) {
        host_.http.say(socket, frame);
    }
    hear_nothing(socket);
    EXPECT_EQ(host_.logged("", TD_LOG_ERROR), 0U);
}

TEST_F(ConnectionTest, IsPingedEachInterval) {
    const auto socket = established();
    tick(100s);
    tick(104'999ms);
    hear_nothing(socket);
    tick(105s);
    tick(105'100ms);
    EXPECT_TRUE(hear(socket, "ping").is_null());
    hear_nothing(socket);
    host_.settings.set("ping_interval", "2s");
    tick(107s);
    hear(socket, "ping");
}

TEST_F(ConnectionTest, IsGivenUpAfterTenPingsWithoutAWord) {
    const auto socket = established();
    open(socket, "publishStream", stream("a"));
    auto at = 0s;
    const auto ping = [&] { tick(at += 5s); };
    for (tick(at); at < 45s;) ping();
    say(socket, "pong");
    host_.drain();
    for (int i = 0; i < 10; ++i) ping();
    EXPECT_THAT(sessions_.closed(), IsEmpty());
    ping();
    EXPECT_EQ(socket->hung_up(), TD_WEBSOCKET_POLICY);
    EXPECT_THAT(sessions_.closed(), ElementsAre(Pair("a", "Stopped by session disconnect")));
    for (int i = 0; i < 19; ++i) hear(socket, "ping");
    EXPECT_THROW(socket->receive(0ms), std::runtime_error) << "the last turn is no ping";
    EXPECT_EQ(rest("find_all").status, 404);
}

TEST_F(ConnectionTest, WhoNeverConnectsIsGivenUpThoughItTalks) {
    const auto socket = connect();
    host_.settings.set("ping_limit", "2");
    for (auto at = 0s; at <= 15s; at += 5s) {
        tick(at);
        say(socket, "pong");
        host_.drain();
    }
    EXPECT_EQ(socket->hung_up(), TD_WEBSOCKET_POLICY);
}

TEST_F(ConnectionTest, RestShowsConnectionsWithoutCredentials) {
    EXPECT_EQ(rest("find_all").status, 404);
    established({{"appKey", "app"},
                 {"clientVersion", "2.0"},
                 {"mediaProviders", {"WebRTC", "MSE"}},
                 {"custom", {{"login", "ann"}, {"password", "secret"}, {"token", "secret"}}}});
    established();
    connect();
    const auto answer = rest("find", R"({"clientVersion":"2.0"})");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.content_type, "application/json;charset=UTF-8");
    auto list = json::parse(answer.body).as_array();
    ASSERT_EQ(list.size(), 1U);
    auto& shown = list[0].as_object();
    EXPECT_GT(shown.at("createDate").to_number<std::int64_t>(), 1'600'000'000'000);
    shown.erase("createDate");
    EXPECT_EQ(shown, (json::object{{"nodeId", ""},
                                   {"appKey", "app"},
                                   {"sessionId", host_.streams.admissions()[0].second.session},
                                   {"status", "ESTABLISHED"},
                                   {"login", "ann"},
                                   {"clientVersion", "2.0"},
                                   {"mediaProviders", {"WebRTC", "MSE"}},
                                   {"custom", {{"login", "ann"}}}}));
    EXPECT_EQ(json::parse(rest("find_all", "", "GET").body).as_array().size(), 2U) << "one did not connect yet";
    EXPECT_EQ(rest("find", R"({"appKey":"none"})").status, 404);
    EXPECT_EQ(rest("find", "{").status, 400);
}

TEST_F(ConnectionTest, RestEndsAConnection) {
    const auto socket = established();
    open(socket, "publishStream", stream("a"));
    EXPECT_EQ(rest("terminate").status, 400);
    EXPECT_EQ(rest("terminate", R"({"appKey":"defaultApp"})").status, 400);
    EXPECT_EQ(rest("terminate", R"({"sessionId":"none"})").status, 404);
    const auto session = host_.streams.admissions()[0].second.session;
    const auto body = json::serialize(json::object{{"sessionId", session}});
    EXPECT_EQ(rest("terminate", body).status, 200);
    EXPECT_EQ(socket->hung_up(), TD_WEBSOCKET_NORMAL);
    EXPECT_THAT(sessions_.closed(), ElementsAre(Pair("a", "Stopped by rest /terminate")));
    EXPECT_EQ(rest("terminate", body).status, 404);
}

TEST_F(ConnectionTest, CloseHangsUpAll) {
    const auto first = established(), second = connect();
    open(first, "playStream", stream("a"));
    connections_.close();
    first->hung_up();
    second->hung_up();
    EXPECT_THAT(sessions_.closed(), ElementsAre(Pair("a", "Stopped by session disconnect")));
}

}  // namespace
}  // namespace tapedeck::webrtc
