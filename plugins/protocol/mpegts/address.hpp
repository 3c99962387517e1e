// Addresses of senders, and which of them may send.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace tapedeck::mpegts {

/// IPv4 is kept as ::ffff:a.b.c.d.
struct Address {
    std::array<std::uint8_t, 16> ip{};
    std::uint16_t port = 0;

    bool operator==(const Address&) const = default;
    bool is_v4() const;
    /// A literal address without brackets. Throws Error naming it.
    static Address parse(const std::string& ip, std::uint16_t port);
    static Address of(const sockaddr_storage& from);
    socklen_t store(sockaddr_storage& into) const;
    std::string text() const;  ///< "192.0.2.1:5000" or "[2001:db8::1]:5000"
};

/// Addresses and networks such as `192.0.2.0/24`; none: everybody.
class Networks {
public:
    /// Throws Error naming what is none.
    void add(const std::string& network);
    bool contain(const Address& address) const;
    /// As they were given.
    const std::vector<std::string>& names() const { return names_; }

private:
    struct Network {
        std::array<std::uint8_t, 16> ip;
        unsigned bits;
    };
    std::vector<Network> networks_;
    std::vector<std::string> names_;
};

}  // namespace tapedeck::mpegts
