#include "record/media_pool.hpp"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <utility>

#include "base/metrics.hpp"
#include "base/thread_name.hpp"

namespace tapedeck::host {
namespace {

constexpr auto gather = std::chrono::milliseconds(25);

std::int64_t thread_cpu_us() {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}
metrics::Value& cpu_used() {
    static auto& used = metrics::counter("tapedeck_record_cpu_microseconds_total", "",
                                         "CPU time spent on recordings: order, conversion and writers");
    return used;
}
metrics::Value& waiting_tasks() {
    static auto& waiting =
        metrics::gauge("tapedeck_recordings_waiting", "", "Recordings that waited for a thread when one was last free");
    return waiting;
}

}  // namespace

MediaPool::MediaPool(std::size_t threads) : most_in_one_(std::max<std::size_t>(threads, 2) - 1) {
    for (std::size_t i = 0; i <= most_in_one_; ++i) {
        threads_.emplace_back([this] {
            name_thread("media");
            work();
        });
    }
}

MediaPool::~MediaPool() {
    stop(std::chrono::hours(24));
    for (std::thread& thread : threads_) thread.join();
}

bool MediaPool::stop(std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
    return ended_.wait_for(lock, limit, [&] { return busy_.empty(); });
}

void MediaPool::wake(const std::shared_ptr<MediaTask>& task, bool urgent) {
    using State = MediaTask::State;
    State state = task->state_.load();
    for (;;) {
        if (state == State::Waiting || state == State::Again) return;
        const State wanted = state == State::Idle ? State::Waiting : State::Again;
        if (task->state_.compare_exchange_weak(state, wanted)) {
            if (wanted == State::Again) return;  // its thread sees it
            break;
        }
    }
    bool notify = false;
    {
        const std::lock_guard lock(mutex_);
        waiting_.push_back(task);
        urgent_ = urgent_ || urgent;
        notify = gathering_ ? urgent : !std::exchange(told_, true);
    }
    // Whoever gathers sleeps on the same condition as the idle threads: all of them look.
    if (notify) urgent ? changed_.notify_all() : changed_.notify_one();
}

std::deque<std::shared_ptr<MediaTask>>::iterator MediaPool::runnable() {
    return std::ranges::find_if(waiting_, [&](const auto& task) {
        const auto busy = busy_.find(task->device());
        return busy == busy_.end() || busy->second < most_in_one_;
    });
}

void MediaPool::work() {
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [&] {
            told_ = false;  // it looks now; whoever comes later tells somebody else
            return stopping_ || (!gathering_ && runnable() != waiting_.end());
        });
        if (!stopping_ && !urgent_) {
            gathering_ = true;
            changed_.wait_for(lock, gather, [&] { return stopping_ || urgent_; });
            gathering_ = false;
        }
        if (stopping_) return;
        drain(lock);
    }
}

void MediaPool::drain(std::unique_lock<std::mutex>& lock) {
    using State = MediaTask::State;
    if (waiting_.size() > 1) changed_.notify_one();  // in case this takes long: another gathers, then helps
    waiting_tasks() = static_cast<std::int64_t>(waiting_.size());
    const std::int64_t begin_us = thread_cpu_us();
    for (auto found = runnable(); found != waiting_.end() && !stopping_; found = runnable()) {
        const auto task = *found;
        waiting_.erase(found);
        const std::uint64_t device = task->device();
        ++busy_[device];
        task->state_ = State::Running;
        lock.unlock();
        task->run();
        State running = State::Running;
        const bool again = !task->state_.compare_exchange_strong(running, State::Idle);
        lock.lock();
        if (--busy_[device] == 0) busy_.erase(device);
        if (stopping_) ended_.notify_all();
        if (again) {
            task->state_ = State::Waiting;
            waiting_.push_back(task);
        }
    }
    cpu_used() += thread_cpu_us() - begin_us;
    urgent_ = false;
    told_ = false;  // whoever was told while all threads were busy has been served
}

}  // namespace tapedeck::host
