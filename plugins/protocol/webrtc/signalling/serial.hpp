// Calls of any thread, one at a time.
#pragma once

#include <deque>
#include <functional>
#include <mutex>
#include <utility>

#include "tapedeck/context.hpp"

namespace tapedeck::webrtc {

/// Runs what is posted in order and one at a time, on the threads that post it and with no lock held: a strand without
/// a thread. What is posted from inside runs afterwards. Tasks return at once; what they throw is logged. Whoever
/// posts keeps this alive until `post` returns.
class Serial {
public:
    using Task = std::function<void()>;

    explicit Serial(Context context) : context_(context) {}
    Serial(const Serial&) = delete;
    Serial& operator=(const Serial&) = delete;

    void post(Task task) {
        {
            const std::lock_guard lock(mutex_);
            tasks_.push_back(std::move(task));
            if (std::exchange(is_running_, true)) return;
        }
        while (const auto next = take()) {
            td_error error = empty_error();
            if (guard(&error, [&] { next(); }) < 0) context_.error(error.text);
        }
    }

private:
    Task take() {
        const std::lock_guard lock(mutex_);
        if (tasks_.empty()) {
            is_running_ = false;
            return {};
        }
        auto next = std::move(tasks_.front());
        tasks_.pop_front();
        return next;
    }

    Context context_;
    std::mutex mutex_;
    std::deque<Task> tasks_;
    bool is_running_ = false;
};

}  // namespace tapedeck::webrtc
