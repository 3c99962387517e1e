#include "webrtc/transport/transport.hpp"

#include <algorithm>

namespace tapedeck::webrtc {

Transport::Transport(Context context, const TransportConfig& config)
    : identity_(config.identity), addresses_(config.addresses) {
    for (unsigned i = 0; i < std::max(1u, config.threads); ++i) {
        std::vector<UdpSocket> sockets;
        for (auto& address : addresses_) {
            if (address.port == 0) address.port = addresses_.front().port;
            sockets.emplace_back(address);
            address = sockets.back().local();
        }
        loops_.push_back(std::make_unique<IoLoop>(context, identity_, registry_, std::move(sockets), i == 0));
    }
    std::vector<IoLoop*> all;
    all.reserve(loops_.size());
    for (const auto& loop : loops_) all.push_back(loop.get());
    for (const auto& loop : loops_) loop->start(all);
}

Transport::~Transport() {
    for (const auto& loop : loops_) loop->stop();
}

void Transport::add(PeerConfig config, std::shared_ptr<PeerEvents> events) {
    auto entry = std::make_shared<PeerEntry>();
    entry->config = std::move(config);
    entry->events = std::move(events);
    entry->made = std::chrono::duration_cast<Time>(std::chrono::steady_clock::now().time_since_epoch());
    registry_.add(entry);
    loops_.front()->post([] {});  // it looks after the peer until its first check comes
}

void Transport::remove(const std::string& ufrag) {
    with(ufrag, [](Peer& peer) { peer.close(); });
}

void Transport::with(const std::string& ufrag, std::function<void(Peer&)> work) {
    const auto entry = registry_.claim(ufrag, loops_.front().get());
    if (!entry) return;
    auto* loop = entry->owner;
    loop->post([loop, entry, work = std::move(work)] { loop->with(entry, work); });
}

TransportCounters Transport::counters() const {
    TransportCounters sum;
    for (const auto& loop : loops_) {
        const auto one = loop->counters();
        sum.received += one.received;
        sum.strange += one.strange;
        sum.limited += one.limited;
        sum.forwarded += one.forwarded;
        sum.dropped += one.dropped;
    }
    return sum;
}

}  // namespace tapedeck::webrtc
