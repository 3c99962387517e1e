#include "store/fair_queue.hpp"

#include <utility>

namespace tapedeck::host {

FairQueue::FairQueue(std::string name, std::size_t threads, std::size_t most_waiting)
    : most_waiting_(most_waiting), state_(std::make_shared<State>()), workers_(std::move(name), threads) {}

bool FairQueue::post(const std::string& file, Task task) {
    {
        const std::lock_guard lock(state_->mutex);
        if (state_->stopped || state_->waiting >= most_waiting_) return false;
        auto& lane = state_->lanes[file];
        lane.push_back(std::move(task));
        ++state_->waiting;
        if (lane.size() > 1) return true;
    }
    workers_.post(
        [state = state_, file, &workers = workers_](const std::stop_token& stop) { run(state, file, workers, stop); });
    return true;
}

/// One task of the file; for the next one it lines up behind the other files again.
void FairQueue::run(const std::shared_ptr<State>& state, const std::string& file, Workers& workers,
                    const std::stop_token& stop) {
    Task task;
    {
        const std::lock_guard lock(state->mutex);
        if (state->stopped) return;
        task = std::exchange(state->lanes.at(file).front(), nullptr);
        --state->waiting;
    }
    // However the task ends.
    const auto next = std::shared_ptr<void>(nullptr, [&](void*) {
        {
            const std::lock_guard lock(state->mutex);
            const auto lane = state->lanes.find(file);
            if (state->stopped) return;
            lane->second.pop_front();
            if (lane->second.empty()) {
                state->lanes.erase(lane);
                return;
            }
        }
        workers.post([state, file, &workers](const std::stop_token& again) { run(state, file, workers, again); });
    });
    task(stop);
}

bool FairQueue::stop(std::chrono::milliseconds limit) {
    std::map<std::string, std::deque<Task>> dropped;  // destroyed without the lock
    {
        const std::lock_guard lock(state_->mutex);
        state_->stopped = true;
        dropped.swap(state_->lanes);
    }
    return workers_.stop(limit);
}

}  // namespace tapedeck::host
