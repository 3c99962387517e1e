// rtsp:// and rtsps:// addresses.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tapedeck::rtsp {

struct Url {
    bool is_secure = false;
    std::string user, password;  // percent-decoded
    std::string host;            // without the brackets of IPv6
    std::uint16_t port = 554;    // 322 where it is secure
    std::string path;            // with its query; begins with `/`, or is empty

    /// Throws Error naming the uri, its password left out. An `@` in a password is taken as it is, as cameras' own
    /// pages show such addresses.
    static Url parse(std::string_view text);
    /// Without user and password, as requests and logs have it.
    std::string text() const;
    std::string authority() const;
};

/// The address of `control` of a description whose base is `base` (RFC 2326 section C.1.1).
std::string resolve(std::string_view base, std::string_view control);

/// Where `from` sends us; `target` may be relative. It gets the login of `origin` where it has none and is the same
/// host, port and scheme: nobody else gets the password. Throws Error as `parse` does.
Url redirected(const Url& from, std::string_view target, const Url& origin);

}  // namespace tapedeck::rtsp
