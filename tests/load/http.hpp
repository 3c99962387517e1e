// As much of an HTTP/1.1 client as WHIP needs.
#pragma once

#include <string>

#include "webrtc/transport/endpoint.hpp"

namespace tapedeck::load {

struct HttpAnswer {
    int status = 0;
    std::string location;  // empty: none
    std::string body;
};

/// [blocking] One request on a connection of its own. `headers` are whole lines, each with its CRLF. Throws
/// std::runtime_error when no whole answer comes within 10 s.
HttpAnswer http_request(const webrtc::Endpoint& server, const std::string& method, const std::string& path,
                        const std::string& headers = {}, const std::string& body = {});

}  // namespace tapedeck::load
