#include "url.hpp"

#include "address/query.hpp"
#include "message.hpp"
#include "tapedeck/context.hpp"

namespace tapedeck::rtsp {

namespace {

constexpr std::string_view plain = "rtsp://", secure = "rtsps://";
constexpr std::size_t longest = 4096;

}  // namespace

Url Url::parse(std::string_view text) {
    Url url;
    auto rest = trimmed(text);
    url.is_secure = same_name(rest.substr(0, secure.size()), secure);
    const bool is_plain = same_name(rest.substr(0, plain.size()), plain);
    // Whatever is wrong with it: behind the scheme there may be a password.
    const auto scheme = rest.find("://");
    const auto shown = [&, whole = rest] {
        return scheme > 16 ? std::string("it") : "'" + printable(whole.substr(0, scheme + 3)) + "...'";
    };
    if (!url.is_secure && !is_plain)
        throw Error(TD_MALFORMED, "uri: " + shown() + " does not begin with rtsp:// or rtsps://");
    if (rest.size() > longest) throw Error(TD_MALFORMED, "uri: " + shown() + " is longer than 4096 bytes");
    if (rest.find_first_of("\r\n ") != std::string_view::npos)
        throw Error(TD_MALFORMED, "uri: " + shown() + " has a blank in it; write %20");
    rest.remove_prefix((url.is_secure ? secure : plain).size());
    const auto slash = rest.find_first_of("/?");
    const auto at = rest.rfind('@', slash);
    // A `/` in a password hides where the host begins; only an `@` before the path can end it.
    const auto path = rest.substr(std::min(slash, rest.size()));
    if (at == std::string_view::npos && path.substr(0, path.find('?')).find('@') != std::string_view::npos)
        throw Error(TD_MALFORMED,
                    "uri: " + shown() + " has an @ in its path; write %40 there, and %2F for a / in a password");
    if (at != std::string_view::npos) {
        const auto user = rest.substr(0, at);
        const auto colon = user.find(':');
        url.user = percent_decode(user.substr(0, colon));
        if (colon != std::string_view::npos) url.password = percent_decode(user.substr(colon + 1));
        rest.remove_prefix(at + 1);
    }
    auto authority = rest.substr(0, rest.find_first_of("/?"));
    url.path = rest.substr(authority.size());
    std::string_view port;
    if (authority.starts_with('[')) {
        const auto end = authority.find(']');
        if (end == std::string_view::npos) throw Error(TD_MALFORMED, "uri: an address without its ']'");
        url.host = authority.substr(1, end - 1);
        authority.remove_prefix(end + 1);
        if (authority.starts_with(':')) port = authority.substr(1);
    } else {
        const auto colon = authority.find(':');
        url.host = authority.substr(0, colon);
        if (colon != std::string_view::npos) port = authority.substr(colon + 1);
    }
    if (url.host.empty()) throw Error(TD_MALFORMED, "uri: it names no host");
    url.port = url.is_secure ? 322 : 554;
    if (!port.empty()) {
        const auto value = number(port, 65535);
        if (!value || *value == 0)
            throw Error(TD_MALFORMED, "uri: " + shown() + " has no port from 1 to 65535 behind the colon of its host");
        url.port = static_cast<std::uint16_t>(*value);
    }
    return url;
}

std::string Url::authority() const {
    const auto shown = host.find(':') == std::string::npos ? host : "[" + host + "]";
    return port == (is_secure ? 322 : 554) ? shown : shown + ":" + std::to_string(port);
}

std::string Url::text() const {
    return std::string(is_secure ? secure : plain) + authority() + path;
}

std::string resolve(std::string_view base, std::string_view control) {
    control = trimmed(control);
    if (control.empty() || control == "*") return std::string(base);
    if (control.find("://") != std::string_view::npos) return std::string(control);
    std::string whole(base);
    // Cameras mean it to be appended, also where the base has a query; RFC 3986 would replace the last segment.
    if (!whole.ends_with('/') && !control.starts_with('/')) whole += '/';
    if (whole.ends_with('/') && control.starts_with('/')) whole.pop_back();
    return whole + std::string(control);
}

Url redirected(const Url& from, std::string_view target, const Url& origin) {
    auto url = Url::parse(resolve(from.text(), target));
    if (url.user.empty() && url.is_secure == origin.is_secure && same_name(url.host, origin.host) &&
        url.port == origin.port) {
        url.user = origin.user;
        url.password = origin.password;
    }
    return url;
}

}  // namespace tapedeck::rtsp
