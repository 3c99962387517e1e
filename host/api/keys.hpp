// Settings of the HTTP interface.
#pragma once

#include <array>

#include "tapedeck/key.hpp"

namespace tapedeck::host::api {

inline constexpr Key http_enabled = Key::boolean("http.enabled", "true").about("Whether to listen for HTTP");
inline constexpr Key http_port =
    Key::integer("http.port", "8081").within(0, 65535).about("Port of REST, records, health and metrics; 0: any free");
inline constexpr Key https_enabled = Key::boolean("https.enabled", "true").about("Whether to listen for HTTPS");
inline constexpr Key https_port =
    Key::integer("https.port", "8444").within(0, 65535).about("The same over TLS; 0: any free");
inline constexpr Key ws_port =
    Key::integer("ws.port", "8080")
        .within(0, 65535)
        .about("Port of WebSockets, open where a plugin has some and http.enabled; 0: any free");
inline constexpr Key wss_port =
    Key::integer("wss.port", "8443").within(0, 65535).about("The same over TLS, where https.enabled; 0: any free");
inline constexpr Key http_address =
    Key::text("http.address", "*").about("Address all these ports listen on; `*`: all of IPv4 and IPv6");
inline constexpr Key http_threads = Key::integer("http.threads", "1").within(1, 64).about("Threads that serve HTTP");
inline constexpr Key http_connections = Key::integer("http.max_connections", "1024")
                                            .within(1, 65536)
                                            .about("Connections at once; more are closed")
                                            .reload();
inline constexpr Key http_max_header =
    Key::bytes("http.max_header", "16k").within(1024, 1048576).about("Size of a request's head").reload();
inline constexpr Key http_idle_timeout = Key::duration("http.idle_timeout", "60s")
                                             .within(100'000, 86'400'000'000)
                                             .about("How long a connection may wait between requests")
                                             .reload();
inline constexpr Key http_request_timeout = Key::duration("http.request_timeout", "30s")
                                                .within(100'000, 86'400'000'000)
                                                .about("How long a request may take to arrive, or a TLS handshake")
                                                .reload();
inline constexpr Key http_write_timeout = Key::duration("http.write_timeout", "30s")
                                              .within(100'000, 86'400'000'000)
                                              .about("A client that takes nothing for so long is closed")
                                              .reload();
inline constexpr Key http_answer_timeout = Key::duration("http.answer_timeout", "120s")
                                               .within(100'000, 86'400'000'000)
                                               .about("How long a request may wait for its answer before it gets 504")
                                               .reload();

inline constexpr Key websocket_max_message = Key::bytes("websocket.max_message", "256k")
                                                 .within(65536, 16777216)
                                                 .about("Size of a message of a WebSocket; more ends it with 1009")
                                                 .reload();
inline constexpr Key websocket_timeout =
    Key::duration("websocket.timeout", "60s")
        .within(100'000, 86'400'000'000)
        .about("A WebSocket that says nothing for so long, not even to a ping, ends")
        .reload();

inline constexpr Key client_dir = Key::path("http.client_dir", "client2").about("Folder of the pages below /client2/");

inline constexpr Key tls_certificate = Key::path("tls.certificate", "")
                                           .about("PEM file of certificate and chain; empty: a self-signed one is made")
                                           .reload();
inline constexpr Key tls_key = Key::path("tls.key", "").about("PEM file of the private key").reload();

inline constexpr Key rest_max_body = Key::bytes("rest.max_body", "1m")
                                         .within(1024, 1073741824)
                                         .about("Size of a request's body; more gets 413")
                                         .reload();
inline constexpr Key rest_bad_request_status = Key::choice("rest.bad_request_status", "400", "400|500")
                                                   .about("Status for malformed JSON or a missing member")
                                                   .reload();
inline constexpr Key rest_empty_list =
    Key::choice("rest.empty_list", "404", "404|200").about("Status of find and find_all with nothing to show").reload();
inline constexpr Key content_disposition =
    Key::text("record_response_content_disposition_header_value", "inline")
        .about("How a browser treats a record: `inline` plays it, `attachment` downloads it")
        .reload();

inline constexpr std::array<const td_key*, 23> keys{&ws_port,
                                                    &wss_port,
                                                    &websocket_max_message,
                                                    &websocket_timeout,
                                                    &http_enabled,
                                                    &http_port,
                                                    &https_enabled,
                                                    &https_port,
                                                    &http_address,
                                                    &http_threads,
                                                    &http_connections,
                                                    &http_max_header,
                                                    &http_idle_timeout,
                                                    &http_request_timeout,
                                                    &http_write_timeout,
                                                    &http_answer_timeout,
                                                    &client_dir,
                                                    &tls_certificate,
                                                    &tls_key,
                                                    &rest_max_body,
                                                    &rest_bad_request_status,
                                                    &rest_empty_list,
                                                    &content_disposition};

}  // namespace tapedeck::host::api
