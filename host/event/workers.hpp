// The threads of one plugin instance or one kind of work, with tasks that may have to wait for their time.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

namespace tapedeck::host {

/// Tasks begin in the order of their times, equal ones in the order of `post`. Threads are started when they are
/// needed. Thread-safe.
class Workers {
public:
    using Clock = std::chrono::steady_clock;
    /// The token says that the workers are being stopped. What escapes a task is logged.
    using Task = std::function<void(const std::stop_token&)>;

    Workers(std::string name, std::size_t threads);
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;
    /// Stops for at most 10 s.
    ~Workers();

    /// After `stop` the task is dropped.
    void post(Task task, Clock::time_point not_before = {});
    /// Begins no more tasks, drops those that wait and waits for the running ones. False: some did not end in time;
    /// they are named in the log and left behind with what they hold.
    bool stop(std::chrono::milliseconds limit);

private:
    struct State;
    static void run(const std::shared_ptr<State>& state);
    std::shared_ptr<State> state_;
};

}  // namespace tapedeck::host
