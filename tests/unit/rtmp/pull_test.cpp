#include "rtmp/pull.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "bytes.hpp"
#include "rtmp/chunk.hpp"
#include "rtmp/client_conversation.hpp"
#include "rtmp/server.hpp"
#include "testkit/fake_host.hpp"

namespace tapedeck::rtmp {
namespace {

using amf::Null;
using amf::Object;

Bytes written(const std::vector<amf::Value>& values) {
    Bytes payload;
    for (const auto& value : values) amf::write(payload, value);
    return payload;
}

Object code(const char* level, const char* code, const char* description = "") {
    return Object().set("level", level).set("code", code).set("description", description);
}

// ---- the conversation alone, with a scripted server

struct Heard : PlayEvents {
    void play_ended(const std::string& why) override { ends.push_back(why); }
    void metadata(const Object& values) override { data.push_back(values); }
    void play_goes_on(const Onward& where) override { onward.push_back(where); }
    std::vector<std::string> ends;
    std::vector<Object> data;
    std::vector<Onward> onward;
};

class ClientConversationTest : public testing::Test {
protected:
    void say(const std::vector<amf::Value>& what, MessageType type = MessageType::command_amf0) {
        client->message(type, 0, written(what));
    }
    /// Everything said since the last call: commands by name, the rest by type.
    std::vector<std::string> said() {
        Batch batch;
        reader.read(client->output(), batch);
        std::vector<std::string> names;
        for (const auto& message : batch.messages) {
            const auto payload = batch.gather(message);
            if (message.type != MessageType::command_amf0) {
                names.push_back("type " + std::to_string(static_cast<int>(message.type)));
                last = payload;
                continue;
            }
            values = amf::read_all(payload);
            names.emplace_back(values.at(0).text());
        }
        client->output().clear();
        return names;
    }
    void play() {
        client->begin();
        say({"_result", 1.0, Object(), code("status", "NetConnection.Connect.Success")});
        say({"_result", 2.0, Null{}, 7.0});
        said();
    }

