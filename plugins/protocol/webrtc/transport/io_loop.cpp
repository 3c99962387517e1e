#include "webrtc/transport/io_loop.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace tapedeck::webrtc {

namespace {

constexpr Time tick_interval = std::chrono::milliseconds(100), soon = std::chrono::milliseconds(10);
constexpr Time gathering{500};  // until players are woken, so that all of a stream's are told by then
constexpr std::size_t most_forwarded = 4096;
constexpr int batches_a_turn = 8;  // of one socket, before others have their turn

// Per source address. A client behind a NAT shares it with others, and checks a few pairs every 50 ms.
constexpr double requests_a_second = 400, requests_at_once = 800;
constexpr double refusals_a_second = 5, refusals_at_once = 10;

Time now() {
    return std::chrono::duration_cast<Time>(std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace

IoLoop::IoLoop(Context context, std::shared_ptr<DtlsIdentity> identity, Registry& registry, Listeners listeners,
               const TcpLimits& limits, bool first)
    : IoLoop(context, std::move(identity), registry, std::move(listeners), {}, limits, first) {}

IoLoop::IoLoop(Context context, std::shared_ptr<DtlsIdentity> identity, Registry& registry,
               std::span<const UdpSocket> sockets, const TcpLimits& limits)
    : IoLoop(context, std::move(identity), registry, {}, sockets, limits, false) {}

/// Sends over its own sockets, where it has any, else over `sockets`.
IoLoop::IoLoop(Context context, std::shared_ptr<DtlsIdentity> identity, Registry& registry, Listeners listeners,
               std::span<const UdpSocket> sockets, const TcpLimits& limits, bool first)
    : context_(context),
      identity_(std::move(identity)),
      registry_(registry),
      sockets_(std::move(listeners.udp)),
      is_first_(first),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      in_(context),
      tcp_(context, std::move(listeners.tcp), limits, *this),
      out_(sockets_.empty() ? sockets : std::span<const UdpSocket>(sockets_), tcp_),
      strangers_(requests_a_second, requests_at_once),
      refusals_(refusals_a_second, refusals_at_once) {
    const auto watch = [&](int descriptor, std::size_t index) {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.u64 = index;
        if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &event) != 0)
            throw Error(std::string("epoll: ") + std::strerror(errno));
    };
    for (std::size_t i = 0; i < sockets_.size(); ++i) watch(sockets_[i].descriptor(), i);
    watch(wake_.get(), sockets_.size());
    watch(tcp_.descriptor(), sockets_.size() + 1);
}

IoLoop::~IoLoop() {
    stop();
}

void IoLoop::start() {
    thread_ = Thread(context_, "webrtc", [this](const std::stop_token&) { run(); });
}

void IoLoop::stop() {
    post([this] { is_stopping_ = true; });
    thread_ = {};
}

template <class Put>
void IoLoop::tell(Put put) {
    {
        const std::lock_guard lock(mutex_);
        put();
        if (has_posted_.exchange(true)) return;
    }
    signal();
}

void IoLoop::signal() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);  // full: it wakes anyway
}

void IoLoop::post(std::function<void()> work) {
    tell([&] { posted_.push_back(std::move(work)); });
}

void IoLoop::wake(const PeerRef& entry) {
    if (entry->is_woken.exchange(true)) return;
    {
        const std::lock_guard lock(mutex_);
        woken_.push_back(entry);
        if (woken_.size() > 1) return;
    }
    signal();
}

void IoLoop::run() {
    while (!is_stopping_) guarded([this] { turn(); });
    if (is_first_)
        for (const auto& entry : registry_.claim_late(Time::max(), this)) adopt(entry);
    const auto all = peers_;
    for (const auto& entry : all) with(entry, [](Peer& peer) { peer.close(); });
    out_.flush();
}

void IoLoop::turn() {
    std::array<epoll_event, 64> events{};
    const auto count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), waiting_ms());
    for (std::size_t i = 0; count > 0 && i < static_cast<std::size_t>(count); ++i) {
        const auto index = events[i].data.u64;
        if (index < sockets_.size())
            receive(sockets_[index]);
        else if (index == sockets_.size())
            run_posted();
        else
            tcp_.turn(now());
    }
    const auto time = now();
    if (time >= awake_at_) wake_players();
    if (!soon_.empty() && time >= soon_at_) tick_soon(time);
    if (time - last_tick_ >= tick_interval) tick(time);
    out_.flush();
    counts_.dropped = out_.udp.dropped() + tcp_.dropped();
}

