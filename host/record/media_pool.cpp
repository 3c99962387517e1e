#include "record/media_pool.hpp"

#include <pthread.h>

#include <algorithm>

namespace tapedeck::host {

MediaPool::MediaPool(std::size_t threads) {
    for (std::size_t i = 0; i < std::max<std::size_t>(threads, 2); ++i) {
        threads_.emplace_back([this] { work(); });
        pthread_setname_np(threads_.back().native_handle(), "media");
    }
}

MediaPool::~MediaPool() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
}

void MediaPool::wake(const std::shared_ptr<MediaTask>& task) {
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
    {
        const std::lock_guard lock(mutex_);
        waiting_.push_back(task);
    }
    changed_.notify_one();
}

std::shared_ptr<MediaTask> MediaPool::next() {
    const std::size_t most = threads_.size() - 1;
    const auto found = std::ranges::find_if(waiting_, [&](const auto& task) {
        const auto busy = busy_.find(task->device());
        return busy == busy_.end() || busy->second < most;
    });
    if (found == waiting_.end()) return nullptr;
    auto task = *found;
    waiting_.erase(found);
    return task;
}

void MediaPool::work() {
    using State = MediaTask::State;
    std::unique_lock lock(mutex_);
    for (;;) {
        std::shared_ptr<MediaTask> task;
        changed_.wait(lock, [&] { return stopping_ || (task = next()) != nullptr; });
        if (stopping_) return;
        const std::uint64_t device = task->device();
        ++busy_[device];
        task->state_ = State::Running;
        lock.unlock();
        task->run();
        State running = State::Running;
        const bool again = !task->state_.compare_exchange_strong(running, State::Idle);
        lock.lock();
        if (--busy_[device] == 0) busy_.erase(device);
        if (again) {
            task->state_ = State::Waiting;
            waiting_.push_back(std::move(task));
        }
        if (!waiting_.empty()) changed_.notify_one();
    }
}

}  // namespace tapedeck::host
