#include "stream/feed.hpp"

#include <utility>

namespace tapedeck::host {

Feed::Feed(Limits limits, Wake wake) : limits_(limits), wake_(std::move(wake)) {}

void Feed::preload(std::span<const Packet> kept) {
    const std::lock_guard lock(mutex_);
    append(kept, false);
}

std::size_t Feed::push(std::span<const Packet> batch, bool has_video, TimePoint now) {
    return push_all(batch, has_video, now);
}

std::size_t Feed::push_moved(std::span<Packet> batch, bool has_video, TimePoint now) {
    return push_all(batch, has_video, now);
}

template <class P>
std::size_t Feed::push_all(std::span<P> batch, bool has_video, TimePoint now) {
    std::size_t waiting = 0;
    {
        const std::lock_guard lock(mutex_);
        append(batch, has_video);
        waiting = bytes_;
        if (!due(now)) return waiting;
    }
    wake_(waiting >= limits_.due_bytes ? Urgency::Now : Urgency::Calm);
    return waiting;
}

template <class P>
void Feed::append(std::span<P> batch, bool has_video) {
    for (auto& packet : batch) {
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
