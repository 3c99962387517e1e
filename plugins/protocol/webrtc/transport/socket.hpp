// File descriptors and bound sockets.
#pragma once

#include <cstdint>
#include <string>

#include "webrtc/transport/endpoint.hpp"

namespace tapedeck::webrtc {

/// Closes it.
class Descriptor {
public:
    explicit Descriptor(int number = -1) : number_(number) {}
    ~Descriptor();
    Descriptor(Descriptor&& other) noexcept;
    Descriptor& operator=(Descriptor&& other) noexcept;

    int get() const { return number_; }
    explicit operator bool() const { return number_ >= 0; }

private:
    int number_;
};

/// Several sockets may be bound to the same address: the kernel spreads what comes over them. The first one fails where
/// somebody else has it.
enum class Place : std::uint8_t { First, Beside };

/// A socket that does not wait.
struct BoundSocket {
    /// `type` is SOCK_DGRAM or SOCK_STREAM. Throws Error naming the address.
    BoundSocket(int type, const Endpoint& address, Place place);

    int descriptor() const { return owned.get(); }

    Descriptor owned;
    Endpoint local;  // with the port that the system chose, where it was to choose
};

void set_option(int descriptor, int level, int option, int value);

}  // namespace tapedeck::webrtc
