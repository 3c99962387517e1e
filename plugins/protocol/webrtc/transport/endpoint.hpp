// Where a datagram comes from and goes to.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace tapedeck::webrtc {

/// A time of the monotonic clock (std::chrono::steady_clock).
using Time = std::chrono::microseconds;

/// An IPv4 or IPv6 address with its port. IPv4 is kept as ::ffff:a.b.c.d.
struct Endpoint {
    std::array<std::uint8_t, 16> ip{};
    std::uint16_t port = 0;

    bool operator==(const Endpoint&) const = default;
    bool is_v4() const;
    /// Whether it stands for every address of the machine.
    bool is_any() const;
    /// Whose it is, without the port: the address, of IPv6 the /64.
    std::array<std::uint8_t, 16> source() const;

    static Endpoint v4(in_addr address, std::uint16_t port);
    static Endpoint v6(const in6_addr& address, std::uint16_t port);
    /// Of a sockaddr_in or sockaddr_in6.
    static Endpoint of(const sockaddr_storage& address);
    /// `ip` is a literal address, without brackets. Throws Error naming it.
    static Endpoint parse(const std::string& ip, std::uint16_t port);
    /// Writes the sockaddr and returns its size.
    socklen_t store(sockaddr_storage& into) const;
    /// "192.0.2.1:5000" or "[2001:db8::1]:5000".
    std::string text() const;
};

/// The two ends of one path, ours and the peer's.
struct Pair {
    Endpoint local, remote;
    bool is_tcp = false;

    bool operator==(const Pair&) const = default;
};

struct HashPair {
    std::size_t operator()(const Pair& pair) const;
};

}  // namespace tapedeck::webrtc
