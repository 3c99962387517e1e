// All peers by their local ufrag, whichever thread they live on.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "webrtc/transport/peer.hpp"

namespace tapedeck::webrtc {

class IoLoop;

/// One peer. A player's thread is chosen beforehand; any other peer lives on the thread where its first check arrives:
/// there the kernel delivers the rest of that pair too.
struct PeerEntry {
    PeerConfig config;
    std::shared_ptr<PeerEvents> events;
    Time made{};
    IoLoop* owner = nullptr;             // under the registry's lock; set once
    std::atomic<bool> is_woken = false;  // and its owner does not know yet
    std::unique_ptr<Peer> peer;          // from here on only the owner's thread, as are the events
    bool is_over = false;
    bool is_soon = false;  // among those ticked next
};
using PeerRef = std::shared_ptr<PeerEntry>;

/// Asked about pairs that are not known yet, never for each packet. Any thread.
class Registry {
public:
    /// Throws Error if there is a peer of this ufrag.
    void add(const PeerRef& entry) {
        const std::lock_guard lock(mutex_);
        const auto name = entry->config.local.ufrag;
        if (!entries_.try_emplace(name, entry).second) throw Error("two peers have the ufrag " + name);
        if (entry->owner == nullptr) ++unclaimed_;
    }
    /// The peer with this ufrag, or null. Whoever asks first becomes its owner.
    PeerRef claim(std::string_view ufrag, IoLoop* by) {
        const std::lock_guard lock(mutex_);
        const auto found = entries_.find(ufrag);
        if (found == entries_.end()) return nullptr;
        take(*found->second, by);
        return found->second;
    }
    /// Those nobody owns whose time for ICE is over by then.
    std::vector<PeerRef> claim_late(Time now, IoLoop* by) {
        std::vector<PeerRef> late;
        const std::lock_guard lock(mutex_);
        for (const auto& [name, entry] : entries_)
            if (entry->owner == nullptr && entry->made + entry->config.timeouts.ice <= now) late.push_back(entry);
        for (const auto& entry : late) take(*entry, by);
        return late;
    }
    void remove(const PeerEntry& entry) {
        const std::lock_guard lock(mutex_);
        entries_.erase(entry.config.local.ufrag);
    }
    std::size_t unclaimed() const { return unclaimed_; }
    std::size_t size() const {
        const std::lock_guard lock(mutex_);
        return entries_.size();
    }

private:
    struct Hash : std::hash<std::string_view> {
        using is_transparent = void;
    };
    void take(PeerEntry& entry, IoLoop* by) {
        if (entry.owner != nullptr) return;
        entry.owner = by;
        --unclaimed_;
    }

    mutable std::mutex mutex_;
    std::unordered_map<std::string, PeerRef, Hash, std::equal_to<>> entries_;
    std::atomic<std::size_t> unclaimed_{0};
};

}  // namespace tapedeck::webrtc