    Heard heard;
    std::optional<ClientConversation> client{std::in_place, heard, PlayTarget{"live", "rtmp://h/live", "cam?token=1"}};
    ChunkReader reader{ChunkLimits{}};
    std::vector<amf::Value> values;
    Bytes last;
};

using State = ClientConversation::State;

TEST_F(ClientConversationTest, ConnectsMakesAStreamAndPlays) {
    client->begin();
    EXPECT_EQ(said(), std::vector<std::string>{"connect"});
    EXPECT_EQ(values[2].object()->find("app")->text(), "live");
    EXPECT_EQ(values[2].object()->find("tcUrl")->text(), "rtmp://h/live");
    say({"_result", 1.0, Object(), code("status", "NetConnection.Connect.Success")});
    EXPECT_EQ(said(), (std::vector<std::string>{"type 5", "createStream"}));
    say({"_result", 2.0, Null{}, 7.0});
    EXPECT_EQ(said(), (std::vector<std::string>{"type 4", "play"}));
    EXPECT_EQ(values[3].text(), "cam?token=1");
    EXPECT_EQ(last, hex("0003 00000007 000003e8"));
    say({"onStatus", 0.0, Null{}, code("status", "NetStream.Play.Reset")});
    EXPECT_EQ(client->state(), State::asking);
    say({"onStatus", 0.0, Null{}, code("status", "NetStream.Play.Start")});
    EXPECT_EQ(client->state(), State::playing);
    EXPECT_TRUE(heard.ends.empty());
}

TEST_F(ClientConversationTest, AcknowledgesAnswersPingsAndCallsOfTheServer) {
    play();
    client->received(5000);
    EXPECT_TRUE(said().empty()) << "nobody asked for acknowledgements";
    client->message(MessageType::window_size, 0, big_endian(1000, 4));
    client->received(5000);
    EXPECT_EQ(said(), std::vector<std::string>{"type 3"});
    EXPECT_EQ(last, big_endian(5000, 4));
    client->message(MessageType::user_control, 0, hex("0006 00000102"));
    said();
    EXPECT_EQ(last, hex("0007 00000102"));
    client->message(MessageType::peer_bandwidth, 0, hex("00002000 02"));
    client->message(MessageType::peer_bandwidth, 0, hex("00002000 02"));
    EXPECT_EQ(said(), std::vector<std::string>{"type 5"});
    say({"_onbwcheck", 9.0, Null{}});
    EXPECT_EQ(said(), std::vector<std::string>{"_result"});
    EXPECT_EQ(values[1].number(), 9);
    say({"onBWDone", 0.0, Null{}});
    EXPECT_TRUE(said().empty());
}

TEST_F(ClientConversationTest, TellsWhyTheServerRefuses) {
    client->begin();
    say({"_error", 1.0, Null{}, code("error", "NetConnection.Connect.Rejected", "no such app")});
    ASSERT_EQ(heard.ends.size(), 1u);
    EXPECT_EQ(heard.ends[0], "the server refuses a connection to 'live': NetConnection.Connect.Rejected (no such app)");
    say({"onStatus", 0.0, Null{}, code("error", "NetStream.Play.Failed")});
    EXPECT_EQ(heard.ends.size(), 1u) << "it is said once";
}

Object redirect(const char* to) {
    auto info = code("error", "NetConnection.Connect.Rejected", "moved");
    info.set("ex", Object().set("code", 302.0).set("redirect", to));
    return info;
}

TEST_F(ClientConversationTest, IsSentOnWhileItConnects) {
    client->begin();
    say({"_error", 1.0, Null{}, redirect("rtmp://b/live")});
    ASSERT_EQ(heard.onward.size(), 1u);
    EXPECT_EQ(heard.onward[0].address, "rtmp://b/live");
    EXPECT_EQ(client->state(), State::ended);

    client.emplace(heard, PlayTarget{"live", "rtmp://h/live", "cam"});
    client->begin();
    say({"onStatus", 0.0, Null{}, redirect("rtmp://c/live")});  // as SRS says it
    ASSERT_EQ(heard.onward.size(), 2u);
    EXPECT_TRUE(heard.ends.empty());

    client.emplace(heard, PlayTarget{"live", "rtmp://h/live", "cam"});
    play();
    say({"onStatus", 0.0, Null{}, redirect("rtmp://d/live")});
    EXPECT_EQ(heard.onward.size(), 2u) << "not from a stream";
    EXPECT_EQ(heard.ends.size(), 1u);
}

TEST_F(ClientConversationTest, AnswersAChallengeBehindItsApplication) {
    const auto refuse = [this](const char* description) {
        say({"_error", 1.0, Null{}, code("error", "NetConnection.Connect.Rejected", description)});
    };
    const AdobeLogin who{"me", "p@ss", "00112233"};
    client.emplace(heard, PlayTarget{"live", "rtmp://h/live", "cam", who, {}});
    client->begin();
    refuse("[ AccessManager.Reject ] : [ code=403 need auth; authmod=adobe ] : ");
    ASSERT_EQ(heard.onward.size(), 1u);
    EXPECT_EQ(heard.onward[0].login, "?authmod=adobe&user=me");
    EXPECT_EQ(heard.onward[0].address, "");

    reader = ChunkReader{ChunkLimits{}};
    client.emplace(heard, PlayTarget{"live", "rtmp://h/live", "cam", who, heard.onward[0].login});
    client->begin();
    said();
    EXPECT_EQ(values[2].object()->find("app")->text(), "live?authmod=adobe&user=me");
    EXPECT_EQ(values[2].object()->find("tcUrl")->text(), "rtmp://h/live?authmod=adobe&user=me");
    refuse("[ AccessManager.Reject ] : [ authmod=adobe ] : ?reason=authfailed&opaque=b3A=");
    EXPECT_EQ(heard.ends,
              std::vector<std::string>{"the server refuses a connection to 'live': wrong login or password"});
}

TEST_F(ClientConversationTest, HearsTheEndInWhateverWordsTheServerHas) {
    const auto status = [this](const char* level, const char* word) {
        return [=, this] { say({"onStatus", 0.0, Null{}, code(level, word)}); };
    };
    const std::vector<std::pair<std::function<void()>, std::string>> rows{
        {status("error", "NetStream.Play.StreamNotFound"), "the server says NetStream.Play.StreamNotFound"},
        {status("status", "NetStream.Play.UnpublishNotify"), "the server says NetStream.Play.UnpublishNotify"},
        {status("error", "Own.Word"), "the server says Own.Word"},
        {[this] { client->message(MessageType::user_control, 0, hex("0001 00000007")); },
         "the source has ended its stream"},
        {[this] {
             say({"onPlayStatus", code("status", "NetStream.Play.Complete")}, MessageType::data_amf0);
         },
         "the server says NetStream.Play.Complete"},
        {[this] {
             say({"close", 0.0, Null{}});
         },
         "the server closes the connection"}};
    for (const auto& [act, why] : rows) {
        heard.ends.clear();
        client.emplace(heard, PlayTarget{"live", "rtmp://h/live", "cam"});
        reader = ChunkReader{ChunkLimits{}};
        play();
        client->message(MessageType::user_control, 0, hex("0001 00000003"));  // of another stream
        EXPECT_TRUE(heard.ends.empty());
        act();
        EXPECT_EQ(heard.ends, std::vector<std::string>{why});
        EXPECT_EQ(client->state(), State::ended);
    }
}

TEST(ClientHandshakeTest, SendsBackWhatTheServerSentInAnyPortions) {
    const auto s1 = counting(handshake_size, 5);
    for (const std::size_t portion : {std::size_t{1}, std::size_t{1000}, std::size_t{10'000}}) {
        Bytes out;
        ClientHandshake::begin(out);
        ASSERT_EQ(out.size(), 1 + handshake_size);
        EXPECT_EQ(Bytes(out.begin(), out.begin() + 9), hex("03 00000000 00000000"));
        out.clear();
        ClientHandshake handshake;
        const auto all = join({{3}, s1, counting(handshake_size, 9), {0x42}});
        ByteSpan rest(all);
        while (!handshake.done()) {
            auto part = rest.first(std::min(portion, rest.size()));
            const auto before = part.size();
            handshake.read(part, out);
            rest = rest.subspan(before - part.size());
        }
        EXPECT_EQ(out, s1);
        EXPECT_EQ(rest.size(), 1u) << "what follows is not its own";
    }
    ClientHandshake other;
    Bytes out;
    const auto http = hex("48545450");
    ByteSpan bytes(http);
    EXPECT_THROW(other.read(bytes, out), Malformed);
}

TEST(PullAddressTest, ReadsHostPortApplicationAndStream) {
    const auto one = PullAddress::parse("rtmp://host/live/cam");
    EXPECT_EQ(std::tie(one.host, one.port, one.application, one.stream, one.url),
              std::tuple("host", 1935, "live", "cam", "rtmp://host/live"));
    const auto two = PullAddress::parse("RTMPS://me:p%40ss@[::1]:444/a/b/cam?token=x/y");
    EXPECT_TRUE(two.is_secure);
    EXPECT_EQ(std::tie(two.host, two.port, two.application, two.stream, two.url),
              std::tuple("::1", 444, "a/b", "cam?token=x/y", "rtmps://me:p%40ss@[::1]:444/a/b"));
    EXPECT_EQ(two.shown(), "rtmps://[::1]:444/a/b/cam");
    EXPECT_EQ(PullAddress::parse("rtmps://host/a/b").port, 443);
    EXPECT_EQ(name_of("rtmp://me:secret@host/live/cam?a"), "rtmp://host/live/cam?a");
}

TEST(PullAddressTest, IsSentOnWithItsStreamAndToTheSameHostWithItsLogin) {
    const auto own = PullAddress::parse("rtmp://me:p%40ss@a/live/cam?token=1");
    EXPECT_EQ(std::tie(own.user, own.password), std::tuple("me", "p@ss"));
    EXPECT_EQ(own.bare_url(), "rtmp://a/live");
    for (const auto& [to, url, port, application] :
         {std::tuple{"rtmp://b:1936/other", "rtmp://b:1936/other", 1936, "other"},
          {"rtmp://b/other/cam", "rtmp://b/other", 1935, "other"},
          {"rtmp://b/other?x=1", "rtmp://b/other?x=1", 1935, "other?x=1"},
          {"rtmp://b/", "rtmp://b/live", 1935, "live"},
          {"rtmp://a:2/live", "rtmp://me:p%40ss@a:2/live", 2, "live"},
          {"rtmps://a/live", "rtmps://me:p%40ss@a/live", 443, "live"},
          {"rtmp://you:two@a/live", "rtmp://you:two@a/live", 1935, "live"}}) {
        const auto there = own.moved(to);
        EXPECT_EQ(std::tie(there.url, there.port, there.application, there.stream),
                  std::tuple(url, port, application, "cam?token=1"));
    }
    EXPECT_EQ(PullAddress::parse("rtmps://me:p@a/live/cam").moved("rtmp://a/live").user, "") << "not in the clear";
    for (const auto* to : {"b/live", "http://b/live", "rtmp://", "rtmp://b:x/live"})
        EXPECT_THROW(own.moved(to), Error) << to;
}

TEST(PullAddressTest, NamesWhatIsWrong) {
    for (const auto& [uri, what] : {std::pair{"http://host/live/cam", "'http:' is not rtmp://"},
                                    {"rtmp:///live/cam", "no host"},
                                    {"rtmp://host", "no application and stream"},
                                    {"rtmp://host/cam", "no application and stream"},
                                    {"rtmp://host/live/", "no stream"},
                                    {"rtmp://host:0/live/cam", "'0' is no port"},
                                    {"rtmp://host:70000/live/cam", "'70000' is no port"},
                                    {"rtmp://[::1/live/cam", "']'"},
                                    {"rtmp://host/live/a b", "a blank"}}) {
        try {
            PullAddress::parse(uri);
            ADD_FAILURE() << uri;
        } catch (const Error& error) {
            EXPECT_EQ(error.status(), TD_MALFORMED);
            EXPECT_NE(std::string(error.what()).find(what), std::string::npos) << error.what();
        }
    }
}

// ---- pulls over sockets

namespace net = boost::asio;

/// A server of one connection at a time, which waits.
class FakeSource {
public:
    std::string uri(const char* stream = "cam") const {
        return "rtmp://localhost:" + std::to_string(acceptor_.local_endpoint().port()) + "/live/" + stream;
    }
    /// Takes the next connection up to its `play`, and answers that; the stream asked for.
    std::string play() {
        connect();
        command({"_result", 1.0, Object(), code("status", "NetConnection.Connect.Success")});
        wait_for("createStream");
        command({"_result", 2.0, Null{}, 1.0});
        const auto asked = wait_for("play");
        command({"onStatus", 0.0, Null{}, code("status", "NetStream.Play.Start")});
        return std::string(asked.at(3).text());
    }
    /// Refuses the next connection, and ends it; its application.
    std::string refuse(Object info) {
        auto application = connect();
        command({"_error", 1.0, Null{}, std::move(info)});
        close();
        return application;
    }
    /// Takes the next connection up to its `connect`; the application asked for.
    std::string connect() {
        socket_ = acceptor_.accept();
        reader_ = ChunkReader{ChunkLimits{}};
        Bytes bytes(1 + handshake_size);
        net::read(socket_, net::buffer(bytes));
        send(join({{3}, Bytes(handshake_size, 0), Bytes(bytes.begin() + 1, bytes.end())}));
        net::read(socket_, net::buffer(bytes.data(), handshake_size));
        return std::string(wait_for("connect").at(2).object()->find("app")->text());
    }
    void command(const std::vector<amf::Value>& values) { message(MessageType::command_amf0, 0, written(values)); }
    void message(MessageType type, std::uint32_t time, const Bytes& body) {
        Bytes bytes;
        write_message(bytes, 4, type, 1, body, 128);
        bytes[2] = static_cast<std::uint8_t>(time >> 8);
        bytes[3] = static_cast<std::uint8_t>(time);
        send(bytes);
    }
    void media(std::uint32_t packets) {
        message(MessageType::audio, 0, hex("af 00 1210"));
        for (std::uint32_t i = 0; i < packets; ++i) message(MessageType::audio, i * 23, hex("af 01 2110"));
    }
    void close() { socket_.close(); }

private:
    void send(const Bytes& bytes) { net::write(socket_, net::buffer(bytes)); }
    std::vector<amf::Value> wait_for(std::string_view name) {
        for (;;) {
            Bytes bytes(4096);
            bytes.resize(socket_.read_some(net::buffer(bytes)));
            Batch batch;
            reader_.read(bytes, batch);
            for (const auto& message : batch.messages) {
                if (message.type != MessageType::command_amf0) continue;
                auto values = amf::read_all(batch.gather(message));
                if (values.at(0).text() == name) return values;
            }
        }
    }

    net::io_context context_;
    net::ip::tcp::acceptor acceptor_{context_, {net::ip::address_v4::loopback(), 0}};
    net::ip::tcp::socket socket_{context_};
    ChunkReader reader_{ChunkLimits{}};
};

class PullTest : public testing::Test {
protected:
    PullTest() {
        host.settings.set("port", "0");
        host.settings.set("address", "127.0.0.1");
        host.settings.set("read_interval", "10ms");
        host.settings.set("publish_sdp", "");
        host.settings.set("pull_longest_pause", "50ms");
    }
    ~PullTest() override {
        if (server) server->stop();
        host.streams.release_all();
        host.drain();
        server.reset();
        EXPECT_EQ(testkit::FakeHost::live_buffers(), buffers_);
    }
    void start() {
        server = std::make_unique<Server>(Context(host.table(), host.context()));
        server->serve_rest();
    }
    testkit::HttpAnswer rest(const std::string& call, const std::string& body = {}) {
        return host.http.call("POST", "/rest-api/pull/" + call, body);
    }
    int pull(const std::string& uri, const std::string& more = R"(,"localStreamName":"cam")") {
        return rest("pull", R"({"uri":")" + uri + "\"" + more + "}").status;
    }
    /// Asks until what find_all says has this text.
    std::string shown(std::string_view text) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        for (;;) {
            auto body = rest("find_all").body;
            if (body.find(text) != std::string::npos || std::chrono::steady_clock::now() > end) return body;
            std::this_thread::yield();
        }
    }
    testkit::FakeStream* stream_with(std::size_t packets, std::size_t number = 0) {
        auto* stream = host.streams.wait(number);
        EXPECT_TRUE(stream->wait([&] { return stream->packet_count() >= packets; }));
        return stream;
    }
    static std::string end_of(testkit::FakeStream& stream) {
        EXPECT_TRUE(stream.wait([&] { return stream.closed().has_value(); }));
        return stream.closed().value_or("");
    }

    long buffers_ = testkit::FakeHost::live_buffers();
    testkit::FakeHost host{all_keys};
    FakeSource source;
    std::unique_ptr<Server> server;
};

TEST_F(PullTest, PublishesWhatTheServerSendsAndShowsIt) {
    start();
    EXPECT_EQ(rest("find_all").status, 404);
    EXPECT_EQ(pull(source.uri("cam?token=1"), R"(,"localStreamName":"front","record":"true")"), 200);
    EXPECT_EQ(source.play(), "cam?token=1");
    EXPECT_NE(shown("PENDING").find(R"("hasAudio":false,"hasVideo":false,"record":true)"), std::string::npos);
    EXPECT_TRUE(host.streams.all().empty()) << "no stream while nothing comes";
    source.media(3);
    auto* stream = stream_with(3);
    EXPECT_EQ(stream->facts.name, "front");
    EXPECT_EQ(stream->facts.protocol, "rtmp");
    EXPECT_EQ(stream->facts.application, "live");
    EXPECT_EQ(stream->facts.record, std::uint32_t{TD_RECORD_YES});
    EXPECT_EQ(stream->packets()[2].packet.pts, 46);
    EXPECT_EQ(stream->packets()[2].data, hex("2110"));
    const auto body = shown("PROCESSED_REMOTE");
    EXPECT_NE(body.find(R"("hasAudio":true,"hasVideo":false)"), std::string::npos) << body;
    EXPECT_NE(body.find(stream->facts.media_session), std::string::npos) << body;

    EXPECT_EQ(rest("terminate", R"({"uri":"rtmp://other/a/b"})").status, 404);
    EXPECT_EQ(rest("terminate", R"({"localStreamName":"front"})").status, 200);
    EXPECT_EQ(end_of(*stream), "ended by REST");
    EXPECT_EQ(rest("find_all").status, 404);
}

TEST_F(PullTest, RefusesWhatIsInUseOrWrong) {
    start();
    EXPECT_EQ(pull(source.uri(), ""), 200);
    EXPECT_EQ(pull(source.uri(), R"(,"localStreamName":"other")"), 409);
    EXPECT_EQ(pull("rtmp://localhost:1/live/x", R"(,"localStreamName":")" + source.uri() + "\""), 409);
    source.play();
    source.media(1);
    EXPECT_EQ(stream_with(1)->facts.name, source.uri()) << "the address is the name of a stream that is given none";
    EXPECT_EQ(pull("rtmp://localhost:1/live/x", R"(,"record":"maybe")"), 400);
    const auto answer = rest("pull", R"({"uri":"rtmp://host/cam"})");
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(
        answer.body,
        "uri: it names no application and stream; rtmp://host[:port]/application/stream is what it must look like");
}

TEST_F(PullTest, ShowsNoLoginAndTakesTheAddressWithAndWithoutIt) {
    start();
    const auto with_login = "rtmp://me:secret@" + source.uri().substr(7);
    EXPECT_EQ(pull(with_login, ""), 200);
    EXPECT_EQ(pull(source.uri(), R"(,"localStreamName":"other")"), 409) << "it is the same";
    const auto body = shown("PENDING");
    EXPECT_NE(body.find(source.uri()), std::string::npos) << body;
    EXPECT_EQ(body.find("secret"), std::string::npos) << body;
    EXPECT_EQ(rest("terminate", R"({"uri":")" + with_login + "\"}").status, 200);
    EXPECT_EQ(pull(with_login, ""), 200);
    EXPECT_EQ(rest("terminate", R"({"uri":")" + source.uri() + "\"}").status, 200);
    EXPECT_EQ(rest("terminate", R"({"uri":"nonsense"})").status, 404);
    EXPECT_EQ(host.http.call("GET", "/rest-api/pull/find_all", {}).status, 404);
    EXPECT_EQ(pull(source.uri(), ""), 200);
    EXPECT_EQ(host.http.call("GET", "/rest-api/pull/find_all", {}).status, 200) << "as well as by POST";
}

TEST_F(PullTest, RecordsByTheSettingOfRtmpStreams) {
    host.settings.set("record", "true");
    start();
    EXPECT_EQ(pull(source.uri(), R"(,"record":"false")"), 200);
    source.play();
    source.media(1);
    EXPECT_EQ(stream_with(1)->facts.record, std::uint32_t{TD_RECORD_YES});
}

TEST_F(PullTest, ComesBackWhenTheConnectionBreaksOrTheSourceEnds) {
    start();
    EXPECT_EQ(pull(source.uri()), 200);
    source.play();
    source.media(2);
    auto* first = stream_with(2);
    source.close();
    EXPECT_EQ(end_of(*first), "the peer closed the connection");
    source.play();
    source.media(1);
    auto* second = stream_with(1, 1);
    EXPECT_NE(second->facts.media_session, first->facts.media_session);
    source.command({"onStatus", 0.0, Null{}, code("status", "NetStream.Play.UnpublishNotify", "cam is gone")});
    EXPECT_EQ(end_of(*second), "the server says NetStream.Play.UnpublishNotify (cam is gone)");
    const auto body = shown("FAILED");
    EXPECT_NE(body.find("cam is gone"), std::string::npos) << body;
    source.play();
    source.media(1);
    stream_with(1, 2);
}

TEST_F(PullTest, FollowsARedirectAndTriesTheFirstAddressAgainAfterwards) {
    FakeSource second;
    start();
    EXPECT_EQ(pull(source.uri("cam?token=1")), 200);
    const auto there = second.uri("");
    source.refuse(redirect(there.c_str()));
    EXPECT_EQ(second.play(), "cam?token=1");
    second.media(1);
    auto* stream = stream_with(1);
    second.close();
    end_of(*stream);
    EXPECT_EQ(source.play(), "cam?token=1") << "the one that sends on knows who serves now";
}

TEST_F(PullTest, EndsToFollowWhoSendsItRoundAndRound) {
    start();
    EXPECT_EQ(pull(source.uri()), 200);
    const auto itself = source.uri("");
    for (int i = 0; i <= 6; ++i) source.refuse(redirect(itself.c_str()));
    EXPECT_NE(shown("FAILED").find("it sends on from one connection to the next"), std::string::npos);
}

TEST_F(PullTest, AnswersTheChallengeOfItsServerWithTheLoginOfItsAddress) {
    start();
    EXPECT_EQ(pull(source.uri().insert(7, "me:p%40ss@")), 200);
    const auto says = [](const char* words) { return code("error", "NetConnection.Connect.Rejected", words); };
    EXPECT_EQ(source.refuse(says("[ AccessManager.Reject ] : [ code=403 need auth; authmod=adobe ] : ")), "live");
    EXPECT_EQ(source.refuse(says("[ authmod=adobe ] : ?reason=needauth&user=me&salt=5xs=&challenge=aGk=&opaque=b3A=")),
              "live?authmod=adobe&user=me");
    EXPECT_TRUE(source.connect().starts_with("live?authmod=adobe&user=me&challenge="));
    source.close();
    EXPECT_EQ(source.refuse(says("[ authmod=adobe ] : ?reason=authfailed")), "live") << "a new attempt begins anew";
    EXPECT_NE(shown("FAILED").find("wrong login or password"), std::string::npos);
}

TEST_F(PullTest, WaitsForAServerThatIsNotThereAndGivesUpInTheEnd) {
    host.settings.set("pull_give_up", "150ms");
    start();
    const auto nobody = [] {
        net::io_context context;
        net::ip::tcp::acceptor acceptor(context, {net::ip::address_v4::loopback(), 0});
        return "rtmp://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()) + "/live/cam";
    }();
    EXPECT_EQ(pull(nobody), 200);
    EXPECT_NE(shown("FAILED").find("cannot connect: Connection refused"), std::string::npos);
    EXPECT_EQ(shown("nothing is pulled"), "nothing is pulled");
}

TEST_F(PullTest, LeavesAServerThatSendsNothing) {
    host.settings.set("pull_timeout", "500ms");
    start();
    EXPECT_EQ(pull(source.uri()), 200);
    source.play();
    EXPECT_NE(shown("FAILED").find("sends no media for longer than setting 'protocol.rtmp.pull_timeout'"),
              std::string::npos);
}

TEST_F(PullTest, TriesAgainWhenItsNameIsTaken) {
    bool is_taken = true;  // on the callback thread, and before it
    host.streams.refuse([&](std::int32_t, const testkit::StreamFacts&) -> std::optional<testkit::Refusal> {
        if (!std::exchange(is_taken, false)) return std::nullopt;
        return testkit::Refusal{TD_EXISTS, "the name is taken"};
    });
    start();
    EXPECT_EQ(pull(source.uri()), 200);
    source.play();
    source.media(1);
    source.play();
    source.media(1);
    stream_with(1, 1);
}

TEST_F(PullTest, EndsForGoodWhenItsStreamIsEndedHere) {
    start();
    EXPECT_EQ(pull(source.uri()), 200);
    source.play();
    source.media(1);
    auto* stream = stream_with(1);
    stream->kick("terminated over REST");
    EXPECT_EQ(end_of(*stream), "terminated over REST");
    EXPECT_EQ(shown("nothing is pulled"), "nothing is pulled");
}

}  // namespace
}  // namespace tapedeck::rtmp
