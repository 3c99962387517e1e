#include "socket.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>

#include "tapedeck/context.hpp"

namespace tapedeck::rtsp {

namespace {

constexpr int receive_buffer = 1 << 20;  // a key frame comes at once; the system may allow less

Address lookup(const std::string& host, std::uint16_t port, int flags) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = flags;
    addrinfo* found = nullptr;
    const int failed = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
    if (failed != 0) throw Error(TD_NOT_FOUND, "host '" + host + "': " + ::gai_strerror(failed));
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
    Address address;
    std::memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
    address.size = found->ai_addrlen;
    address.port(port);
    return address;
}

void set(int descriptor, int level, int option, int value) {
    ::setsockopt(descriptor, level, option, &value, sizeof value);
}

/// Null where the port is in use.
Descriptor bound(const Address& at) {
    Descriptor socket(::socket(at.storage.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket) throw Error(std::string("no more sockets: ") + std::strerror(errno));
    set(socket.get(), SOL_SOCKET, SO_RCVBUF, receive_buffer);
    if (::bind(socket.get(), at.get(), at.size) != 0) {
        if (errno == EADDRINUSE) return Descriptor();
        throw Error("UDP on " + at.text() + ": " + std::strerror(errno));
    }
    return socket;
}

}  // namespace

Descriptor::~Descriptor() {
    if (number_ >= 0) ::close(number_);
}

Address Address::parse(const std::string& host, std::uint16_t port) {
    return lookup(host, port, AI_NUMERICHOST);
}

Address Address::resolve(const std::string& host, std::uint16_t port) {
    return lookup(host, port, AI_ADDRCONFIG);
}

std::uint16_t Address::port() const {
    const auto* in = static_cast<const void*>(&storage);
    return ntohs(storage.ss_family == AF_INET6 ? static_cast<const sockaddr_in6*>(in)->sin6_port
                                               : static_cast<const sockaddr_in*>(in)->sin_port);
}

void Address::port(std::uint16_t number) {
    auto* in = static_cast<void*>(&storage);
    if (storage.ss_family == AF_INET6)
        static_cast<sockaddr_in6*>(in)->sin6_port = htons(number);
    else
        static_cast<sockaddr_in*>(in)->sin_port = htons(number);
}

std::string Address::host() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const auto* in = static_cast<const void*>(&storage);
    if (storage.ss_family == AF_INET6)
        ::inet_ntop(AF_INET6, &static_cast<const sockaddr_in6*>(in)->sin6_addr, text.data(), text.size());
    else
        ::inet_ntop(AF_INET, &static_cast<const sockaddr_in*>(in)->sin_addr, text.data(), text.size());
    const std::string shown(text.data());
    constexpr std::string_view mapped = "::ffff:";
    return shown.starts_with(mapped) && shown.find('.') != std::string::npos ? shown.substr(mapped.size()) : shown;
}

std::string Address::text() const {
    const auto shown = host();
    return (shown.find(':') == std::string::npos ? shown : "[" + shown + "]") + ":" + std::to_string(port());
}

Address local_address(int descriptor) {
    Address address;
    ::getsockname(descriptor, address.get(), &address.size);
    return address;
}

Address remote_address(int descriptor) {
    Address address;
    ::getpeername(descriptor, address.get(), &address.size);
    return address;
}

Descriptor connect_to(const Address& to) {
    Descriptor socket(::socket(to.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket) throw Error(std::string("no more sockets: ") + std::strerror(errno));
    set(socket.get(), IPPROTO_TCP, TCP_NODELAY, 1);
    if (::connect(socket.get(), to.get(), to.size) != 0 && errno != EINPROGRESS)
        throw Error(to.text() + ": " + std::strerror(errno));
    return socket;
}

Descriptor listen_on(const Address& at) {
    Descriptor socket(::socket(at.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket) throw Error(std::string("no more sockets: ") + std::strerror(errno));
    set(socket.get(), SOL_SOCKET, SO_REUSEADDR, 1);
    if (at.storage.ss_family == AF_INET6) set(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, 0);
    if (::bind(socket.get(), at.get(), at.size) != 0 || ::listen(socket.get(), 128) != 0)
        throw Error(at.text() + ": " + std::strerror(errno));
    return socket;
}

UdpPair UdpPair::bind(const Address& like, std::uint16_t from, std::uint16_t to) {
    auto at = like;
    const auto pair_at = [&](std::uint16_t port) {
        UdpPair pair;
        pair.port = port;
        at.port(port);
        pair.rtp = bound(at);
        at.port(static_cast<std::uint16_t>(port + 1));
        if (pair.rtp) pair.rtcp = bound(at);
        return pair;
    };
    if (from == 0) {
        for (int attempt = 0; attempt < 32; ++attempt) {
            at.port(0);
            const auto probe = bound(at);
            const auto port = static_cast<std::uint16_t>(local_address(probe.get()).port() | 1);
            if (port == 65535) continue;
            if (auto pair = pair_at(static_cast<std::uint16_t>(port + 1)); pair.rtcp) return pair;
        }
    }
    // Where the last one was found the next is likely to be free.
    static std::atomic<std::uint32_t> turn = 0;
    const auto first = static_cast<std::uint32_t>(from + from % 2);
    const auto pairs = to > first ? (to - first + 1u) / 2 : 0;
    for (std::uint32_t tried = 0; from != 0 && tried < pairs; ++tried) {
        const auto port = first + turn++ % pairs * 2;
        if (auto pair = pair_at(static_cast<std::uint16_t>(port)); pair.rtcp) return pair;
    }
    throw Error("all UDP ports from " + std::to_string(from) + " to " + std::to_string(to) +
                " are in use; settings 'protocol.rtsp.udp_port_from' and 'udp_port_to' allow more");
}

}  // namespace tapedeck::rtsp
