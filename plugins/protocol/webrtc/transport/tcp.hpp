// Peers whose network takes no UDP: passive ICE-TCP (RFC 6544), packets in the frames of RFC 4571.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "webrtc/transport/peer.hpp"
#include "webrtc/transport/socket.hpp"

namespace tapedeck::webrtc {

/// Of one thread's connections.
struct TcpLimits {
    std::size_t unverified = 256;              // that carried no check of a peer yet; beyond, the oldest is closed
    std::size_t unverified_of_one = 32;        // of these, from one address; beyond, the oldest from there
    Time patience = std::chrono::seconds(10);  // until such a one is closed
    std::size_t queued = 256 << 10;            // bytes for a slow reader; packets beyond are dropped
};

/// Listens on an address, beside others on the same one. Throws Error naming it.
struct TcpListener : BoundSocket {
    explicit TcpListener(const Endpoint& address, Place place = Place::First);
};

/// A connection on its way from one thread to another.
struct TcpStream {
    Descriptor descriptor;
    Pair pair;
    Time accepted{};
    Bytes unread;  // what came and was not yet worked on
};

/// The connections of one thread. One lives as long as its owner takes what comes over it: the first frame must be a
/// check of a peer. A frame is worked on where it was read; what is sent waits until `flush`. One thread.
class TcpConnections {
public:
    class Owner {
    public:
        virtual ~Owner() = default;
        /// A frame of at least one byte. False: the connection is of no use.
        virtual bool take(const Pair& via, const Arrival& frame) = 0;
        /// The other side has closed it.
        virtual void gone(const Pair& via) = 0;
    };

    /// `owner` is borrowed.
    TcpConnections(Context context, std::vector<TcpListener> listeners, const TcpLimits& limits, Owner& owner);
    ~TcpConnections();
    TcpConnections(const TcpConnections&) = delete;
    TcpConnections& operator=(const TcpConnections&) = delete;

    /// Readable when `turn` has something to do.
    int descriptor() const { return epoll_.get(); }
    /// Accepts, reads and writes what is there.
    void turn(Time now);
    /// Call about ten times a second while `wants_tick`.
    void tick(Time now);
    bool wants_tick() const { return !unverified_.empty() || is_paused_; }

    /// Drops it where the connection is gone or its reader is too slow.
    void send(const Pair& to, ByteSpan packet);
    /// Once what it was sent has been offered to the system. No call comes for it afterwards.
    void close(const Pair& pair);
    /// From within `take`: the connection with that frame and what follows it, for another thread.
    TcpStream release(const Pair& pair);
    void adopt(TcpStream stream, Time now);
    void flush();
    std::uint64_t dropped() const { return dropped_; }

private:
    struct Connection;

    void watch(int descriptor, int operation, std::uint32_t events, Connection* connection) const;
    void listen(bool is_open);
    void accept(Time now);
    void make_room(const Endpoint& remote);
    Connection& add(TcpStream stream);
    std::span<std::uint8_t> room(const Bytes& unread);
    std::span<std::uint8_t> aligned(std::span<std::uint8_t> frame) const;
    void read(Connection& connection, Time now);
    void work(Connection& connection, std::span<std::uint8_t> bytes, Time now);
    void write(Connection& connection);
    void lose(const Connection& connection);

    Context context_;
    std::vector<TcpListener> listeners_;
    TcpLimits limits_;
    Owner& owner_;
    Descriptor epoll_;
    std::unordered_map<Pair, std::unique_ptr<Connection>, HashPair> connections_;
    std::vector<Connection*> unverified_;            // the oldest first
    std::vector<Connection*> unsent_;                // that have something for `flush`
    std::vector<std::unique_ptr<Connection>> over_;  // until `flush`
    bool is_paused_ = false;                         // the system has no room for more connections

    Buffer block_;
    std::size_t used_ = 0, read_ = 0;  // bytes at the front of the block that may be kept, and of the last read
    bool is_kept_ = false;
    std::span<std::uint8_t> unworked_;  // from the frame that is being taken on
    std::uint64_t dropped_ = 0;
};

}  // namespace tapedeck::webrtc
