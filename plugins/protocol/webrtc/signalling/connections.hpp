// All clients of the WebSDK: their WebSocket, their clock, and REST over them.
#pragma once

#include <array>
#include <memory>

#include "tapedeck/http.hpp"
#include "tapedeck/key.hpp"
#include "webrtc/signalling/connection.hpp"

namespace tapedeck::webrtc {

namespace keys {
inline constexpr auto ping_interval = Key::duration("ping_interval", "5s")
                                          .aka("keep_alive.server_interval")
                                          .per("ms")
                                          .within(1'000'000, 3'600'000'000)
                                          .reload()
                                          .about("How often clients of the WebSDK are asked for a sign of life");
inline constexpr auto ping_limit = Key::integer("ping_limit", "10")
                                       .aka("keep_alive.probes")
                                       .within(1, 10'000)
                                       .reload()
                                       .about("A client that lets so many of these pass without a word is given up");
}  // namespace keys

/// For the plugin to declare.
inline constexpr std::array signalling_keys{keys::ping_interval, keys::ping_limit};

/// Any thread, but for `serve`.
class Connections {
public:
    /// `sessions` is borrowed until `close`.
    Connections(Context context, Sessions& sessions);

    /// WebSockets of every path (websdk-protocol section 1), and /rest-api/connection/find, find_all and terminate.
    /// [control] Throws Error TD_EXISTS. This outlives the routes.
    void serve(Http& http);
    /// Each second or so.
    void tick(Connection::Time now) const;
    /// Hangs up all; their streams end. In `stop`: nobody comes any more.
    void close() const;

private:
    std::unique_ptr<WebSocketClient> accept(const HttpRequest& request, WebSocket socket) const;
    void find(std::string_view body, HttpExchange& exchange) const;
    void find_all(std::string_view body, HttpExchange& exchange) const;
    void show(const websdk::ConnectionFilter& filter, HttpExchange& exchange) const;
    void terminate(std::string_view body, HttpExchange& exchange) const;

    Context context_;
    Sessions& sessions_;
    std::shared_ptr<Directory> directory_ = std::make_shared<Directory>();
};

}  // namespace tapedeck::webrtc
