#include "api/options.hpp"

#include <chrono>

#include "api/keys.hpp"

namespace tapedeck::host::api {

ServerOptions server_options(const Scope& host, const std::filesystem::path& home) {
    const auto milliseconds = [&](const td_key& key) {
        return std::chrono::duration_cast<std::chrono::milliseconds>(host.duration(key));
    };
    ServerOptions options;
    options.address = host.text(http_address);
    options.http = host.boolean(http_enabled);
    options.https = host.boolean(https_enabled);
    options.http_port = static_cast<std::uint16_t>(host.integer(http_port));
    options.https_port = static_cast<std::uint16_t>(host.integer(https_port));
    options.ws_port = static_cast<std::uint16_t>(host.integer(ws_port));
    options.wss_port = static_cast<std::uint16_t>(host.integer(wss_port));
    options.ws_required = host.is_set(ws_port);
    options.wss_required = host.is_set(wss_port);
    options.message_bytes = static_cast<std::size_t>(host.bytes(websocket_max_message));
    options.silence_timeout = milliseconds(websocket_timeout);
    options.certificate = host.path(tls_certificate);
    options.key = host.path(tls_key);
    options.conf_folder = home / "conf";
    options.header_bytes = static_cast<std::size_t>(host.bytes(http_max_header));
    options.body_bytes = static_cast<std::size_t>(host.bytes(rest_max_body));
    options.connections = static_cast<std::size_t>(host.integer(http_connections));
    options.threads = static_cast<std::size_t>(host.integer(http_threads));
    options.idle_timeout = milliseconds(http_idle_timeout);
    options.request_timeout = milliseconds(http_request_timeout);
    options.write_timeout = milliseconds(http_write_timeout);
    options.answer_timeout = milliseconds(http_answer_timeout);
    return options;
}

RestOptions rest_options(const Scope& host) {
    RestOptions options;
    options.bad_request_status = host.text(rest_bad_request_status) == "500" ? 500 : 400;
    options.empty_list_status = host.text(rest_empty_list) == "200" ? 200 : 404;
    options.disposition = host.text(content_disposition);
    return options;
}

}  // namespace tapedeck::host::api