/// Until the next tick, rounded up; -1 where none is needed.
int IoLoop::waiting_ms() const {
    auto next = awake_at_;
    if (!soon_.empty()) next = std::min(next, soon_at_);
    if (!peers_.empty() || (is_first_ && registry_.unclaimed() > 0) || tcp_.wants_tick())
        next = std::min(next, last_tick_ + tick_interval);
    if (next == Time::max()) return -1;
    return static_cast<int>(std::max<std::int64_t>(0, (next - now()).count() + 999) / 1000);
}

void IoLoop::receive(const UdpSocket& socket) {
    for (int batch = 0; batch < batches_a_turn; ++batch) {
        const auto datagrams = in_.receive(socket);
        if (has_posted_) run_posted();  // the way of these datagrams may have been told meanwhile
        const auto at = now();
        counts_.received += datagrams.size();
        for (const auto& datagram : datagrams)
            if (!datagram.bytes.empty()) dispatch(datagram.via, in_.arrival(datagram, at), this);
        if (datagrams.size() < 8) return;
    }
}

/// `from` is the loop that the kernel delivers this pair to.
void IoLoop::dispatch(const Pair& via, const Arrival& arrival, IoLoop* from) {
    const bool may_be_stun = arrival.packet[0] <= 3;
    if (const auto found = by_pair_.find(via); found != by_pair_.end()) {
        const auto& entry = found->second.peer;
        if (!may_be_stun) {
            entry->peer->receive(via, arrival);
            return settle(entry);
        }
        const auto message = stun::parse(arrival.packet);
        const auto name = message ? message->username.substr(0, message->username.find(':')) : std::string_view();
        if (name == entry->config.local.ufrag) return check(entry, *message, via, arrival.at, from);
        const bool is_request = message && message->kind == stun::Kind::request;
        if (!is_request || entry->peer->holds(via, arrival.at)) {  // the address it comes from may be forged
            ++counts_.strange;
            return;
        }
        release(via);
        if (from != this) return;  // the next check is looked at where it comes
    } else if (const auto other = elsewhere_.find(via); other != elsewhere_.end()) {
        return forward(other->second, via, arrival);
    }
    if (may_be_stun)
        unknown(via, arrival, from);
    else
        ++counts_.strange;
}

/// A connection is of use while a peer knows its pair, which its first frame has to bring about.
bool IoLoop::take(const Pair& via, const Arrival& frame) {
    ++counts_.received;
    dispatch(via, frame, this);
    return by_pair_.contains(via);
}

void IoLoop::gone(const Pair& via) {
    release(via);
}

/// A request over a pair that no peer has yet. What cannot be one costs no more than reading it, and no answer.
void IoLoop::unknown(const Pair& via, const Arrival& arrival, IoLoop* from) {
    if (from == this && !strangers_.take(via.remote, arrival.at)) {
        ++counts_.limited;
        return;
    }
    const auto message = stun::parse(arrival.packet);
    if (!message || message->kind != stun::Kind::request) {
        ++counts_.strange;
        return;
    }
    const auto entry = registry_.claim(message->username.substr(0, message->username.find(':')), this);
    if (!entry) {
        ++counts_.strange;
    } else if (entry->owner == this) {
        if (adopt(entry)) check(entry, *message, via, arrival.at, from);
    } else if (via.is_tcp) {
        hand_over(entry->owner, via);
    } else if (from == this) {
        forward(entry->owner, via, arrival);
    }
}

void IoLoop::check(const PeerRef& entry, const stun::Message& request, const Pair& via, Time at, IoLoop* from) {
    const bool may_refuse = refusals_.take(via.remote, at);
    const auto outcome = entry->peer->check(request, via, at, may_refuse);
    if (outcome.lost) forget(*outcome.lost);
    if (outcome.gained) give(via, entry, from);
    settle(entry);
}

void IoLoop::forward(IoLoop* to, const Pair& via, const Arrival& arrival) {
    to->tell([&] {
        if (to->forwarded_.size() >= most_forwarded) return;
        to->forwarded_.push_back({via, arrival.keep(), arrival.packet, arrival.at, this});
        ++counts_.forwarded;
    });
}

void IoLoop::hand_over(IoLoop* to, const Pair& via) {
    ++counts_.forwarded;
    const auto stream = std::make_shared<TcpStream>(tcp_.release(via));
    to->post([to, stream] { to->tcp_.adopt(std::move(*stream), now()); });
}

