#include "mpegts/address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "address/query.hpp"
#include "tapedeck/context.hpp"

namespace tapedeck::mpegts {
namespace {

constexpr std::array<std::uint8_t, 12> v4_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

}  // namespace

bool Address::is_v4() const {
    return std::equal(v4_prefix.begin(), v4_prefix.end(), ip.begin());
}

Address Address::parse(const std::string& ip, std::uint16_t port) {
    Address address;
    address.port = port;
    if (::inet_pton(AF_INET6, ip.c_str(), address.ip.data()) == 1) return address;
    std::copy(v4_prefix.begin(), v4_prefix.end(), address.ip.begin());
    if (::inet_pton(AF_INET, ip.c_str(), address.ip.data() + 12) == 1) return address;
    throw Error(TD_MALFORMED, "'" + printable(ip) + "' is no IP address");
}

Address Address::of(const sockaddr_storage& from) {
    Address address;
    if (from.ss_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, &from, sizeof v4);
        std::copy(v4_prefix.begin(), v4_prefix.end(), address.ip.begin());
        std::memcpy(address.ip.data() + 12, &v4.sin_addr, 4);
        address.port = ntohs(v4.sin_port);
    } else {
        sockaddr_in6 v6{};
        std::memcpy(&v6, &from, sizeof v6);
        std::memcpy(address.ip.data(), &v6.sin6_addr, 16);
        address.port = ntohs(v6.sin6_port);
    }
    return address;
}

socklen_t Address::store(sockaddr_storage& into) const {
    into = {};
    if (is_v4()) {
        sockaddr_in v4{};
        v4.sin_family = AF_INET;
        v4.sin_port = htons(port);
        std::memcpy(&v4.sin_addr, ip.data() + 12, 4);
        std::memcpy(&into, &v4, sizeof v4);
        return sizeof v4;
    }
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&v6.sin6_addr, ip.data(), 16);
    std::memcpy(&into, &v6, sizeof v6);
    return sizeof v6;
}

std::string Address::text() const {
    std::array<char, INET6_ADDRSTRLEN> name{};
    if (is_v4()) {
        ::inet_ntop(AF_INET, ip.data() + 12, name.data(), name.size());
        return std::string(name.data()) + ":" + std::to_string(port);
    }
    ::inet_ntop(AF_INET6, ip.data(), name.data(), name.size());
    return "[" + std::string(name.data()) + "]:" + std::to_string(port);
}

void Networks::add(const std::string& network) {
    const auto slash = std::min(network.find('/'), network.size());
    const auto address = Address::parse(network.substr(0, slash), 0);
    const unsigned most = address.is_v4() ? 32 : 128;
    unsigned bits = most;
    if (slash != network.size()) {
        const char* const end = network.data() + network.size();
        const auto [at, fault] = std::from_chars(network.data() + slash + 1, end, bits);
        if (fault != std::errc() || at != end || bits > most)
            throw Error(TD_MALFORMED,
                        "'" + printable(network) + "' is no network: it ends with /0 to /" + std::to_string(most));
    }
    networks_.push_back({address.ip, bits + 128 - most});
    names_.push_back(network);
}

bool Networks::contain(const Address& address) const {
    return networks_.empty() || std::ranges::any_of(networks_, [&](const Network& network) {
               for (unsigned bit = 0; bit < network.bits; ++bit)
                   if (((network.ip[bit / 8] ^ address.ip[bit / 8]) >> (7 - bit % 8) & 1) != 0) return false;
               return true;
           });
}

}  // namespace tapedeck::mpegts
