#include "stream/feed.hpp"

#include <algorithm>
#include <utility>

namespace tapedeck::host {

namespace {

/// A short queue is not filled before its consumer is woken or its source waits.
Feed::Limits fitting(Feed::Limits limits) {
    limits.large_due_bytes = std::min(limits.large_due_bytes, limits.queue_bytes / 4);
    limits.behind_bytes = std::min(limits.behind_bytes, limits.queue_bytes / 2);
    return limits;
}

}  // namespace

Feed::Feed(Limits limits, Wake wake)
    : limits_(fitting(limits)), wake_(std::move(wake)), awaits_key_(limits.is_viewer) {}

void Feed::preload(std::span<const Packet> kept) {
    const std::lock_guard lock(mutex_);
    append(kept, false);
}

void Feed::push(std::span<const Packet> batch, const Arrival& arrival) {
    push_all(batch, arrival);
}

void Feed::push_moved(std::span<Packet> batch, const Arrival& arrival) {
    push_all(batch, arrival);
}

template <class P>
void Feed::push_all(std::span<P> batch, const Arrival& arrival) {
    bool is_much = false;
    {
        const std::lock_guard lock(mutex_);
        is_ahead_ = arrival.is_ahead;
        append(batch, arrival.has_video);
        if (!due(arrival.now)) return;
        is_much = bytes_ >= enough();
    }
    wake_(is_much ? Urgency::Now : Urgency::Calm);
}

template <class P>
void Feed::append(std::span<P> batch, bool has_video) {
    for (auto& packet : batch) {
        if (awaits_key_ && packet.is_video()) {
            if (!packet.is_video_key()) continue;
            awaits_key_ = false;
        }
        if (dropping_ && bytes_ <= limits_.queue_bytes / 2 && (!has_video || packet.is_video_key())) {
            dropping_ = false;
            resumed_ = true;
        }
        if (!dropping_ && bytes_ + packet.view.data_size > limits_.queue_bytes) dropping_ = true;
        if (dropping_) {
            ++dropped_;
            continue;
        }
        bytes_ += packet.view.data_size;
        queue_.push_back(std::move(packet));
        if (std::exchange(resumed_, false)) queue_.back().view.flags |= TD_PACKET_DISCONTINUITY;
    }
}

void Feed::end(std::string reason) {
    {
        const std::lock_guard lock(mutex_);
        if (ended_) return;
        ended_ = true;
        reason_ = std::move(reason);
        if (std::exchange(woken_, true)) return;
    }
    wake_(Urgency::Now);
}

void Feed::tick(TimePoint now) {
    {
        const std::lock_guard lock(mutex_);
        if (!due(now)) return;
    }
    wake_(Urgency::Calm);
}

bool Feed::due(TimePoint now) {
    if (woken_ || queue_.empty()) return false;
    const bool soon = limits_.delay.count() > 0 && now - taken_ < limits_.delay;  // `now` may lie before `taken_`
    if (soon && bytes_ < enough()) return false;
    woken_ = true;
    return true;
}

bool Feed::take(std::vector<Packet>& into) {
    const std::lock_guard lock(mutex_);
    if (into.empty()) {
        into.swap(queue_);  // the two vectors take turns, so neither grows anew
    } else {
        into.insert(into.end(), std::make_move_iterator(queue_.begin()), std::make_move_iterator(queue_.end()));
    }
    queue_.clear();
    bytes_ = 0;
    woken_ = ended_;
    taken_ = std::chrono::steady_clock::now();
    return ended_;
}

bool Feed::is_behind() const {
    if (limits_.is_viewer) return false;
    const std::lock_guard lock(mutex_);
    return bytes_ > limits_.behind_bytes;
}

std::string Feed::end_reason() const {
    const std::lock_guard lock(mutex_);
    return reason_;
}

std::uint64_t Feed::dropped() const {
    const std::lock_guard lock(mutex_);
    return dropped_;
}

}  // namespace tapedeck::host
