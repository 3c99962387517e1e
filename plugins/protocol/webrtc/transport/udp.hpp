// Datagrams in batches: recvmmsg into host memory, sendmmsg out of one block.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "webrtc/transport/peer.hpp"
#include "webrtc/transport/socket.hpp"

namespace tapedeck::webrtc {

/// One bound socket, which does not wait. Bound to an "any" address it learns the address that each datagram was
/// written to, and answers from it: browsers drop what comes from another one.
class UdpSocket {
public:
    /// Several sockets may be bound to the same address: the kernel spreads the pairs over them, always the same way.
    /// Throws Error naming the address.
    explicit UdpSocket(const Endpoint& address, Place place = Place::First);

    int descriptor() const { return socket_.descriptor(); }
    /// With the port that the system chose, where it was to choose.
    const Endpoint& local() const { return socket_.local; }

private:
    BoundSocket socket_;
};

/// Receives up to 32 datagrams at once into a block that is used again unless somebody kept a part of it.
class ReceiveBatch {
public:
    explicit ReceiveBatch(Context context) : context_(context) {}

    struct Datagram {
        Pair via;
        std::span<std::uint8_t> bytes;
    };
    /// What has come; valid until the next call. Empty: nothing there. Longer ones than 2048 bytes are dropped.
    std::span<const Datagram> receive(const UdpSocket& socket);
    /// One of them, for whoever may keep it.
    Arrival arrival(const Datagram& datagram, Time now) { return {datagram.bytes, now, block_, is_kept_}; }

private:
    static constexpr std::size_t slot = 2048, slots = 32;

    Context context_;
    Buffer block_;
    bool is_kept_ = false;
    std::size_t used_ = 0;  // slots at the front of the block that may be kept
    std::vector<Datagram> datagrams_;
};

/// Collects up to 32 datagrams. Those that the system does not take at once are dropped and counted.
class SendBatch : public DatagramOut {
public:
    /// `sockets` are borrowed.
    explicit SendBatch(std::span<const UdpSocket> sockets) : sockets_(sockets), bytes_(slot * slots) {}

    std::span<std::uint8_t> room() override;
    void commit(const Pair& to, std::size_t size) override;
    void flush();
    std::uint64_t dropped() const { return dropped_; }

private:
    static constexpr std::size_t slot = 1536, slots = 32;
    struct Entry {
        Pair to;
        std::size_t size;
    };
    const UdpSocket* socket_of(const Pair& pair) const;
    void send(const UdpSocket& socket, std::size_t first, std::size_t count);

    std::span<const UdpSocket> sockets_;
    std::vector<std::uint8_t> bytes_;
    std::array<Entry, slots> entries_{};
    std::size_t count_ = 0;
    std::uint64_t dropped_ = 0;
};

}  // namespace tapedeck::webrtc
