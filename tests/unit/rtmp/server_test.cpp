#include "rtmp/server.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "client.hpp"
#include "testkit/fake_host.hpp"

namespace tapedeck::rtmp {
namespace {

using amf::Null;
using testkit::FakeStream;
using testkit::Refusal;
using testkit::StreamFacts;

const auto aac_config = hex("af 00 1210");

class ServerTest : public testing::Test {
protected:
    ServerTest() {
        host.settings.set("port", "0");
        host.settings.set("address", "127.0.0.1");
        host.settings.set("read_interval", "10ms");
        host.settings.set("publish_sdp", "");
    }
    ~ServerTest() override {
        if (server) server->stop();
        host.streams.release_all();
        host.drain();
        server.reset();
        EXPECT_EQ(testkit::FakeHost::live_buffers(), buffers_);
    }
    void start() { server = std::make_unique<Server>(Context(host.table(), host.context())); }
    std::uint16_t port() const { return host.port("rtmp"); }
    /// The first stream, once it has this many packets.
    FakeStream* stream_with(std::size_t packets) {
        auto* stream = host.streams.wait();
        EXPECT_TRUE(stream->wait([&] { return stream->packet_count() >= packets; }));
        return stream;
    }
    static bool wait_for_end(FakeStream& stream) {
        return stream.wait([&] { return stream.closed().has_value(); });
    }

