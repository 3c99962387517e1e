#include "webrtc/transport/socket.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "tapedeck/context.hpp"

namespace tapedeck::webrtc {

Descriptor::~Descriptor() {
    if (number_ >= 0) ::close(number_);
}

Descriptor::Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
}

BoundSocket::BoundSocket(int type, const Endpoint& address, Place place) {
    const std::string name = (type == SOCK_STREAM ? "TCP " : "UDP ") + address.text();
    const int family = address.is_v4() ? AF_INET : AF_INET6;
    owned = Descriptor(::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!owned) throw Error("no socket for " + name + ": " + std::strerror(errno));
    if (place == Place::Beside) set_option(descriptor(), SOL_SOCKET, SO_REUSEPORT, 1);
    if (type == SOCK_STREAM) set_option(descriptor(), SOL_SOCKET, SO_REUSEADDR, 1);
    if (family == AF_INET6) set_option(descriptor(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
    sockaddr_storage storage{};
    auto size = address.store(storage);
    auto* where = static_cast<sockaddr*>(static_cast<void*>(&storage));
    if (::bind(descriptor(), where, size) != 0 || ::getsockname(descriptor(), where, &size) != 0)
        throw Error(name + " cannot be bound: " + std::strerror(errno));
    if (place == Place::First) set_option(descriptor(), SOL_SOCKET, SO_REUSEPORT, 1);  // from now on
    local = Endpoint::of(storage);
}

void set_option(int descriptor, int level, int option, int value) {
    ::setsockopt(descriptor, level, option, &value, sizeof value);
}

}  // namespace tapedeck::webrtc
