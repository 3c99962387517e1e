#include "stream/feed.hpp"

#include <utility>

namespace tapedeck::host {

Feed::Feed(Limits limits, Wake wake) : limits_(limits), wake_(std::move(wake)) {}

void Feed::preload(std::span<const Packet> kept) {
    const std::lock_guard lock(mutex_);
    append(kept, false);
}

void Feed::push(std::span<const Packet> batch, bool has_video, TimePoint now) {
    auto urgency = Urgency::Calm;
    {
        const std::lock_guard lock(mutex_);
        append(batch, has_video);
        if (!due(now)) return;
        if (bytes_ >= limits_.due_bytes) urgency = Urgency::Now;
    }
    wake_(urgency);
}

void Feed::append(std::span<const Packet> batch, bool has_video) {
    for (const Packet& packet : batch) {
        if (dropping_ && bytes_ <= limits_.queue_bytes / 2 && (!has_video || packet.is_video_key())) {
            dropping_ = false;
            resumed_ = true;
        }
        if (!dropping_ && bytes_ + packet.view.data_size > limits_.queue_bytes) dropping_ = true;
        if (dropping_) {
            ++dropped_;
            continue;
        }
        queue_.push_back(packet);
        bytes_ += packet.view.data_size;
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
    if (bytes_ < limits_.due_bytes && now - taken_ < limits_.delay) return false;
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

std::size_t Feed::backlog() const {
    const std::lock_guard lock(mutex_);
    return bytes_;
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
