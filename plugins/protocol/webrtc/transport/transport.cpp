#include "webrtc/transport/transport.hpp"

#include <algorithm>

namespace tapedeck::webrtc {

namespace {

constexpr int most_attempts = 20;  // to find a port that is free for UDP and for TCP

Listeners listen(std::vector<Endpoint>& addresses, bool has_tcp, Place place) {
    Listeners made;
    for (auto& address : addresses) {
        if (address.port == 0) address.port = addresses.front().port;
        address = made.udp.emplace_back(address, place).local();
        if (has_tcp) made.tcp.emplace_back(address, place);
    }
    return made;
}

/// Sets the ports that the system chose. One that only UDP has free is given back for another.
Listeners listen_somewhere(std::vector<Endpoint>& addresses, bool has_tcp, Place place) {
    for (int attempt = 1;; ++attempt) {
        auto tried = addresses;
        try {
            auto made = listen(tried, has_tcp, place);
            addresses = tried;
            return made;
        } catch (const Error&) {
            if (attempt == most_attempts || tried.front().port == addresses.front().port) throw;
        }
    }
}

}  // namespace

Transport::Transport(Context context, const TransportConfig& config)
    : identity_(config.identity),
      addresses_(config.addresses),
      has_tcp_(config.has_tcp),
      receiving_(std::max(1u, config.threads)) {
    for (std::size_t i = 0; i < receiving_; ++i)
        loops_.push_back(std::make_unique<IoLoop>(
            context, identity_, registry_,
            listen_somewhere(addresses_, has_tcp_, i == 0 ? Place::First : Place::Beside), config.tcp, i == 0));
    for (unsigned i = 0; i < std::max(1u, config.player_threads); ++i)
        loops_.push_back(
            std::make_unique<IoLoop>(context, identity_, registry_, loops_.front()->sockets(), config.tcp));
    for (const auto& loop : loops_) loop->start();
}

Transport::~Transport() {
    for (const auto& loop : loops_) loop->stop();
}

PeerRef Transport::add(PeerConfig config, std::shared_ptr<PeerEvents> events) {
    auto entry = std::make_shared<PeerEntry>();
    entry->config = std::move(config);
    entry->events = std::move(events);
    entry->made = std::chrono::duration_cast<Time>(std::chrono::steady_clock::now().time_since_epoch());
    if (entry->config.is_player) {
        auto* loop = loops_[receiving_ + players_++ % (loops_.size() - receiving_)].get();
        entry->owner = loop;
        registry_.add(entry);
        loop->post([loop, entry] { loop->with(entry, [](Peer&) {}); });
    } else {
        registry_.add(entry);
        loops_.front()->post([] {});  // it looks after the peer until its first check comes
    }
    return entry;
}

void Transport::wake(const PeerRef& player) const {
    player->owner->wake(player);
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
