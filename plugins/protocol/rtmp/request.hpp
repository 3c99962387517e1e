// What a client asks for: the application it connects to, the stream it publishes, and the credentials in their
// queries.
#pragma once

#include <string>
#include <string_view>

#include "address/query.hpp"

namespace tapedeck::rtmp {

using tapedeck::Credentials;
using tapedeck::credentials;
using tapedeck::Named;
using tapedeck::Parameters;
using tapedeck::parse_query;
using tapedeck::printable;
using tapedeck::split_query;

struct ConnectRequest {
    std::string application;  // without its query
    std::string url;          // tcUrl as sent
    std::string agent;        // flashVer
    Parameters parameters;    // of user:password@ in the url, then of tcUrl, then of app
};

struct PublishRequest {
    std::string name;       // without its query
    Parameters parameters;  // of the stream name
};

/// Parameters that a connect command's `app` and `tcUrl` carry.
ConnectRequest connect_request(std::string_view app, std::string_view url, std::string_view agent);

}  // namespace tapedeck::rtmp
