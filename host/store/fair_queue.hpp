// Tasks about files, on a few threads, which no single file can take for itself.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "event/workers.hpp"

namespace tapedeck::host {

/// The tasks of one file run one after the other, and files take turns. Thread-safe.
class FairQueue {
public:
    using Task = Workers::Task;

    FairQueue(std::string name, std::size_t threads, std::size_t most_waiting);

    /// False: too many wait already, or it is stopped. `file` is only compared.
    bool post(const std::string& file, Task task);
    /// A task of no file, at its time; dropped after `stop`.
    void post_at(Workers::Clock::time_point time, Task task) { workers_.post(std::move(task), time); }
    /// Drops what waits and waits for what runs. False: some of it hangs and is left behind. Idempotent.
    bool stop(std::chrono::milliseconds limit);

private:
    struct State {
        std::mutex mutex;
        std::map<std::string, std::deque<Task>> lanes;  // of each file that has a task; the front one runs
        std::size_t waiting = 0;
        bool stopped = false;
    };
    static void run(const std::shared_ptr<State>& state, const std::string& file, Workers& workers,
                    const std::stop_token& stop);

    const std::size_t most_waiting_;
    const std::shared_ptr<State> state_;  // of a task that hangs, too
    Workers workers_;
};

}  // namespace tapedeck::host
