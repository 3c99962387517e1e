// A thread that tells what happened, so that nobody is told from within his own call.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "tapedeck/context.hpp"

namespace tapedeck::webrtc {

/// Runs what is posted, in order of the times when it is due. Any thread.
class EventQueue {
public:
    explicit EventQueue(Context context)
        : thread_(context, "webrtc-events", [this, context](const std::stop_token&) { run(context); }) {}
    ~EventQueue() { stop(); }
    EventQueue(const EventQueue&) = delete;
    EventQueue& operator=(const EventQueue&) = delete;

    /// False after `stop`, and then it is dropped.
    bool post(std::function<void()> work, std::chrono::milliseconds delay = {}) {
        {
            const std::lock_guard lock(mutex_);
            if (is_stopping_ && !is_running_here()) return false;
            work_.emplace(Clock::now() + delay, std::move(work));
        }
        changed_.notify_one();
        return true;
    }
    /// After what was posted and is due, and what that posts. Not from within it.
    void stop() {
        {
            const std::lock_guard lock(mutex_);
            is_stopping_ = true;
        }
        changed_.notify_one();
        thread_ = {};
        work_.clear();
    }

private:
    using Clock = std::chrono::steady_clock;

    bool is_running_here() const { return std::this_thread::get_id() == runner_; }
    void run(const Context& context) {
        std::unique_lock lock(mutex_);
        runner_ = std::this_thread::get_id();
        for (;;) {
            if (work_.empty() || Clock::now() < work_.begin()->first) {
                if (is_stopping_) return;
                if (work_.empty())
                    changed_.wait(lock);
                else
                    changed_.wait_until(lock, Clock::time_point(work_.begin()->first));
                continue;
            }
            {
                const auto next = work_.extract(work_.begin());
                lock.unlock();
                try {
                    next.mapped()();
                } catch (const std::exception& e) {
                    context.error(std::string("webrtc: an event failed: ") + e.what());
                }
            }
            lock.lock();
        }
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::multimap<Clock::time_point, std::function<void()>> work_;
    std::thread::id runner_;
    bool is_stopping_ = false;
    Thread thread_;
};

}  // namespace tapedeck::webrtc
