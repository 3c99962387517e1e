// Says back what comes over a WebSocket, and answers an offer as WHIP does.
#include "tapedeck/plugin.hpp"

#include <optional>

#include "tapedeck/http.hpp"

namespace {

using namespace tapedeck;

class Caller : public WebSocketClient {
public:
    explicit Caller(WebSocket socket) : socket_(std::move(socket)) {}
    void message(std::string_view text) override { socket_.send(text); }
    void closed(std::string_view) override {}

private:
    WebSocket socket_;
};

class Socket : public Protocol {
public:
    static constexpr const char* id = "socket";
    static constexpr const char* doc = "Says back what it hears";
    explicit Socket(Context context) : context_(context) {}
    void start() override {
        http_.emplace(context_);
        http_->websocket(
            "/*", [](const HttpRequest&, WebSocket socket) { return std::make_unique<Caller>(std::move(socket)); });
        http_->route("POST", "/whip/*", [](const HttpRequest& request, HttpExchange exchange) {
            exchange.respond(201, request.header("content-type"), request.body(), {{"Location", "/whip/cam/1"}});
        });
    }
    void stop() override {}

private:
    Context context_;
    std::optional<Http> http_;
};

}  // namespace

TAPEDECK_PLUGIN("good-socket", "1.0.0", "tests", "MIT", "Works", Socket);
