// A few threads for what may take seconds: names of hosts, cameras that are asked over HTTP.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <vector>

#include "tapedeck/context.hpp"

namespace tapedeck::rtsp {

/// Threads start with the first piece of work and end with this.
class Workers {
public:
    explicit Workers(Context context) : context_(context) {}
    ~Workers() { stop(); }
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;

    /// Any thread. What it throws is logged. Dropped once this stops.
    void post(std::function<void()> work) {
        const std::lock_guard lock(mutex_);
        if (is_stopping_) return;
        work_.push_back(std::move(work));
        if (threads_.size() < most && threads_.size() < work_.size() + busy_)
            threads_.emplace_back(context_, "rtsp names", [this](const std::stop_token&) { run(); });
        changed_.notify_one();
    }
    /// What is under way asks, and ends soon.
    bool stops() const { return is_stopping_; }
    /// Waits for what is under way.
    void stop() {
        {
            const std::lock_guard lock(mutex_);
            is_stopping_ = true;
            work_.clear();
        }
        changed_.notify_all();
        threads_.clear();
    }

private:
    static constexpr std::size_t most = 16;

    void run() {
        std::unique_lock lock(mutex_);
        for (;;) {
            changed_.wait(lock, [this] { return is_stopping_ || !work_.empty(); });
            if (is_stopping_) return;
            const auto work = std::move(work_.front());
            work_.pop_front();
            ++busy_;
            lock.unlock();
            try {
                work();
            } catch (const std::exception& e) {
                context_.error(e.what());
            }
            lock.lock();
            --busy_;
        }
    }

    Context context_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> work_;
    std::size_t busy_ = 0;
    std::atomic<bool> is_stopping_ = false;  // set with the mutex held
    std::vector<Thread> threads_;
};

}  // namespace tapedeck::rtsp
