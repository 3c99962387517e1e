// The one thread of a FakeHost that calls back into a plugin, as the host's own would.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace tapedeck::testkit {

/// Runs what is posted, in order, on its own thread. The destructor runs what is left and joins.
class Callbacks {
public:
    Callbacks() : thread_([this] { run(); }) {}
    ~Callbacks() {
        {
            const std::lock_guard lock(mutex_);
            ended_ = true;
        }
        changed_.notify_all();
        thread_.join();
    }
    Callbacks(const Callbacks&) = delete;
    Callbacks& operator=(const Callbacks&) = delete;

    void post(std::function<void()> call) {
        {
            const std::lock_guard lock(mutex_);
            calls_.push_back(std::move(call));
        }
        changed_.notify_all();
    }
    /// Waits until everything posted so far has run, and what that posted. Not from inside a callback.
    void drain() {
        std::unique_lock lock(mutex_);
        idle_.wait(lock, [this] { return calls_.empty() && !is_running_; });
    }

private:
    void run() {
        std::unique_lock lock(mutex_);
        for (;;) {
            changed_.wait(lock, [this] { return ended_ || !calls_.empty(); });
            if (calls_.empty()) return;
            const auto call = std::move(calls_.front());
            calls_.pop_front();
            is_running_ = true;
            lock.unlock();
            call();
            lock.lock();
            is_running_ = false;
            if (calls_.empty()) idle_.notify_all();
        }
    }

    std::mutex mutex_;
    std::condition_variable changed_, idle_;
    std::deque<std::function<void()>> calls_;
    bool ended_ = false, is_running_ = false;
    std::thread thread_;
};

}  // namespace tapedeck::testkit
