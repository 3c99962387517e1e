// All WebRTC peers of the server behind one port, UDP's and TCP's.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "webrtc/transport/io_loop.hpp"

namespace tapedeck::webrtc {

/// Addresses that are bound; port 0: the system chooses one for all. An "any" address answers from the address that
/// was written to.
struct TransportConfig {
    std::vector<Endpoint> addresses;
    unsigned threads = 1;
    std::shared_ptr<DtlsIdentity> identity;
    bool has_tcp = true;  // TCP too, on the same ports
    TcpLimits tcp{};
    unsigned player_threads = 1;  // beside `threads`
};

/// Receives on each address with as many sockets as threads, over which the kernel spreads the clients. Players have
/// threads of their own, so that serving many of them keeps nobody from receiving. Any thread may call; what a peer
/// does happens on its own.
class Transport {
public:
    /// Throws Error naming the address that cannot be bound.
    Transport(Context context, const TransportConfig& config);
    /// All peers end, and no call comes afterwards. Not from within a call of PeerEvents.
    ~Transport();

    /// Those of the configuration with the port they have; what the candidates in an answer say.
    const std::vector<Endpoint>& addresses() const { return addresses_; }
    /// Whether peers may come by TCP as well.
    bool has_tcp() const { return has_tcp_; }
    Fingerprint fingerprint() const { return identity_->fingerprint(); }

    /// From now on the peer is expected; its name is `config.local.ufrag`. `events` is kept until its last call.
    PeerRef add(PeerConfig config, std::shared_ptr<PeerEvents> events);
    /// `woken` comes on the player's thread soon, once for all calls until then. Costs little.
    void wake(const PeerRef& player) const;
    /// Says goodbye. `ended` follows, unless the peer is over already.
    void remove(const std::string& ufrag);
    /// Runs it on the peer's thread. Dropped if there is no such peer any more.
    void with(const std::string& ufrag, std::function<void(Peer&)> work);

    std::size_t size() const { return registry_.size(); }
    TransportCounters counters() const;

private:
    std::shared_ptr<DtlsIdentity> identity_;
    Registry registry_;
    std::vector<Endpoint> addresses_;
    bool has_tcp_;
    std::vector<std::unique_ptr<IoLoop>> loops_;  // those that receive, then the players'
    std::size_t receiving_;
    std::atomic<std::size_t> players_ = 0;  // that were added
};

}  // namespace tapedeck::webrtc
