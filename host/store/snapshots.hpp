// What was sent of recordings that are still written, for those who ask for the rest of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "api/controls.hpp"

namespace tapedeck::host {

/// A player asks for ranges of what it saw at first, while the recording grows. Each keeps its snapshot until it did
/// not ask for some minutes; who begins anew gets a newer one. Bounded in number and memory. Thread-safe.
class Snapshots {
public:
    using Clock = std::chrono::steady_clock;
    using Pointer = std::shared_ptr<const api::RecordCuts::Snapshot>;
    using Viewer = api::RecordCuts::Viewer;

    static constexpr std::chrono::seconds fresh{1};  ///< so long a newer one is not made
    static constexpr std::chrono::minutes kept{10};  ///< after it was asked for last
    static constexpr std::size_t most = 100;
    static constexpr std::uint64_t most_memory = 256 << 20;
    static constexpr std::uint64_t most_sent = 2 * most_memory;

    /// `what`: the recording and the times. Null: one must be made.
    Pointer find(const std::string& what, const Viewer& viewer, Clock::time_point now = Clock::now());
    /// `memory`: the bytes that it takes.
    void keep(const std::string& what, Pointer snapshot, std::uint64_t memory, Clock::time_point now = Clock::now());
    /// Before one is made. Throws Error while those that are still being sent take too much memory, kept or not.
    void require_room();
    void drop_old(Clock::time_point now = Clock::now());
    std::size_t size() const;

private:
    struct Kept {
        std::string what;
        Pointer snapshot;
        std::uint64_t memory;
        Clock::time_point made, used;
        std::set<std::size_t> viewers;  // by the hash of their names
    };
    using Place = std::list<Kept>::iterator;
    struct Living {
        std::weak_ptr<const api::OpenFile> memory;
        std::uint64_t bytes;
    };

    Pointer give(Place place, std::size_t viewer, Clock::time_point now);
    void drop(Clock::time_point now);

    mutable std::mutex mutex_;
    std::list<Kept> all_;  // the newest first
    std::uint64_t memory_ = 0;
    std::vector<Living> living_;  // also those that were dropped here and are still sent
};

}  // namespace tapedeck::host
