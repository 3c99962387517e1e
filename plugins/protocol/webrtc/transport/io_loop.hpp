// One thread that receives, and the peers that live on it.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "webrtc/transport/rate_limit.hpp"
#include "webrtc/transport/registry.hpp"
#include "webrtc/transport/udp.hpp"

namespace tapedeck::webrtc {

/// What happened to datagrams, since the start.
struct TransportCounters {
    std::uint64_t received = 0;
    std::uint64_t strange = 0;    // of a pair or a ufrag that no peer has, or no STUN, DTLS, RTP or RTCP
    std::uint64_t limited = 0;    // requests over unknown pairs beyond what one source address may send
    std::uint64_t forwarded = 0;  // handed to the thread where their peer lives
    std::uint64_t dropped = 0;    // to be sent, but the system had no room
};

/// Waits in epoll for its sockets and for what is posted; looks at all its peers ten times a second, and sleeps for
/// good while it has none. All members but those marked [any] are used on the thread itself.
class IoLoop {
public:
    /// `identity` and `registry` outlive it. `first` of the loops also looks after the peers that nobody owns.
    IoLoop(Context context, std::shared_ptr<DtlsIdentity> identity, Registry& registry, std::vector<UdpSocket> sockets,
           bool first);
    ~IoLoop();
    IoLoop(const IoLoop&) = delete;
    IoLoop& operator=(const IoLoop&) = delete;

    /// [control] `loops`: all of them, also this.
    void start(std::vector<IoLoop*> loops);
    /// [control] Ends its peers, then joins.
    void stop();
    /// [any] Runs it on the thread, unless that has stopped.
    void post(std::function<void()> work);
    /// Runs it with a peer that this loop owns, if it is not over.
    void with(const PeerRef& entry, const std::function<void(Peer&)>& work);
    const std::vector<UdpSocket>& sockets() const { return sockets_; }
    TransportCounters counters() const;  // [any]

private:
    /// A datagram that came to another thread than its peer's.
    struct Forwarded {
        Pair via;
        Buffer block;
        std::span<std::uint8_t> bytes;
        Time at;
        IoLoop* from;
    };
    void run();
    void turn();
    void receive(const UdpSocket& socket);
    void dispatch(const Pair& via, const Arrival& arrival, IoLoop* from);
    void unknown(const Pair& via, const Arrival& arrival, IoLoop* from);
    void check(const PeerRef& entry, const stun::Message& request, const Pair& via, Time now, IoLoop* from);
    void forward(IoLoop* to, const Pair& via, const Arrival& arrival);  // to another loop's queue
    void run_posted();
    void tick(Time now);
    bool adopt(const PeerRef& entry);
    void settle(const PeerRef& where);
    void wake() const;

    Context context_;
    std::shared_ptr<DtlsIdentity> identity_;
    Registry& registry_;
    std::vector<UdpSocket> sockets_;
    bool is_first_;
    std::vector<IoLoop*> loops_;
    int epoll_ = -1, wake_ = -1;

    ReceiveBatch in_;
    SendBatch out_;
    RateLimit strangers_, refusals_;
    std::unordered_set<PeerRef> peers_;
    std::unordered_map<Pair, PeerRef, HashPair> by_pair_;
    std::unordered_map<Pair, IoLoop*, HashPair> elsewhere_;  // pairs that the kernel delivers here
    Time last_tick_{};
    bool is_stopping_ = false;

    struct Counts {
        std::atomic<std::uint64_t> received{0}, strange{0}, limited{0}, forwarded{0}, dropped{0};
    };
    Counts counts_;
    std::mutex mutex_;  // of the two queues
    std::vector<std::function<void()>> posted_;
    std::atomic<bool> has_posted_ = false;
    std::vector<Forwarded> forwarded_;  // at most 4096
    std::vector<Forwarded> taken_;
    Thread thread_;
};

}  // namespace tapedeck::webrtc
