#include "webrtc/signalling/connections.hpp"

#include <string>
#include <utility>

namespace tapedeck::webrtc {
namespace {

constexpr std::string_view json_type = "application/json;charset=UTF-8";

/// The host's way to a connection.
class Client final : public WebSocketClient {
public:
    explicit Client(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}
    void message(std::string_view text) override { connection_->message(text); }
    void closed(std::string_view) override { connection_->end(websdk::reason::disconnected); }

private:
    std::shared_ptr<Connection> connection_;
};

}  // namespace

Connections::Connections(Context context, Sessions& sessions) : context_(context), sessions_(sessions) {}

void Connections::serve(Http& http) {
    http.websocket("/*",
                   [this](const HttpRequest& request, WebSocket socket) { return accept(request, std::move(socket)); });
    const auto route = [&](std::string_view method, std::string_view path,
                           void (Connections::*answer)(std::string_view, HttpExchange&) const) {
        http.route(method, path, [this, answer](const HttpRequest& request, HttpExchange exchange) {
            try {
                (this->*answer)(request.body(), exchange);
            } catch (const Malformed& failure) {
                exchange.respond(400, {}, failure.what());
            }
        });
    };
    for (const auto* method : {"GET", "POST"}) {
        route(method, "/rest-api/connection/find", &Connections::find);
        route(method, "/rest-api/connection/find_all", &Connections::find_all);
    }
    route("POST", "/rest-api/connection/terminate", &Connections::terminate);
}

void Connections::tick(Connection::Time now) const {
    const KeepAlive keep_alive{context_.duration(keys::ping_interval), context_.integer(keys::ping_limit)};
    for (const auto& connection : directory_->all()) connection->tick(now, keep_alive);
}

void Connections::close() const {
    for (const auto& connection : directory_->all()) connection->end(websdk::reason::disconnected);
}

std::unique_ptr<WebSocketClient> Connections::accept(const HttpRequest& request, WebSocket socket) const {
    auto connection =
        std::make_shared<Connection>(context_, sessions_, directory_, std::string(request.remote()), std::move(socket));
    directory_->add(connection->session(), connection);
    return std::make_unique<Client>(std::move(connection));
}

void Connections::find(std::string_view body, HttpExchange& exchange) const {
    show(websdk::parse_filter(body), exchange);
}

void Connections::find_all(std::string_view /*body*/, HttpExchange& exchange) const {
    show({}, exchange);
}

void Connections::show(const websdk::ConnectionFilter& filter, HttpExchange& exchange) const {
    const auto found = directory_->established(filter);
    if (found.empty()) return exchange.respond(404, {}, "Connection not found");
    exchange.respond(200, json_type, websdk::describe(found));
}

void Connections::terminate(std::string_view body, HttpExchange& exchange) const {
    const auto session = websdk::parse_filter(body).session;
    if (!session) throw Malformed("'sessionId' is missing; find it with /rest-api/connection/find_all");
    const auto connection = directory_->find(*session);
    if (!connection) return exchange.respond(404, {}, "Connection not found");
    connection->end(websdk::reason::by_rest);
    exchange.respond(200, {}, {});
}

}  // namespace tapedeck::webrtc
