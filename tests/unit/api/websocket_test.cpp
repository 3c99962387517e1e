// WebSockets: the frames, and the conversation between a client and a plugin.
#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "api/plugin_routes.hpp"
#include "api/websocket_frames.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "fixture.hpp"

namespace tapedeck::host::api::test {
namespace {

using namespace std::chrono_literals;
using MessageKind = WebSocketMessage::Kind;

constexpr std::size_t most = 100'000;

/// A frame as clients send it. `first`: FIN, reserved bits and opcode.
std::string client_frame(unsigned char first, std::string_view payload, bool masked = true) {
    constexpr std::string_view mask = "\x01\x80\xfe\x00";
    std::string out(1, static_cast<char>(first));
    const auto size = payload.size();
    const unsigned char bit = masked ? 0x80 : 0;
    const auto bytes = size <= 125 ? 0U : size <= 65535 ? 2U : 8U;
    out += static_cast<char>(bit | (bytes == 0 ? size : bytes == 2 ? 126 : 127));
    for (auto i = bytes; i-- > 0;) out += static_cast<char>(size >> (8 * i) & 0xff);
    if (!masked) return out.append(payload);
    out += std::string(mask.data(), 4);
    for (std::size_t i = 0; i < size; ++i) out += static_cast<char>(payload[i] ^ std::string(mask.data(), 4)[i % 4]);
    return out;
}

TEST(WebSocketFrames, ComeInAnyPieces) {
    const std::string large(70'000, 'x');
    const auto sent = client_frame(0x01, "h\xc3") + client_frame(0x89, "now") + client_frame(0x00, "\xa4") +
                      client_frame(0x80, "!") + client_frame(0x81, large) + client_frame(0x81, large.substr(0, 126)) +
                      client_frame(0x81, "") + client_frame(0x8a, "") +
                      client_frame(0x88,
                                   "\x03\xe9"
                                   "bye");
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, sent.size()}) {
        WebSocketReader reader(most);
        std::vector<WebSocketMessage> messages;
        std::string received;
        for (std::size_t at = 0; at < sent.size(); at += piece) {
            received += sent.substr(at, piece);
            std::string_view rest = received;
            while (auto message = reader.next(rest)) messages.push_back(std::move(*message));
            received.erase(0, received.size() - rest.size());
            ASSERT_LT(received.size(), 14U);
        }
        ASSERT_EQ(messages.size(), 7U);
        EXPECT_EQ(messages[0].kind, MessageKind::Ping) << "control frames come between fragments";
        EXPECT_EQ(messages[0].payload, "now");
        EXPECT_EQ(messages[1].payload, "h\xc3\xa4!") << "fragments may part characters";
        EXPECT_EQ(messages[2].payload, large);
        EXPECT_EQ(messages[3].payload.size(), 126U);
        EXPECT_EQ(messages[4].kind, MessageKind::Text);
        EXPECT_EQ(messages[5].kind, MessageKind::Pong);
        EXPECT_EQ(messages[6].kind, MessageKind::Close);
        EXPECT_EQ(messages[6].code, CloseCode::GoingAway);
        EXPECT_EQ(messages[6].payload, "bye");
    }
}

TEST(WebSocketFrames, ThatBreakTheRulesAreRefused) {
    const auto text = [](std::string_view payload) { return client_frame(0x81, payload); };
    const std::string too_large(most + 1, 'x');
    for (const auto& [frames, code] :
         {std::pair{client_frame(0x81, "", false), CloseCode::ProtocolError},
          {client_frame(0x81, "unmasked", false), CloseCode::ProtocolError},
          {client_frame(0xc1, "deflated"), CloseCode::ProtocolError},
          {client_frame(0x83, ""), CloseCode::ProtocolError},
          {client_frame(0x8b, ""), CloseCode::ProtocolError},
          {client_frame(0x09, "a ping in fragments"), CloseCode::ProtocolError},
          {client_frame(0x89, std::string(126, 'x')), CloseCode::ProtocolError},
          {client_frame(0x80, "goes on with nothing"), CloseCode::ProtocolError},
          {client_frame(0x01, "a") + text("b"), CloseCode::ProtocolError},
          {client_frame(0x82, "binary"), CloseCode::NoBinary},
          {text("\xff"), CloseCode::NotUtf8},
          {text("\xed\xa0\x80"), CloseCode::NotUtf8},
          {text(too_large).substr(0, 14), CloseCode::TooLarge},
          {std::string("\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff....", 14), CloseCode::TooLarge},
          {client_frame(0x01, too_large.substr(2)) + client_frame(0x80, "abc"), CloseCode::TooLarge},
          {client_frame(0x88, "\x03"), CloseCode::ProtocolError},
          {client_frame(0x88, "\x03\xed"), CloseCode::ProtocolError},
          {client_frame(0x88, "\x03\xe8\xff"), CloseCode::NotUtf8}}) {
        WebSocketReader reader(most);
        std::string_view rest = frames;
        try {
            while (reader.next(rest)) continue;
            ADD_FAILURE() << "taken: " << printable(frames);
        } catch (const WebSocketError& error) {
            EXPECT_EQ(error.code(), code) << error.what();
        }
    }
}

TEST(WebSocketFrames, OfTheServerAreWholeAndUnmasked) {
    EXPECT_EQ(text_frame("hi"), "\x81\x02hi");
    EXPECT_EQ(text_frame(std::string(126, 'x')).substr(0, 4), std::string("\x81\x7e\x00\x7e", 4));
    EXPECT_EQ(text_frame(std::string(65536, 'x')).substr(0, 10), std::string("\x81\x7f\0\0\0\0\0\x01\0\0", 10));
    EXPECT_EQ(close_frame(CloseCode::None, "unsaid"), std::string("\x88\x00", 2));
    std::string reason(122, 'x');
    EXPECT_EQ(close_frame(CloseCode::Normal, reason + "\xc3\xa4").substr(2), "\x03\xe8" + reason)
        << "cut between characters";
}

TEST(WebSocketFrames, TheKeyIsAnsweredAsTheRfcShows) {
    EXPECT_EQ(websocket_accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    for (const auto* key : {"", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZWE=", "dGhlIHNhbXBsZSBub25j!Q=="}) {
        EXPECT_FALSE(websocket_accept(key)) << key;
    }
}

/// A client of a browser's kind.
class Caller {
public:
    explicit Caller(std::uint16_t port, const std::string& path = "/", std::optional<Client::Tls> tls = {})
        : client_(port, tls) {
        reply_ = client_.ask("GET", path, {},
                             {{"Connection", "keep-alive, Upgrade"},
                              {"Upgrade", "WebSocket"},
                              {"Origin", "https://elsewhere.example"},
                              {"Sec-WebSocket-Version", "13"},
                              {"Sec-WebSocket-Extensions", "permessage-deflate"},
                              {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}});
    }
    const Reply& reply() const { return reply_; }
    void send(unsigned char first, std::string_view payload) { client_.send(client_frame(first, payload)); }
    void say(std::string_view text) { send(0x81, text); }
    /// The first byte and the payload of the next frame; empty at the end.
    std::string receive() {
        const auto head = client_.read(2);
        if (head.size() < 2) return {};
        std::size_t size = static_cast<unsigned char>(head[1]);
        if (size >= 126) {
            const auto wide = client_.read(size == 126 ? 2 : 8);
            size = 0;
            for (const char byte : wide) size = size << 8 | static_cast<unsigned char>(byte);
        }
        return head[0] + client_.read(size);
    }
    Client& client() { return client_; }

private:
    Client client_;
    Reply reply_;
};

/// A plugin that says back what it hears; `bye` makes it hang up, `flood` send more than may wait.
class WebSocketTest : public ServerTest {
protected:
    void begin() {
        start();
        routes_ = std::make_unique<PluginRoutes>(*router_);
        add("/*");
        server_->open_websocket_ports();
    }
    td_status add(std::string_view path) {
        td_error error{sizeof(td_error), 0, 0, {}};
        return http_->websocket(instance(), text_of(path), &handlers, this, &error);
    }
    const td_context* instance() const { return reinterpret_cast<const td_context*>(this); }  // only compared
    ~WebSocketTest() override {
        server_.reset();
        routes_.reset();
    }

    /// Waits until the plugin heard of so many ends, and gives the last reason.
    std::string await_closed(std::size_t count = 1) {
        std::unique_lock lock(mutex_);
        if (!changed_.wait_for(lock, 10s, [&] { return closed_.size() >= count; })) return "never";
        return closed_.back();
    }

    /// The requests that the plugin was asked for, and the reasons of the ends that it heard of.
    std::vector<std::string> asked() {
        const std::lock_guard lock(mutex_);
        return asked_;
    }
    std::vector<std::string> closed() {
        const std::lock_guard lock(mutex_);
        return closed_;
    }

    const td_http* http_ = PluginRoutes::table();
    std::unique_ptr<PluginRoutes> routes_;

private:
    struct Visitor {
        WebSocketTest* test;
        td_websocket* socket;
    };

    static td_status opened(void* self, const td_http_request* request, td_websocket* socket, void** client,
                            td_error* error) {
        auto* test = static_cast<WebSocketTest*>(self);
        std::string asked = fmt::format("{}?{} {} {}", view(request->path), view(request->query), view(request->remote),
                                        request->secure);
        for (std::size_t i = 0; i < request->header_count; ++i) {
            if (view(request->headers[i].key) == "origin") asked += fmt::format(" {}", view(request->headers[i].value));
        }
        {
            const std::lock_guard lock(test->mutex_);
            test->asked_.push_back(asked);
        }
        if (view(request->path) == "/forbidden") {
            http()->hang_up(socket, TD_WEBSOCKET_POLICY, {});
            return *error = {sizeof(td_error), TD_DENIED, 0, "not here"}, TD_DENIED;
        }
        *client = new Visitor{test, socket};
        http()->send(socket, text_of("welcome"));
        return TD_OK;
    }
    static void message(void* client, td_text text) {
        auto& visitor = *static_cast<Visitor*>(client);
        if (view(text) == "flood") {
            const std::string some(TD_WEBSOCKET_QUEUE / 8, 'x');
            for (int i = 0; i < 9; ++i) http()->send(visitor.socket, text_of(some));
        } else if (view(text) == "bye") {
            http()->send(visitor.socket, text_of("last words"));
            http()->hang_up(std::exchange(visitor.socket, nullptr), 4001, text_of("bye"));
        } else {
            http()->send(visitor.socket, text);
        }
    }
    static void ended(void* client, td_text reason) {
        const std::unique_ptr<Visitor> visitor(static_cast<Visitor*>(client));
        if (visitor->socket != nullptr) {
            http()->send(visitor->socket, text_of("too late"));
            http()->hang_up(visitor->socket, TD_WEBSOCKET_NORMAL, {});
        }
        const std::lock_guard lock(visitor->test->mutex_);
        visitor->test->closed_.emplace_back(view(reason));
        visitor->test->changed_.notify_all();
    }
    static const td_http* http() { return PluginRoutes::table(); }
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::string> closed_, asked_;

    static constexpr td_websocket_handlers handlers{sizeof(td_websocket_handlers), 0, opened, message, ended};
};

TEST_F(WebSocketTest, ComesOnEveryPathOfItsPortsAndOnThoseOfHttp) {
    options_.https = true;
    begin();
    for (const auto& [port, tls] : {std::pair{server_->ws_port(), false},
                                    {server_->wss_port(), true},
                                    {server_->http_port(), false},
                                    {server_->https_port(), true}}) {
        Caller caller(port, "/client/records/cam%201?a=b", tls ? std::optional(Client::Tls{}) : std::nullopt);
        EXPECT_EQ(caller.reply().status, 101);
        EXPECT_EQ(caller.reply().header("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        EXPECT_EQ(caller.reply().header("sec-websocket-extensions"), "");
        EXPECT_EQ(caller.receive(), "\x81welcome");
        const std::string large(options_.message_bytes, 'x');
        caller.say(large);
        EXPECT_EQ(caller.receive(), "\x81" + large);
        EXPECT_EQ(asked().back(), fmt::format("/client/records/cam%201?a=b 127.0.0.1 {} https://elsewhere.example",
                                              static_cast<int>(tls)));
    }
    EXPECT_EQ(ask("GET", "/health").status, 200);
}

TEST_F(WebSocketTest, ControlFramesAreAnswered) {
    begin();
    Caller caller(server_->ws_port());
    caller.receive();
    caller.send(0x89, "are you there");
    EXPECT_EQ(caller.receive(),
              "\x8a"
              "are you there");
    caller.send(0x88, "\x03\xe9gone");
    EXPECT_EQ(caller.receive(), "\x88\x03\xe9gone");
    EXPECT_EQ(caller.receive(), "");
    EXPECT_EQ(await_closed(), "the client closed (1001) gone");
}

TEST_F(WebSocketTest, HangingUpLetsOutWhatWasSaidBefore) {
    begin();
    Caller caller(server_->ws_port());
    caller.receive();
    caller.say("bye");
    caller.say("not heard any more");
    EXPECT_EQ(caller.receive(), "\x81last words");
    EXPECT_EQ(caller.receive(),
              "\x88\x0f\xa1"
              "bye");
    caller.send(0x88, "\x0f\xa1");
    EXPECT_EQ(caller.receive(), "");
    await_closed();
    EXPECT_EQ(closed().size(), 1U);
}

TEST_F(WebSocketTest, WhoBreaksTheRulesIsToldSo) {
    begin();
    Caller caller(server_->ws_port());
    caller.receive();
    caller.send(0x82, "binary");
    EXPECT_EQ(caller.receive().substr(0, 3), "\x88\x03\xeb");
    EXPECT_EQ(await_closed(), "only text is understood here");
    Caller other(server_->ws_port());
    other.receive();
    other.say(std::string(options_.message_bytes + 1, 'x'));
    EXPECT_EQ(other.receive().substr(0, 3), "\x88\x03\xf1");
    EXPECT_NE(await_closed(2).find("websocket.max_message"), std::string::npos);
}

TEST_F(WebSocketTest, AClientThatGoesIsToldToThePlugin) {
    begin();
    { Caller(server_->ws_port()).say("hello"); }
    EXPECT_NE(await_closed(), "never");
}

TEST_F(WebSocketTest, AClientThatTakesTooSlowlyIsCutOff) {
    begin();
    Caller caller(server_->ws_port());
    caller.say("flood");
    EXPECT_EQ(await_closed(), "the client takes too slowly what is sent to it");
}

TEST_F(WebSocketTest, ASilentClientIsAskedAndThenClosed) {
    options_.silence_timeout = 400ms;
    begin();
    Caller caller(server_->ws_port());
    EXPECT_EQ(caller.receive(), "\x81welcome");
    EXPECT_EQ(caller.receive(), "\x89");
    caller.send(0x8a, "");
    EXPECT_EQ(caller.receive(), "\x89") << "an answer is a sign of life";
    EXPECT_EQ(closed().size(), 0U);
    while (!caller.receive().empty()) continue;
    EXPECT_NE(await_closed(), "never");
}

TEST_F(WebSocketTest, APluginMayRefuse) {
    begin();
    Caller caller(server_->ws_port(), "/forbidden");
    EXPECT_EQ(caller.reply().status, 403);
    EXPECT_NE(caller.reply().body.find("not here"), std::string::npos);
    EXPECT_EQ(closed().size(), 0U);
}

TEST_F(WebSocketTest, OnlyWebSocketsAreServedOnItsPorts) {
    begin();
    const auto plain = Client(server_->ws_port()).ask("GET", "/health");
    EXPECT_EQ(plain.status, 426);
    EXPECT_EQ(plain.header("upgrade"), "websocket");
    const std::map<std::string, std::string> good{{"Connection", "Upgrade"},
                                                  {"Upgrade", "websocket"},
                                                  {"Sec-WebSocket-Version", "13"},
                                                  {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}};
    const auto with = [&](const std::string& name, const std::string& value, std::string_view method = "GET") {
        auto headers = good;
        headers[name] = value;
        return Client(server_->ws_port()).ask(method, "/", {}, headers);
    };
    EXPECT_EQ(with("Sec-WebSocket-Version", "8").status, 426);
    EXPECT_EQ(with("Sec-WebSocket-Version", "8").header("sec-websocket-version"), "13");
    EXPECT_EQ(with("Sec-WebSocket-Key", "short").status, 400);
    EXPECT_EQ(with("Connection", "close").status, 426);
    EXPECT_EQ(with("X", "y", "POST").status, 400);
    EXPECT_TRUE(asked().empty());
}

TEST_F(WebSocketTest, ItsPortsAreWarnedAboutUnlessTheyWereChosen) {
    begin();
    EXPECT_EQ(add("/*"), TD_EXISTS);
    auto taken = options_;
    taken.ws_port = server_->ws_port();
    Server second(taken, *router_, *workers_);
    second.start();
    second.open_websocket_ports();
    EXPECT_EQ(second.ws_port(), 0);
    second.stop();
    taken.ws_required = true;
    Server third(taken, *router_, *workers_);
    third.start();
    try {
        third.open_websocket_ports();
        ADD_FAILURE() << "two servers on one port";
    } catch (const Error& failure) {
        EXPECT_EQ(std::string(failure.what()).substr(0, 8), "ws.port ");
    }
    EXPECT_EQ(server_->wss_port(), 0) << "HTTPS is off";
}

TEST_F(WebSocketTest, APluginThatStopsHearsTheEndFirst) {
    begin();
    Caller caller(server_->ws_port());
    EXPECT_EQ(caller.receive(), "\x81welcome");
    routes_->remove(instance());
    EXPECT_EQ(closed(), std::vector<std::string>{"the server is stopping"});
    caller.say("hello");
    EXPECT_EQ(caller.receive().substr(0, 3), "\x88\x03\xe9");
    EXPECT_EQ(Caller(server_->ws_port()).reply().status, 404);
}

TEST_F(WebSocketTest, AStopOfTheServerIsToldToBoth) {
    begin();
    auto caller = std::make_unique<Caller>(server_->ws_port());
    EXPECT_EQ(caller->receive(), "\x81welcome");
    auto stopping = std::thread([&] { server_->stop(10s); });
    EXPECT_EQ(caller->receive().substr(0, 3), "\x88\x03\xe9");
    caller->send(0x88, "\x03\xe9");
    caller.reset();
    stopping.join();
    EXPECT_EQ(closed().size(), 1U);
}

}  // namespace
}  // namespace tapedeck::host::api::test