    long buffers_ = testkit::FakeHost::live_buffers();
    testkit::FakeHost host{all_keys};
    std::unique_ptr<Server> server;
};

TEST_F(ServerTest, TurnsAPublisherIntoAStream) {
    start();
    Client client(port());
    ASSERT_TRUE(client.publish("cam"));
    client.message(MessageType::audio, 0, aac_config);
    for (std::uint32_t i = 0; i < 5; ++i) client.message(MessageType::audio, i * 23, hex("af 01 2110"));
    auto* stream = stream_with(5);
    ASSERT_EQ(stream->tracks().size(), 1u);
    EXPECT_EQ(stream->tracks()[0].track.codec, TD_CODEC_AAC);
    EXPECT_EQ(stream->packets()[4].packet.pts, 92);
    EXPECT_EQ(stream->packets()[4].data, hex("2110"));
    EXPECT_EQ(stream->facts.name, "cam");
    EXPECT_EQ(stream->facts.protocol, "rtmp");
    client.command({"deleteStream", 4.0, Null{}, 1.0});
    EXPECT_TRUE(wait_for_end(*stream));
    EXPECT_EQ(stream->closed(), "the client ended it");
}

TEST_F(ServerTest, TellsTheHostWhoPublishes) {
    start();
    Client client(port());
    ASSERT_TRUE(client.publish("cam?token=t&user=me&pass=secret&x=1", "live/room?user=app"));
    const auto& facts = host.streams.wait()->facts;
    EXPECT_EQ(facts.name, "cam");
    EXPECT_EQ(facts.application, "live/room");
    EXPECT_EQ(facts.login, "me");
    EXPECT_EQ(facts.attributes.at("token"), "t");
    EXPECT_EQ(facts.attributes.at("password"), "secret");
    EXPECT_EQ(facts.attributes.at("x"), "1");
    EXPECT_EQ(facts.attributes.at("agent"), "test");
    const auto local = client.stream().local_endpoint();
    EXPECT_EQ(facts.remote, "127.0.0.1:" + std::to_string(local.port()));
    EXPECT_NE(facts.session, "");
    EXPECT_EQ(facts.record, std::uint32_t{TD_RECORD_BY_RULES});
    const auto admissions = host.streams.admissions();
    ASSERT_EQ(admissions.size(), 1u);
    EXPECT_EQ(admissions[0].first, TD_CONNECT);
    EXPECT_EQ(admissions[0].second.login, "app");
}

TEST_F(ServerTest, AsksForARecordingWhenTheSettingSaysSo) {
    host.settings.set("record", "true");
    start();
    Client client(port());
    ASSERT_TRUE(client.publish());
    EXPECT_EQ(host.streams.wait()->facts.record, std::uint32_t{TD_RECORD_YES});
}

TEST_F(ServerTest, EndsTheStreamWhenTheConnectionBreaks) {
    start();
    for (const bool abruptly : {false, true}) {
        Client client(port());
        ASSERT_TRUE(client.publish());
        auto* stream = host.streams.wait(abruptly ? 1 : 0);
        if (abruptly) client.stream().set_option(boost::asio::socket_base::linger(true, 0));  // a reset
        client.stream().close();
        EXPECT_TRUE(wait_for_end(*stream));
    }
}

TEST_F(ServerTest, KeepsMediaThatComesBeforeTheHostAgreed) {
    start();
    Client client(port());
    client.handshake();
    client.connect();
    client.ask_to_publish("cam");
    client.message(MessageType::audio, 0, aac_config);
    client.message(MessageType::audio, 5, hex("af 01 2110"));
    EXPECT_EQ(stream_with(1)->packets()[0].packet.pts, 5);
}

TEST_F(ServerTest, RejectsAClientThatMayNotConnect) {
    host.streams.refuse([](std::int32_t action, const StreamFacts&) -> std::optional<Refusal> {
        if (action != TD_CONNECT) return std::nullopt;
        return Refusal{TD_DENIED, "no entry for application live"};
    });
    start();
    Client client(port());
    client.handshake();
    client.connect();
    EXPECT_EQ(client.wait_for("NetConnection.Connect.Rejected"), "no entry for application live");
    EXPECT_TRUE(client.is_closed());
}

TEST_F(ServerTest, RefusesAStreamThatMayNotBePublished) {
    host.streams.refuse([](std::int32_t action, const StreamFacts&) -> std::optional<Refusal> {
        if (action != TD_PUBLISH) return std::nullopt;
        return Refusal{TD_DENIED, "a token is needed"};
    });
    start();
    Client client(port());
    client.handshake();
    client.connect();
    client.ask_to_publish("cam");
    EXPECT_EQ(client.wait_for("NetStream.Publish.BadName"), "a token is needed");
    EXPECT_TRUE(client.is_closed());
}

/// A host in which one stream at a time has a name.
void let_one_publish(testkit::FakeHost& host) {
    host.streams.refuse([&host](std::int32_t action, const StreamFacts& facts) -> std::optional<Refusal> {
        if (action != TD_PUBLISH) return std::nullopt;
        for (const auto* other : host.streams.all()) {
            if (other->facts.name == facts.name && other->packet_count() > 0 && !other->closed())
                return Refusal{TD_EXISTS, "Stream name is already in use"};
        }
        return std::nullopt;
    });
}

TEST_F(ServerTest, RefusesANameInUse) {
    let_one_publish(host);
    start();
    Client first(port());
    ASSERT_TRUE(first.publish());
    first.message(MessageType::audio, 0, hex("2f aa"));
    stream_with(1);
    Client second(port());
    second.handshake();
    second.connect();
    second.ask_to_publish("cam");
    EXPECT_EQ(second.wait_for("NetStream.Publish.BadName"), "Stream name is already in use");
    first.message(MessageType::audio, 0, hex("2f bb"));
    EXPECT_EQ(stream_with(2)->closed(), std::nullopt) << "the first goes on";
}

TEST_F(ServerTest, ReplacesAPublisherThatIsSilentForTooLong) {
    host.settings.set("replace_after", "1us");
    let_one_publish(host);
    start();
    Client first(port());
    ASSERT_TRUE(first.publish());
    first.message(MessageType::audio, 0, hex("2f aa"));
    auto* replaced = stream_with(1);
    Client second(port());
    ASSERT_TRUE(second.publish());
    EXPECT_TRUE(wait_for_end(*replaced));
    EXPECT_NE(replaced->closed()->find("replaced by 127.0.0.1:"), std::string::npos);
    EXPECT_TRUE(first.is_closed());
}

TEST_F(ServerTest, TellsAKickedPublisherWhyAndClosesItsStream) {
    start();
    Client client(port());
    ASSERT_TRUE(client.publish());
    auto* stream = host.streams.wait();
    stream->kick("terminated over REST");
    EXPECT_EQ(client.wait_for("NetConnection.Connect.Closed"), "terminated over REST");
    EXPECT_TRUE(client.is_closed());
    EXPECT_TRUE(wait_for_end(*stream));
    EXPECT_EQ(stream->closed(), "terminated over REST");
}

TEST_F(ServerTest, ReadsAtOnceWhenSomebodyWantsLessDelayAndBack) {
    host.settings.set("read_interval", "400ms");
    start();
    Client client(port());
    ASSERT_TRUE(client.publish());
    client.message(MessageType::audio, 0, hex("2f 00"));
    auto* stream = stream_with(1);
    for (std::size_t i = 1; i <= 6; ++i) {
        stream->demand(i % 2 == 0 ? TD_RECORD_DELAY_US : 0);
        client.message(MessageType::audio, static_cast<std::uint32_t>(i), hex("2f 01"));
        stream_with(i + 1);
    }
}

TEST_F(ServerTest, ReadsAsBytesComeWithoutAnInterval) {
    host.settings.set("read_interval", "0");
    start();
    Client client(port());
    ASSERT_TRUE(client.publish());
    client.message(MessageType::audio, 0, hex("2f 00"));
    stream_with(1);
}

TEST_F(ServerTest, TakesAnUnpacedStreamWithoutLosingAByte) {
    for (const auto* interval : {"200ms", "0"}) {
        host.settings.set("read_interval", interval);
        start();
        Client client(port());
        ASSERT_TRUE(client.publish());
        client.grow_chunks(4096);
        Bytes all;
        constexpr std::uint32_t count = 400;
        for (std::uint32_t i = 0; i < count; ++i) {
            const auto payload = counting(i * 97 % 30000, static_cast<std::uint8_t>(i));
            const auto message = client.wire(MessageType::video, i, join({{0x12}, payload}));
            all.insert(all.end(), message.begin(), message.end());
        }
        client.send(all);
        client.command({"deleteStream", 4.0, Null{}, 1.0});
        auto* stream = host.streams.all().back();
        ASSERT_TRUE(wait_for_end(*stream));
        std::uint32_t i = 0;
        for (const auto& packet : stream->packets()) {
            while (i * 97 % 30000 == 0) ++i;  // a frame without payload is none
            ASSERT_EQ(packet.packet.pts, i);
            ASSERT_EQ(packet.data, counting(i * 97 % 30000, static_cast<std::uint8_t>(i))) << i;
            ++i;
        }
        EXPECT_EQ(i, count);
        server->stop();
    }
}

TEST_F(ServerTest, GoesOnAfterThePauseThatTheHostAskedFor) {
    for (const auto* interval : {"10ms", "0"}) {
        host.settings.set("read_interval", interval);
        start();
        Client client(port());
        ASSERT_TRUE(client.publish());
        auto* stream = host.streams.all().back();
        stream->answer(TD_AGAIN);
        client.message(MessageType::audio, 0, hex("2f 00"));
        EXPECT_TRUE(stream->wait([&] { return stream->packet_count() == 1; }));
        client.message(MessageType::audio, 1, hex("2f 01"));
        const auto asked = stream->batch_count();
        EXPECT_TRUE(stream->wait([&] { return stream->batch_count() >= asked + 3; })) << "it asks again and again";
        EXPECT_EQ(stream->packet_count(), 1u) << "and reads nothing meanwhile";
        stream->answer(TD_OK);
        EXPECT_TRUE(stream->wait([&] { return stream->packet_count() == 2; }));
        server->stop();
    }
}

TEST_F(ServerTest, ShowsMetadata) {
    start();
    Client client(port());
    ASSERT_TRUE(client.publish());
    Bytes payload, bytes;
    for (const amf::Value& value : {amf::Value("@setDataFrame"), amf::Value("onMetaData"),
                                    amf::Value(amf::Object().set("title", "Ten to eight").set("width", 1280.0))})
        amf::write(payload, value);
    write_message(bytes, 5, MessageType::data_amf0, 1, payload, 128);
    client.send(bytes);
    auto* stream = host.streams.wait();
    EXPECT_TRUE(stream->wait([&] { return stream->shown().contains("title"); }));
    EXPECT_EQ(stream->shown().at("title"), "Ten to eight");
}

TEST_F(ServerTest, ClosesConnectionsThatBreakTheRulesAndNoOthers) {
    start();
    Client good(port());
    ASSERT_TRUE(good.publish());
    Client http(port());
    http.send({'G', 'E', 'T', ' '});
    EXPECT_TRUE(http.is_closed());
    Client broken(port());
    ASSERT_TRUE(broken.publish("broken"));
    broken.send({0xd0});  // continues a message that never began
    EXPECT_TRUE(broken.is_closed());
    EXPECT_TRUE(wait_for_end(*host.streams.wait(1)));
    EXPECT_EQ(host.logged("chunk stream 16", TD_LOG_WARNING), 1u);
    good.message(MessageType::audio, 0, hex("2f 00"));
    stream_with(1);
}

TEST_F(ServerTest, ClosesAConnectionThatDoesNotConnectInTime) {
    host.settings.set("handshake_timeout", "100ms");
    start();
    Client client(port());
    client.handshake();
    EXPECT_TRUE(client.is_closed());
}

TEST_F(ServerTest, AsksASilentClientForASignOfLifeAndThenCloses) {
    host.settings.set("idle_timeout", "1s");
    start();
    Client client(port());
    ASSERT_TRUE(client.publish());
    EXPECT_TRUE(client.is_closed());
    EXPECT_TRUE(wait_for_end(*host.streams.wait()));
    EXPECT_NE(host.streams.wait()->closed()->find("idle_timeout"), std::string::npos);
}

TEST_F(ServerTest, TurnsAwayConnectionsBeyondTheLimit) {
    host.settings.set("max_connections", "1");
    start();
    Client first(port());
    ASSERT_TRUE(first.publish());
    Client second(port());
    EXPECT_TRUE(second.is_closed());
    EXPECT_TRUE(host.wait_for_log("max_connections"));
    EXPECT_EQ(testkit::FakeHost::metric("tapedeck_rtmp_connections"), 1);
}

TEST_F(ServerTest, EndsAllStreamsWhenItStops) {
    start();
    Client client(port());
    ASSERT_TRUE(client.publish());
    client.message(MessageType::audio, 0, hex("2f 00"));
    auto* stream = stream_with(1);
    server->stop();
    EXPECT_EQ(stream->closed(), "the server stops");
    EXPECT_TRUE(client.is_closed());
}

TEST_F(ServerTest, SaysWhichPortCannotBeHad) {
    start();
    const auto taken = std::to_string(port());
    testkit::FakeHost other{all_keys};
    other.settings.set("port", taken);
    other.settings.set("address", "127.0.0.1");
    other.settings.set("publish_sdp", "");
    try {
        Server second{Context(other.table(), other.context())};
        ADD_FAILURE() << "the port was had twice";
    } catch (const Error& e) {
        for (const auto& part :
             {std::string("127.0.0.1"), taken, std::string("protocol.rtmp.port"), std::string("in use")})
            EXPECT_NE(std::string(e.what()).find(part), std::string::npos) << e.what();
    }
    other.settings.set("address", "localhost");
    EXPECT_THROW(Server{Context(other.table(), other.context())}, Error);
}

TEST_F(ServerTest, ReadsNewSettingsForNewConnections) {
    start();
    host.settings.set("record", "true");
    server->reload();
    Client client(port());
    ASSERT_TRUE(client.publish());
    EXPECT_EQ(host.streams.wait()->facts.record, std::uint32_t{TD_RECORD_YES});
    host.settings.set("certificate", "/nonexistent.pem");
    EXPECT_THROW(server->reload(), Error);
}

TEST_F(ServerTest, ServesManyPublishersFromSeveralThreads) {
    host.settings.set("threads", "3");
    start();
    std::vector<std::unique_ptr<Client<>>> clients;
    for (int i = 0; i < 12; ++i) {
        clients.push_back(std::make_unique<Client<>>(port()));
        ASSERT_TRUE(clients.back()->publish(("cam" + std::to_string(i)).c_str()));
    }
    for (std::uint32_t round = 0; round < 20; ++round)
        for (const auto& client : clients) client->message(MessageType::audio, round, hex("2f 00"));
    for (auto* stream : host.streams.all()) EXPECT_TRUE(stream->wait([&] { return stream->packet_count() == 20; }));
}

}  // namespace
}  // namespace tapedeck::rtmp
