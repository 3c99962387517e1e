#include "pull_address.hpp"

#include <algorithm>
#include <charconv>

#include "request.hpp"
#include "tapedeck/context.hpp"

namespace tapedeck::rtmp {

namespace {

constexpr std::string_view plain = "rtmp://", secure = "rtmps://";
constexpr std::size_t longest_uri = 4096;

[[noreturn]] void refuse_uri(const std::string& what) {
    throw Error(TD_MALFORMED, "uri: " + what + "; rtmp://host[:port]/application/stream is what it must look like");
}

bool begins_with(std::string_view text, std::string_view scheme) {
    return text.size() >= scheme.size() &&
           std::ranges::equal(text.substr(0, scheme.size()), scheme, [](char a, char b) {
               return (a >= 'A' && a <= 'Z' ? static_cast<char>(a | 0x20) : a) == b;
           });
}

/// Where `user:password@` ends in what follows the scheme; 0 without it.
std::size_t behind_user(std::string_view rest) {
    const auto at = rest.substr(0, rest.find_first_of("/?")).rfind('@');
    return at == std::string_view::npos ? 0 : at + 1;
}

std::uint16_t port_in(std::string_view text) {
    std::uint16_t port = 0;
    const auto* end = text.data() + text.size();
    const auto [last, error] = std::from_chars(text.data(), end, port);
    if (error != std::errc() || last != end || port == 0) refuse_uri("'" + printable(text) + "' is no port");
    return port;
}

}  // namespace

PullAddress PullAddress::parse(std::string_view uri) {
    PullAddress address;
    if (uri.size() > longest_uri) refuse_uri("it is longer than " + std::to_string(longest_uri) + " bytes");
    address.is_secure = begins_with(uri, secure);
    if (!address.is_secure && !begins_with(uri, plain))
        refuse_uri("'" + printable(uri.substr(0, uri.find_first_of("/@?"))) + "' is not rtmp:// or rtmps://");
    if (std::ranges::any_of(uri, [](char c) { return c >= 0 && c <= ' '; })) refuse_uri("it has a blank in it");
    const auto& scheme = address.is_secure ? secure : plain;
    const auto rest = uri.substr(scheme.size());

    const auto path_at = std::min(rest.find_first_of("/?"), rest.size());
    auto authority = rest.substr(0, path_at).substr(behind_user(rest));
    if (authority.starts_with('[')) {
        const auto end = authority.find(']');
        if (end == std::string_view::npos) refuse_uri("the ']' of its host is missing");
        address.host = authority.substr(1, end - 1);
        authority.remove_prefix(end + 1);
    } else {
        address.host = authority.substr(0, authority.find(':'));
        authority.remove_prefix(address.host.size());
    }
    if (address.host.empty()) refuse_uri("it names no host");
    if (!authority.empty() && authority[0] != ':') refuse_uri("'" + printable(authority) + "' is no port");
    address.port = address.is_secure ? 443 : 1935;
    if (authority.size() > 1) address.port = port_in(authority.substr(1));

    const auto path = rest.substr(path_at, std::min(rest.find('?', path_at), rest.size()) - path_at);
    const auto slash = path.rfind('/');
    if (slash == std::string_view::npos || slash == 0) refuse_uri("it names no application and stream");
    address.application = path.substr(1, slash - 1);
    address.stream = rest.substr(path_at + slash + 1);
    if (address.application.empty() || slash + 1 == path.size()) refuse_uri("it names no stream");
    address.url = std::string(scheme) + std::string(rest.substr(0, path_at + slash));
    const auto login = rest.substr(0, behind_user(rest));
    const auto colon = std::min(login.find(':'), login.size());
    if (!login.empty()) {
        address.user = percent_decode(login.substr(0, std::min(colon, login.size() - 1)));
        if (colon < login.size()) address.password = percent_decode(login.substr(colon + 1, login.size() - colon - 2));
    }
    return address;
}

PullAddress PullAddress::moved(std::string_view to) const {
    const auto query = to.substr(std::min(to.find('?'), to.size()));
    auto base = std::string(to.substr(0, to.size() - query.size()));
    while (base.ends_with('/')) base.pop_back();
    const auto name = "/" + stream.substr(0, stream.find('?'));
    const auto scheme_end = base.find("://");
    if (scheme_end == std::string::npos) refuse_uri("'" + printable(to) + "' has no scheme");
    const auto path_at = std::min(base.find('/', scheme_end + 3), base.size());
    if (base.size() > path_at + name.size() && base.ends_with(name)) base.resize(base.size() - name.size());
    if (path_at == base.size()) base += "/" + application;
    auto there = parse(base + "/" + stream);
    const bool is_safe = there.is_secure || !is_secure;
    if (there.user.empty() && !user.empty() && there.host == host && is_safe) {
        const auto own = url.substr(url.find("://") + 3);
        there = parse(base.insert(scheme_end + 3, own.substr(0, behind_user(own))) + "/" + stream);
    }
    there.application += query;
    there.url += query;
    return there;
}

std::string PullAddress::bare_url() const {
    return name_of(url);
}

std::string PullAddress::shown() const {
    const auto named = host.find(':') == std::string::npos ? host : "[" + host + "]";
    return printable(std::string(is_secure ? secure : plain) + named + ":" + std::to_string(port) + "/" + application +
                     "/" + stream.substr(0, stream.find('?')));
}

std::string name_of(std::string_view uri) {
    const auto scheme = uri.find("://");
    if (scheme == std::string_view::npos) return std::string(uri);
    const auto rest = uri.substr(scheme + 3);
    return std::string(uri.substr(0, uri.size() - rest.size())) + std::string(rest.substr(behind_user(rest)));
}

}  // namespace tapedeck::rtmp
