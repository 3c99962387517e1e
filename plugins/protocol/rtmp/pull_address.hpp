// The addresses of streams that are pulled: rtmp://host[:port]/application/stream?query, and rtmps://.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tapedeck::rtmp {

/// `rtmp://` has port 1935, `rtmps://` 443. The stream is what follows the last `/` of the path, the application what
/// stands before it.
struct PullAddress {
    bool is_secure = false;
    std::string host;  // without the brackets of IPv6
    std::uint16_t port = 1935;
    std::string application;
    std::string stream;          // with its query
    std::string url;             // up to the application, as `connect` has it; with user:password@ where they are given
    std::string user, password;  // without escapes

    /// Throws Error TD_MALFORMED naming what is wrong; never with a password or a query in it.
    static PullAddress parse(std::string_view uri);
    /// Where a server sends its clients on to: `to` ends with the application, or with the stream behind it. The login
    /// goes along to the same host, unless `to` brings one or is less safe. Throws Error TD_MALFORMED.
    PullAddress moved(std::string_view to) const;
    /// `url` without user and password, for who has answered a challenge.
    std::string bare_url() const;
    /// For logs: without user, password and query.
    std::string shown() const;
};

/// The name of a stream that is given none: its address without user and password.
std::string name_of(std::string_view uri);

}  // namespace tapedeck::rtmp
