#include "event/workers.hpp"

#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "base/log.hpp"
#include "base/thread_name.hpp"

namespace tapedeck::host {

struct Workers::State {
    State(std::string called, std::size_t most) : name(std::move(called)), most_threads(most) {}

    const std::string name;
    const std::size_t most_threads;
    std::mutex mutex;
    std::condition_variable wake, ended;
    std::multimap<Clock::time_point, Task> waiting;
    std::size_t threads = 0, idle = 0;
    std::stop_source stop;
};

Workers::Workers(std::string name, std::size_t threads) : state_(std::make_shared<State>(std::move(name), threads)) {}

Workers::~Workers() {
    stop(std::chrono::seconds(10));
}

void Workers::post(Task task, Clock::time_point not_before) {
    const std::lock_guard lock(state_->mutex);
    if (state_->stop.stop_requested()) return;
    state_->waiting.emplace(not_before, std::move(task));
    if (state_->idle < state_->waiting.size() && state_->threads < state_->most_threads) {
        // Detached: a task that hangs in the system must not keep the server from ending.
        try {
            std::thread([state = state_] { run(state); }).detach();
            ++state_->threads;
            ++state_->idle;
        } catch (const std::system_error& e) {  // the system gives no more; those that run take it
            log::warning("{}: {}", state_->name, e.what());
            if (state_->threads == 0) throw;
        }
    }
    state_->wake.notify_one();
}

void Workers::run(const std::shared_ptr<State>& state) {
    name_thread(state->name.substr(0, 15).c_str());
    std::unique_lock lock(state->mutex);
    while (!state->stop.stop_requested()) {
        if (state->waiting.empty()) {
            state->wake.wait(lock);
            continue;
        }
        const auto first = state->waiting.begin();
        if (const auto due = first->first; due > Clock::now()) {
            state->wake.wait_until(lock, due);
            continue;
        }
        Task task = std::move(first->second);
        state->waiting.erase(first);
        --state->idle;
        lock.unlock();
        try {
            task(state->stop.get_token());
        } catch (const std::exception& error) {
            log::error("{}: {}", state->name, error.what());
        } catch (...) {
            log::error("{}: a task failed without saying why", state->name);
        }
        task = nullptr;
        lock.lock();
        ++state->idle;
    }
    --state->idle;
    --state->threads;
    state->ended.notify_all();
}

bool Workers::stop(std::chrono::milliseconds limit) {
    std::multimap<Clock::time_point, Task> dropped;  // destroyed without the lock
    std::unique_lock lock(state_->mutex);
    const bool again = state_->stop.stop_requested();
    dropped.swap(state_->waiting);
    lock.unlock();
    state_->stop.request_stop();  // may run callbacks of tasks
    dropped.clear();
    lock.lock();
    state_->wake.notify_all();
    const bool ended = state_->ended.wait_for(lock, again ? std::chrono::milliseconds(0) : limit,
                                              [&] { return state_->threads == 0; });
    if (!ended && !again) log::error("{}: {} calls hang and are left behind", state_->name, state_->threads);
    return ended;
}

}  // namespace tapedeck::host
