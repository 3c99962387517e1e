// Sockets that do not wait, and addresses.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <utility>

namespace tapedeck::rtsp {

/// Closes it.
class Descriptor {
public:
    explicit Descriptor(int number = -1) : number_(number) {}
    ~Descriptor();
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }

    int get() const { return number_; }
    explicit operator bool() const { return number_ >= 0; }

private:
    int number_;
};

/// IPv4 or IPv6, with a port. An IPv4 address in IPv6's form is shown as IPv4.
struct Address {
    sockaddr_storage storage{};
    socklen_t size = sizeof(sockaddr_storage);

    /// Of digits alone; asks nobody. Throws Error where it is none.
    static Address parse(const std::string& host, std::uint16_t port);
    /// Asks the resolver, which may take seconds. Throws Error naming the host.
    static Address resolve(const std::string& host, std::uint16_t port);

    sockaddr* get() { return static_cast<sockaddr*>(static_cast<void*>(&storage)); }
    const sockaddr* get() const { return static_cast<const sockaddr*>(static_cast<const void*>(&storage)); }
    std::uint16_t port() const;
    void port(std::uint16_t number);
    std::string host() const;  // without the port
    std::string text() const;  // with it
};

Address local_address(int descriptor);
Address remote_address(int descriptor);

/// Begins to connect; it can be written when it is through. Throws Error naming the address.
Descriptor connect_to(const Address& to);
/// Throws Error naming address and port.
Descriptor listen_on(const Address& at);

/// Sockets for RTP and RTCP on neighbouring ports, the first of which is even.
struct UdpPair {
    Descriptor rtp, rtcp;
    std::uint16_t port = 0;  // of RTP

    /// On the local address of `like` with ports of this range; 0 to 0: any. Throws Error TD_FAILED naming the range
    /// where all are in use.
    static UdpPair bind(const Address& like, std::uint16_t from, std::uint16_t to);
};

}  // namespace tapedeck::rtsp
