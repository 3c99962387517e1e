// The HTTP and HTTPS listeners, and those of WebSockets.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "api/router.hpp"

namespace tapedeck::host::api {

/// Where and how to listen. Read from the settings by `server_options` of options.hpp.
struct ServerOptions {
    std::string address = "*";  ///< `*`: all of IPv4 and IPv6
    bool http = true, https = true;
    std::uint16_t http_port = 8081, https_port = 8444;  ///< 0: any free one
    std::uint16_t ws_port = 8080, wss_port = 8443;      ///< of WebSockets; 0: any free one
    bool ws_required = false, wss_required = false;     ///< a port that is not free is an error, not a warning
    std::filesystem::path certificate, key;             ///< PEM; both empty: the self-signed pair in `conf_folder`
    std::filesystem::path conf_folder;                  ///< where the self-signed pair is kept
    std::size_t header_bytes = 16u << 10;
    std::size_t body_bytes = 1u << 20;
    std::size_t connections = 1024;
    std::size_t message_bytes = 256u << 10;  ///< of a WebSocket
    std::size_t threads = 1;
    std::chrono::milliseconds idle_timeout{60'000};     ///< between requests
    std::chrono::milliseconds request_timeout{30'000};  ///< from the first byte of a request to its last; TLS handshake
    std::chrono::milliseconds write_timeout{30'000};    ///< a client that takes nothing for so long is closed
    std::chrono::milliseconds silence_timeout{
        60'000};  ///< of a WebSocket's client, which is asked after the half of it
    std::chrono::milliseconds answer_timeout{120'000};  ///< a handler that does not answer: 504
};

/// Serves a router over HTTP/1.1 on threads of its own. Construct, start, stop: [control].
class Server {
public:
    /// Binds the ports and loads the certificate; nothing is accepted yet. Throws Error that names setting and port.
    /// Router and workers are borrowed and must live until `stop` returned.
    Server(const ServerOptions& options, const Router& router, Workers& workers);
    ~Server();

    /// Accepts from here on.
    void start();
    /// Opens the ports of WebSockets, plain where HTTP is on and over TLS where HTTPS is; idempotent. After `start`.
    /// Throws Error as the constructor does, for a port that is required.
    void open_websocket_ports();
    /// Refuses new connections, gives open requests `grace` to be answered, then closes all. Idempotent.
    void stop(std::chrono::milliseconds grace = std::chrono::milliseconds(2000));

    /// Reads certificate and key again (SIGHUP) and takes the new limits and timeouts; ports stay. Throws Error when
    /// the files are bad; then the old certificate stays in use. Any thread.
    void reload(const ServerOptions& options);

    /// The bound ports, 0 where that listener is off.
    std::uint16_t http_port() const;
    std::uint16_t https_port() const;
    std::uint16_t ws_port() const;
    std::uint16_t wss_port() const;

private:
    class Body;
    std::unique_ptr<Body> body_;
};

}  // namespace tapedeck::host::api