void IoLoop::run_posted() {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto got = ::read(wake_.get(), &count, sizeof count);
    std::vector<std::function<void()>> work;
    {
        const std::lock_guard lock(mutex_);
        work.swap(posted_);
        taken_.swap(forwarded_);
        has_posted_ = false;
        if (!woken_.empty()) awake_at_ = std::min(awake_at_, now() + gathering);
    }
    for (auto& each : work) guarded([&] { each(); });
    for (const auto& datagram : taken_) {
        bool is_kept = false;
        guarded([&] {
            dispatch(datagram.via, Arrival(datagram.bytes, datagram.at, datagram.block, is_kept), datagram.from);
        });
    }
    taken_.clear();
}

void IoLoop::wake_players() {
    awake_at_ = Time::max();
    {
        const std::lock_guard lock(mutex_);
        awake_.swap(woken_);
    }
    for (const auto& entry : awake_) {
        entry->is_woken = false;
        guarded([&] {
            if (!adopt(entry)) return;
            entry->events->woken();
            settle(entry);
        });
    }
    awake_.clear();
}

void IoLoop::tick(Time time) {
    last_tick_ = time;
    tcp_.tick(time);
    if (is_first_ && registry_.unclaimed() > 0)
        for (const auto& entry : registry_.claim_late(time, this)) adopt(entry);
    std::vector<PeerRef> over;
    for (const auto& entry : peers_) {
        guarded([&] {
            entry->peer->tick(time);
            note_wish(entry);
        });
        if (entry->peer->is_over()) over.push_back(entry);
    }
    for (const auto& entry : over) settle(entry);
}

void IoLoop::tick_soon(Time time) {
    for (const auto& entry : std::exchange(soon_, {})) {
        entry->is_soon = false;
        if (entry->is_over) continue;
        guarded([&] {
            entry->peer->tick(time);
            settle(entry);
        });
    }
}

void IoLoop::note_wish(const PeerRef& entry) {
    if (!entry->peer->takes_wish() || entry->is_soon) return;
    if (soon_.empty()) soon_at_ = now() + soon;
    entry->is_soon = true;
    soon_.push_back(entry);
}

void IoLoop::with(const PeerRef& entry, const std::function<void(Peer&)>& work) {
    if (!adopt(entry)) return;
    work(*entry->peer);
    settle(entry);
}

/// False if the peer is over already.
bool IoLoop::adopt(const PeerRef& entry) {
    if (entry->is_over) return false;
    if (!entry->peer) {
        entry->peer = std::make_unique<Peer>(entry->config, identity_, *entry->events, out_, entry->made);
        peers_.insert(entry);
    }
    return true;
}

/// Forgets a peer that is over. `where` may be in what it is taken out of.
void IoLoop::settle(const PeerRef& where) {
    if (where->is_over) return;
    note_wish(where);
    if (!where->peer->is_over()) return;
    const auto kept = peers_.extract(where);
    const auto& entry = kept.value();
    entry->is_over = true;
    for (const auto& pair : entry->peer->ice().pairs()) forget(pair);
    registry_.remove(*entry);
    entry->peer.reset();
    entry->events.reset();  // which may hold the entry
}

/// What comes over the pair is the peer's, wherever the kernel delivers it.
void IoLoop::give(const Pair& pair, const PeerRef& entry, IoLoop* from) {
    by_pair_.insert_or_assign(pair, Owned{entry, from});
    if (from != this) from->post([from, pair, this] { from->elsewhere_[pair] = this; });
}

/// It is nobody's.
void IoLoop::release(const Pair& pair) {
    const auto found = by_pair_.find(pair);
    if (found == by_pair_.end()) return;
    found->second.peer->peer->forget(pair);
    if (auto* from = found->second.from; from != this)
        from->post([from, pair, this] {
            const auto there = from->elsewhere_.find(pair);
            if (there != from->elsewhere_.end() && there->second == this) from->elsewhere_.erase(there);
        });
    by_pair_.erase(found);
}

void IoLoop::forget(const Pair& pair) {
    release(pair);
    if (pair.is_tcp) tcp_.close(pair);
}

TransportCounters IoLoop::counters() const {
    return {counts_.received, counts_.strange, counts_.limited, counts_.forwarded, counts_.dropped};
}

}  // namespace tapedeck::webrtc
