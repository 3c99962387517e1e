// One thread and the peers that live on it.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "webrtc/transport/rate_limit.hpp"
#include "webrtc/transport/registry.hpp"
#include "webrtc/transport/tcp.hpp"
#include "webrtc/transport/udp.hpp"

namespace tapedeck::webrtc {

/// What happened to datagrams and frames, since the start.
struct TransportCounters {
    std::uint64_t received = 0;
    std::uint64_t strange = 0;    // of a pair or a ufrag that no peer has, or no STUN, DTLS, RTP or RTCP
    std::uint64_t limited = 0;    // requests over unknown pairs beyond what one source address may send
    std::uint64_t forwarded = 0;  // handed to the thread where their peer lives
    std::uint64_t dropped = 0;    // to be sent, but the system had no room, or their connection
};

/// Where the sockets of one thread listen.
struct Listeners {
    std::vector<UdpSocket> udp;
    std::vector<TcpListener> tcp;
};

/// Waits in epoll for its sockets and for what is posted; looks at all its peers ten times a second, sooner at those
/// that wish it, and sleeps for good while it has none. A players' loop receives no datagrams itself: it is handed what
/// comes for its peers, and answers over another loop's sockets. All members but those marked [any] are used on the
/// thread itself.
class IoLoop : TcpConnections::Owner {
public:
    /// `identity` and `registry` outlive it. `first` of the loops also looks after the peers that nobody owns.
    IoLoop(Context context, std::shared_ptr<DtlsIdentity> identity, Registry& registry, Listeners listeners,
           const TcpLimits& limits, bool first);
    /// Players'. `sockets` outlive its thread.
    IoLoop(Context context, std::shared_ptr<DtlsIdentity> identity, Registry& registry,
           std::span<const UdpSocket> sockets, const TcpLimits& limits);
    ~IoLoop() override;
    IoLoop(const IoLoop&) = delete;
    IoLoop& operator=(const IoLoop&) = delete;

    void start();  // [control]
    /// [control] Ends its peers, then joins.
    void stop();
    /// [any] Runs it on the thread, unless that has stopped.
    void post(std::function<void()> work);
    /// [any] `woken` comes to the peer, which it owns, on the thread within 2 ms; once for all calls until then.
    void wake(const PeerRef& entry);
    std::span<const UdpSocket> sockets() const { return sockets_; }
    /// Runs it with a peer that this loop owns, if it is not over.
    void with(const PeerRef& entry, const std::function<void(Peer&)>& work);
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
    struct Owned {
        PeerRef peer;
        IoLoop* from;  // that the kernel delivers the pair to
    };
    /// Sends each over what its pair belongs to.
    struct Out : DatagramOut {
        Out(std::span<const UdpSocket> sockets, TcpConnections& connections) : udp(sockets), tcp(connections) {}
        std::span<std::uint8_t> room() override { return udp.room(); }
        void commit(const Pair& to, std::size_t size) override {
            to.is_tcp ? tcp.send(to, udp.room().first(size)) : udp.commit(to, size);
        }
        void flush() {
            udp.flush();
            tcp.flush();
        }
        SendBatch udp;
        TcpConnections& tcp;
    };
    IoLoop(Context context, std::shared_ptr<DtlsIdentity> identity, Registry& registry, Listeners listeners,
           std::span<const UdpSocket> sockets, const TcpLimits& limits, bool first);
    bool take(const Pair& via, const Arrival& frame) override;
    void gone(const Pair& via) override;
    void run();
    void turn();
    void receive(const UdpSocket& socket);
    void dispatch(const Pair& via, const Arrival& arrival, IoLoop* from);
    void unknown(const Pair& via, const Arrival& arrival, IoLoop* from);
    void check(const PeerRef& entry, const stun::Message& request, const Pair& via, Time now, IoLoop* from);
    void forward(IoLoop* to, const Pair& via, const Arrival& arrival);  // to another loop's queue
    void hand_over(IoLoop* to, const Pair& via);
    void run_posted();
    void wake_players();
    int waiting_ms() const;
    void tick(Time now);
    void tick_soon(Time now);
    bool adopt(const PeerRef& entry);
    void note_wish(const PeerRef& entry);
    void settle(const PeerRef& where);
    void give(const Pair& pair, const PeerRef& entry, IoLoop* from);
    void release(const Pair& pair);
    void forget(const Pair& pair);
    /// Puts it into one of the queues under their lock, and wakes the thread where it does not know of any yet.
    template <class Put>
    void tell(Put put);
    void signal() const;

    /// What fails is one peer's, and hurts nobody else's.
    template <class Work>
    void guarded(Work work) const {
        try {
            work();
        } catch (const std::exception& e) {
            context_.error(std::string("a peer's work failed in an unforeseen way: ") + e.what());
        }
    }

    Context context_;
    std::shared_ptr<DtlsIdentity> identity_;
    Registry& registry_;
    std::vector<UdpSocket> sockets_;
    bool is_first_;
    Descriptor epoll_, wake_;

    ReceiveBatch in_;
    TcpConnections tcp_;
    Out out_;
    RateLimit strangers_, refusals_;
    std::unordered_set<PeerRef> peers_;
    std::unordered_map<Pair, Owned, HashPair> by_pair_;      // exactly those that the peers' agents know
    std::unordered_map<Pair, IoLoop*, HashPair> elsewhere_;  // pairs that the kernel delivers here: whose they are
    std::vector<PeerRef> soon_;                              // to be ticked at `soon_at_`
    Time last_tick_{}, soon_at_{}, awake_at_ = Time::max();
    bool is_stopping_ = false;

    struct Counts {
        std::atomic<std::uint64_t> received{0}, strange{0}, limited{0}, forwarded{0}, dropped{0};
    };
    Counts counts_;
    std::mutex mutex_;  // of the queues
    std::vector<std::function<void()>> posted_;
    std::vector<Forwarded> forwarded_;      // at most 4096
    std::atomic<bool> has_posted_ = false;  // into one of these two
    std::vector<PeerRef> woken_;            // each once
    std::vector<Forwarded> taken_;          // from them, to be worked on
    std::vector<PeerRef> awake_;
    Thread thread_;
};

}  // namespace tapedeck::webrtc
