// The part of Recorder that waits for a publisher to come back and goes on with what it comes back as.
#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "record/recorder.hpp"

namespace tapedeck::host {

bool Recorder::resume(const std::shared_ptr<Stream>& stream) {
    if (return_us_ == 0) return false;
    auto feed = subscribe(*stream);
    {
        const std::lock_guard lock(mutex_);
        const bool has_left = stream_->is_closed() && (stream_ != first_ || stream_->began() != Feed::TimePoint());
        if (has_left && !next_ && !leaving_ && !stopping_ && state_ != State::Over) {
            next_ = Source{stream, std::exchange(feed, nullptr)};
        }
    }
    if (feed != nullptr) {
        stream->unsubscribe(feed);
        return false;
    }
    wake();
    return true;
}

void Recorder::hurry() {
    hurried_ = true;
    wake();
}

/// The publisher has left. False: that ends the recording.
bool Recorder::await_return() {
    const auto now = std::chrono::steady_clock::now();
    if (left_at_ == Feed::TimePoint()) left_at_ = now;
    std::optional<Source> next;
    {
        const std::lock_guard lock(mutex_);
        const bool waits =
            state_ == State::Recording && !hurried_ && now - left_at_ < std::chrono::microseconds(return_us_);
        leaving_ = stopping_ || (!next_ && !waits);
        if (leaving_) return false;
        next = std::exchange(next_, std::nullopt);
    }
    if (next) {
        go_on_with(std::move(*next));
        return true;
    }
    if (!awaits_return_.exchange(true)) {
        log::info("{}: the publisher has left; its return is waited for", label());
        try {
            segment_->flush();
        } catch (const Error& e) {
            count_error(e);
        }
    }
    if (state_ == State::Recording && !has_space()) give_up("Not enough available disk space");
    return true;
}

void Recorder::go_on_with(Source next) {
    log::info("{} goes on with media session {}", label(), next.stream->info().media_session);
    if (stream_->began() != Feed::TimePoint()) heard_until_ = stream_->silent_since();
    for (const auto& [index, spec] : seen_) returned_.know(spec);
    seen_.clear();
    returned_.leave();
    refused_tracks_.clear();  // it may have others at their place
    doubtful_tracks_.clear();
    {
        const std::lock_guard lock(mutex_);
        std::swap(stream_, next.stream);
        std::swap(feed_, next.feed);
    }
    next.stream->unsubscribe(next.feed);
    next.stream->release(nullptr);
    left_at_ = {};
    returns_ = true;
    awaits_return_ = false;
    await_key_ = true;
    drops_told_ = 0;
    wake();
}

/// As long as nothing came, the recording pauses.
void Recorder::place_returned() {
    if (batch_.empty()) return;
    if (std::exchange(returns_, false)) {
        const auto pause = std::chrono::duration_cast<std::chrono::microseconds>(stream_->began() - heard_until_);
        returned_.begin(reached_us_ + std::max<std::int64_t>(pause.count(), 0));
    }
    returned_.place(batch_);
}

/// The recording ended before it could go on with it.
void Recorder::give_back_next() {
    std::optional<Source> next;
    {
        const std::lock_guard lock(mutex_);
        next = std::exchange(next_, std::nullopt);
    }
    if (!next) return;
    next->stream->unsubscribe(next->feed);
    next->stream->release(nullptr);
}

}  // namespace tapedeck::host
