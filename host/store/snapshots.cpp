#include "store/snapshots.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

#include "base/error.hpp"

namespace tapedeck::host {
namespace {

constexpr std::size_t most_viewers = 1000;  // remembered of one snapshot

}  // namespace

Snapshots::Pointer Snapshots::find(const std::string& what, const Viewer& viewer, Clock::time_point now) {
    const std::size_t hash = std::hash<std::string>{}(viewer.client);
    const std::lock_guard lock(mutex_);
    const auto is_newest = [&](const Kept& one) { return one.what == what; };
    const auto is_its_own = [&](const Kept& one) { return one.what == what && one.viewers.contains(hash); };
    auto found = all_.end();
    if (viewer.goes_on) found = std::ranges::find_if(all_, is_its_own);
    if (found == all_.end()) {
        found = std::ranges::find_if(all_, is_newest);
        if (found != all_.end() && found->made + fresh < now) found = all_.end();
    }
    return found == all_.end() ? nullptr : give(found, hash, now);
}

Snapshots::Pointer Snapshots::give(Place place, std::size_t viewer, Clock::time_point now) {
    for (Kept& one : all_) {
        if (one.what == place->what) one.viewers.erase(viewer);
    }
    if (place->viewers.size() < most_viewers) place->viewers.insert(viewer);
    place->used = now;
    return place->snapshot;
}

void Snapshots::keep(const std::string& what, Pointer snapshot, std::uint64_t memory, Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    if (!snapshot->files.empty()) living_.push_back({snapshot->files.front().file, memory});
    all_.push_front({what, std::move(snapshot), memory, now, now, {}});
    memory_ += memory;
    drop(now);
}

void Snapshots::require_room() {
    const std::lock_guard lock(mutex_);
    std::erase_if(living_, [](const Living& one) { return one.memory.expired(); });
    std::uint64_t bytes = 0;
    for (const Living& one : living_) bytes += one.bytes;
    if (bytes > most_sent) throw Error("too much of running recordings is being sent; try again", TD_CANCELLED, true);
}

void Snapshots::drop_old(Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    drop(now);
}

/// What nobody will ask for, then what was not asked for longest while there is too much. The newest stays.
void Snapshots::drop(Clock::time_point now) {
    const auto erase = [&](Place place) {
        memory_ -= place->memory;
        return all_.erase(place);
    };
    for (auto at = all_.begin(); at != all_.end();) {
        const bool is_old = at->used + kept < now;
        const bool is_left = at->viewers.empty() && at->made + fresh < now;
        at = is_old || is_left ? erase(at) : std::next(at);
    }
    while (all_.size() > 1 && (all_.size() > most || memory_ > most_memory)) {
        Place longest = std::next(all_.begin());
        for (auto at = longest; at != all_.end(); ++at) {
            if (at->used <= longest->used) longest = at;
        }
        erase(longest);
    }
}

std::size_t Snapshots::size() const {
    const std::lock_guard lock(mutex_);
    return all_.size();
}

}  // namespace tapedeck::host
