// Work that other threads give to the one of the sources.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace tapedeck::mpegts {

/// Any thread. Shared with whoever may give work late.
class Work {
public:
    using Piece = std::function<void()>;

    /// False once it was closed; the piece is not run then.
    bool post(Piece piece) {
        const std::lock_guard lock(mutex_);
        if (is_closed_) return false;
        pieces_.push_back(std::move(piece));
        changed_.notify_one();
        return true;
    }
    void close() {
        const std::lock_guard lock(mutex_);
        is_closed_ = true;
        changed_.notify_one();
    }
    /// Waits for a piece, `limit` at most where there is one; false: it was closed. Gives all pieces in either case.
    bool wait(std::vector<Piece>& into, std::chrono::microseconds limit, bool has_limit) {
        std::unique_lock lock(mutex_);
        const auto is_due = [this] { return is_closed_ || !pieces_.empty(); };
        if (has_limit)
            changed_.wait_for(lock, limit, is_due);
        else
            changed_.wait(lock, is_due);
        into = std::exchange(pieces_, {});
        return !is_closed_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Piece> pieces_;
    bool is_closed_ = false;
};

}  // namespace tapedeck::mpegts
