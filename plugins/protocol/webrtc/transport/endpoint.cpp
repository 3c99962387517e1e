#include "webrtc/transport/endpoint.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "tapedeck/context.hpp"

namespace tapedeck::webrtc {

namespace {
constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
}

bool Endpoint::is_v4() const {
    return std::equal(mapped.begin(), mapped.end(), ip.begin());
}

bool Endpoint::is_any() const {
    return std::all_of(ip.begin() + (is_v4() ? 12 : 0), ip.end(), [](auto byte) { return byte == 0; });
}

std::array<std::uint8_t, 16> Endpoint::source() const {
    auto whole = ip;
    if (!is_v4()) std::fill(whole.begin() + 8, whole.end(), std::uint8_t{0});
    return whole;
}

Endpoint Endpoint::v4(in_addr address, std::uint16_t port) {
    Endpoint made{.port = port};
    std::copy(mapped.begin(), mapped.end(), made.ip.begin());
    std::memcpy(made.ip.data() + 12, &address, 4);
    return made;
}

Endpoint Endpoint::v6(const in6_addr& address, std::uint16_t port) {
    Endpoint made{.port = port};
    std::memcpy(made.ip.data(), &address, 16);
    return made;
}

Endpoint Endpoint::of(const sockaddr_storage& address) {
    if (address.ss_family == AF_INET) {
        sockaddr_in in{};
        std::memcpy(&in, &address, sizeof in);
        return v4(in.sin_addr, ntohs(in.sin_port));
    }
    sockaddr_in6 in{};
    std::memcpy(&in, &address, sizeof in);
    return v6(in.sin6_addr, ntohs(in.sin6_port));
}

Endpoint Endpoint::parse(const std::string& ip, std::uint16_t port) {
    in_addr four{};
    if (inet_pton(AF_INET, ip.c_str(), &four) == 1) return v4(four, port);
    in6_addr six{};
    if (inet_pton(AF_INET6, ip.c_str(), &six) == 1) return v6(six, port);
    throw Error("'" + ip + "' is no IPv4 or IPv6 address");
}

socklen_t Endpoint::store(sockaddr_storage& into) const {
    into = {};
    if (is_v4()) {
        sockaddr_in out{};
        out.sin_family = AF_INET;
        out.sin_port = htons(port);
        std::memcpy(&out.sin_addr, ip.data() + 12, 4);
        std::memcpy(&into, &out, sizeof out);
        return sizeof out;
    }
    sockaddr_in6 out{};
    out.sin6_family = AF_INET6;
    out.sin6_port = htons(port);
    std::memcpy(&out.sin6_addr, ip.data(), 16);
    std::memcpy(&into, &out, sizeof out);
    return sizeof out;
}

std::string Endpoint::text() const {
    std::array<char, INET6_ADDRSTRLEN> name{};
    if (is_v4()) {
        inet_ntop(AF_INET, ip.data() + 12, name.data(), name.size());
        return std::string(name.data()) + ':' + std::to_string(port);
    }
    inet_ntop(AF_INET6, ip.data(), name.data(), name.size());
    return '[' + std::string(name.data()) + "]:" + std::to_string(port);
}

std::size_t HashPair::operator()(const Pair& pair) const {
    std::array<char, 36> key{};
    std::memcpy(key.data(), pair.local.ip.data(), 16);
    std::memcpy(key.data() + 16, pair.remote.ip.data(), 16);
    std::memcpy(key.data() + 32, &pair.local.port, 2);
    std::memcpy(key.data() + 34, &pair.remote.port, 2);
    return std::hash<std::string_view>()({key.data(), key.size()});
}

}  // namespace tapedeck::webrtc
